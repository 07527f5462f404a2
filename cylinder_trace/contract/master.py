"""Who takes part: sites, owners and persons, as the register knows them.

A customer is a site of type `customer` under a pseudonym; names and addresses never enter these records.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cylinder_trace.contract.errors import ContractError
from cylinder_trace.contract.fields import Adcode, Day, Id, Kg, Latitude, Longitude, Text

SiteType = Literal[
    "filling_station", "depot", "vehicle", "customer", "inspection_agency", "manufacturer", "scrap_yard"
]


class MalformedRecord(ContractError):
    """A master record that can not be read. `problems` names each field and what is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("the master record can not be read: " + "; ".join(problems))


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SiteRecord(_Record):
    """A place cylinders stay at. Licences are events, not fields, because they change with time."""

    record: Literal["site"] = "site"
    site_id: Id
    name: Text
    type: SiteType
    owner_id: Id | None = Field(default=None, description="the firm that runs it")
    district: Adcode
    lat: Latitude | None = None
    lon: Longitude | None = None
    opens: str | None = Field(default=None, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    closes: str | None = Field(default=None, pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]$")
    guns: tuple[Id, ...] = ()
    segment: Literal["household", "restaurant", "industrial"] | None = None
    storage_limit_kg: Kg | None = None


class OwnerRecord(_Record):
    """A firm that owns cylinders (产权单位), and the districts it may serve; none listed means all."""

    record: Literal["owner"] = "owner"
    owner_id: Id
    name: Text
    districts: tuple[Adcode, ...] = ()


class PersonRecord(_Record):
    """A person who scans, fills or inspects, under the number of the staff register."""

    record: Literal["person"] = "person"
    person_id: Id
    role: Literal["filler", "checker", "courier", "inspector", "safety_officer", "manager"]
    site_id: Id | None = None
    certificate_no: Text | None = None
    certificate_valid_until: Day | None = None


Record = Annotated[SiteRecord | OwnerRecord | PersonRecord, Field(discriminator="record")]

_RECORD: TypeAdapter[Any] = TypeAdapter(Record)


def read_record(message: Mapping[str, Any] | str | bytes) -> SiteRecord | OwnerRecord | PersonRecord:
    """Read one master record from a JSON text or object. Raises MalformedRecord naming every wrong field."""
    try:
        text = message if isinstance(message, str | bytes) else json.dumps(message)
        record: SiteRecord | OwnerRecord | PersonRecord = _RECORD.validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise MalformedRecord(
            [f"{'.'.join(map(str, problem['loc'])) or 'record'}: {problem['msg']}" for problem in problems]
        ) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedRecord([str(error) or type(error).__name__]) from None
    return record
