"""The forms an event takes: of one cylinder or of a site, scanned by a person or entered at a desk."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cylinder_trace.contract.code import LONGEST_LABEL, parse_code
from cylinder_trace.contract.fields import Id, Latitude, Longitude, Moment, Sha256, Text


class Message(BaseModel):
    """A part of a message: read strictly, and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


class AnyEvent(Message):
    """What every event has; the server adds the time it was received."""

    event_id: UUID
    occurred_at: Moment
    clock_offset_ms: int | None = Field(
        default=None, ge=-(10**13), le=10**13, description="device's clock minus server's, when last known"
    )
    lat: Latitude | None = None
    lon: Longitude | None = None
    note: Text | None = None
    photo_sha256: Sha256 | None = None


class CylinderEvent(AnyEvent):
    """An event of one cylinder."""

    cylinder_code: str = Field(min_length=1, max_length=LONGEST_LABEL, description="as scanned")

    @field_validator("cylinder_code")
    @classmethod
    def _names_a_cylinder(cls, text: str) -> str:
        parse_code(text)
        return text

    @property
    def code(self) -> str:
        """The canonical code that was scanned."""
        return parse_code(self.cylinder_code).text


class ScanEvent(CylinderEvent):
    """An event made by a person with a device at a site. A gap in `device_seq` means lost scans."""

    site_id: Id
    operator_id: Id
    device_id: Id
    device_seq: int = Field(ge=0, lt=2**53)
    entry: Literal["scanned", "keyed"] | None = Field(
        default=None, description="how the code came in: read from the label, or keyed by hand"
    )


class OfficeAct(AnyEvent):
    """An act of an office: entered at a desk, so site and device may be absent."""

    site_id: Id | None = None
    operator_id: Id | None = None
    device_id: Id | None = None
    device_seq: int | None = Field(default=None, ge=0, lt=2**53)
