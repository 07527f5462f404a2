"""The server's answer to a batch of events: one receipt an event, in the order they were sent."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cylinder_trace.contract.fields import Moment, Sha256

DEVICE_PATH = "/api/v1/station/device"
LARGEST_BATCH = 1000
"""Events in one request."""

LARGEST_BODY_BYTES = 4 * 1024 * 1024
"""Bytes in one request; a thousand events have about 500 kB."""

RefusalCode = Literal[
    "malformed",  # can not be read; correct it and send it under a new event_id
    "conflict",  # this event_id is in the ledger with other content
    "clock_implausible",  # occurred_at can not be true; set the clock, enter it again
    "not_your_device",  # the event names a device other than the one that signed
    "not_your_site",  # the event names a site other than the one its device is enrolled for
    "not_an_office",  # registrations, licences and the like are entered by an office's device
    "not_your_event",  # a station corrects what was recorded at its own site, once that is on record
]


class Refusal(BaseModel):
    """Why an event is not in the ledger and what to do; the station keeps the event in its tray."""

    model_config = ConfigDict(frozen=True)

    code: RefusalCode
    zh: str
    en: str


class Receipt(BaseModel):
    """What became of one event. A duplicate gets the receipt of the first time, marked `duplicate`."""

    model_config = ConfigDict(frozen=True)

    event_id: UUID | None = None
    status: Literal["stored", "duplicate", "refused"]
    received_at: Moment | None = None
    leaf_hash: Sha256 | None = None
    leaf_index: int | None = Field(default=None, description="position in the sealed log, once it is sealed")
    findings: tuple[str, ...] = Field(
        default=(), description="rules that found something in this event so far"
    )
    refusal: Refusal | None = None


class BatchReceipt(BaseModel):
    """The answer to `POST /api/v1/events`."""

    model_config = ConfigDict(frozen=True)

    server_time: Moment
    stored: int
    duplicate: int
    refused: int
    receipts: Annotated[tuple[Receipt, ...], Field(max_length=LARGEST_BATCH)]


class DeviceAnswer(BaseModel):
    """The answer to `GET /api/v1/station/device`: a new outbox goes on after `last_seq`, 0 where none was heard."""

    model_config = ConfigDict(frozen=True)

    server_time: Moment
    device_id: str
    site_id: str
    last_seq: int = Field(ge=0, lt=2**53)


class Answer(BaseModel):
    """The body of every answer that is not a success; `server_time` lets a device right its clock."""

    model_config = ConfigDict(frozen=True)

    error: str = Field(description="a word a program can act on, such as unknown_device")
    zh: str
    en: str
    server_time: Moment
