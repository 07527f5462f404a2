"""Papers of an office about sites and owners: what makes a fill or a delivery lawful, and when."""

from typing import Literal

from pydantic import Field

from cylinder_trace.contract.fields import Adcode, Day, Id, Medium, Text
from cylinder_trace.contract.forms import OfficeAct


class Licence(OfficeAct):
    """许可: `licensed_site_id` may fill `media` from `occurred_at` until `valid_until`, inclusive."""

    kind: Literal["licence"] = "licence"
    licensed_site_id: Id
    licence_no: Text
    media: tuple[Medium, ...] = Field(max_length=200)
    valid_until: Day
    granted_on: Literal["examination", "self_declaration"] | None = Field(
        default=None,
        description="after an examination, or on the holder's own declaration, which is checked afterwards",
    )


class TagBlock(OfficeAct):
    """号段: numbers issued to an owner, both ends inclusive."""

    kind: Literal["tag_block"] = "tag_block"
    owner_id: Id
    code_from: Id
    code_to: Id


class Agreement(OfficeAct):
    """委托充装: `station_id` may fill `owner_id`'s cylinders, both days inclusive."""

    kind: Literal["agreement"] = "agreement"
    owner_id: Id
    station_id: Id
    valid_from: Day
    valid_to: Day


class Approval(OfficeAct):
    """跨区审批: `owner_id` may deliver in a district beyond its own, both days inclusive."""

    kind: Literal["approval"] = "approval"
    owner_id: Id
    district: Adcode
    valid_from: Day
    valid_to: Day
    document_no: Text | None = None
