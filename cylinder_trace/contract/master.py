"""Who takes part: sites, owners and persons, as the register knows them.

A customer is a site of type `customer` under a pseudonym; names and addresses never enter these records.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cylinder_trace.contract.fields import CLOSES, OPENS, Adcode, Day, Id, Kg, Latitude, Longitude, Text
from cylinder_trace.contract.reading import Unreadable, read_strictly

SiteType = Literal[
    "filling_station", "depot", "vehicle", "customer", "inspection_agency", "manufacturer", "scrap_yard"
]


class MalformedRecord(Unreadable):
    """A message that can not be read as a master record."""

    what = "master record"


class _Record(BaseModel):
    """A record without `valid_from` is how it always was; one with it is how it is from that day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    valid_from: Day | None = Field(default=None, description="the first day it is so, in Shanghai")


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
    opens: str | None = Field(default=None, pattern=OPENS)
    closes: str | None = Field(default=None, pattern=CLOSES)
    guns: tuple[Id, ...] = Field(default=(), max_length=200)
    segment: Literal["household", "restaurant", "industrial"] | None = None
    storage_limit_kg: Kg | None = None
    lines: int | None = Field(default=None, ge=1, le=200, description="cylinders inspected side by side")


class OwnerRecord(_Record):
    """A firm that owns cylinders (产权单位), and the districts it may serve; none listed means all."""

    record: Literal["owner"] = "owner"
    owner_id: Id
    name: Text
    districts: tuple[Adcode, ...] = Field(default=(), max_length=400)
    licence_valid_until: Day | None = Field(
        default=None, description="its licence to trade; none is none on record"
    )


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
        record: SiteRecord | OwnerRecord | PersonRecord = read_strictly(
            _RECORD, message, "record", ("site", "owner", "person")
        )
    except Unreadable as error:
        raise MalformedRecord(error.problems) from None
    return record
