"""The events of a cylinder's life, and of the licences and agreements that make them lawful.

An event says what happened, where, when and by whom, in the words of the one who was there. It is read
strictly: an unknown kind or field is refused with the field named, because a field silently dropped is
evidence lost.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from cylinder_trace.contract.kinds import (
    CodeAlias,
    Correct,
    CylinderMaster,
    Deliver,
    Fill,
    FillCheck,
    Found,
    Hold,
    Inspect,
    Lost,
    Observe,
    Override,
    PostCheck,
    Receive,
    Register,
    Release,
    Repair,
    Resume,
    Return,
    Scrap,
    Ship,
    Stop,
    TagBind,
    TagReplace,
    Transfer,
    Update,
)
from cylinder_trace.contract.papers import Agreement, Approval, Licence, TagBlock
from cylinder_trace.contract.reading import Unreadable, read_strictly

__all__ = [
    "KINDS",
    "REFERENCE_KINDS",
    "Agreement",
    "Approval",
    "CodeAlias",
    "Correct",
    "CylinderMaster",
    "Deliver",
    "Event",
    "Fill",
    "FillCheck",
    "Found",
    "Hold",
    "Inspect",
    "Licence",
    "Lost",
    "MalformedEvent",
    "Observe",
    "Override",
    "PostCheck",
    "Receive",
    "Register",
    "Release",
    "Repair",
    "Resume",
    "Return",
    "Scrap",
    "Ship",
    "Stop",
    "TagBind",
    "TagBlock",
    "TagReplace",
    "Transfer",
    "Update",
    "read_event",
    "written",
]


class MalformedEvent(Unreadable):
    """A message that can not be read as an event."""

    what = "event"


Event = Annotated[
    Register
    | Update
    | TagBind
    | TagReplace
    | Transfer
    | FillCheck
    | Fill
    | PostCheck
    | Override
    | Ship
    | Receive
    | Deliver
    | Return
    | Inspect
    | Repair
    | Stop
    | Resume
    | Lost
    | Found
    | Scrap
    | Observe
    | Hold
    | Release
    | Correct
    | Licence
    | TagBlock
    | Agreement
    | Approval,
    Field(discriminator="kind"),
]

_EVENT: TypeAdapter[Any] = TypeAdapter(Event)

KINDS: tuple[str, ...] = tuple(_EVENT.json_schema()["discriminator"]["mapping"])
"""Every event kind, by name."""

REFERENCE_KINDS = frozenset({"licence", "tag_block", "agreement", "approval"})
"""Kinds that are about a site or an owner, not about one cylinder."""


def read_event(message: Mapping[str, Any] | str | bytes) -> Any:
    """Read one event from a JSON text or a decoded JSON object.

    Returns one of the models in `Event`. Raises MalformedEvent naming every field that is wrong.
    """
    try:
        return read_strictly(_EVENT, message, "kind", KINDS)
    except Unreadable as error:
        raise MalformedEvent(error.problems) from None


def written(event: Any) -> dict[str, Any]:
    """The event as a JSON object without absent fields: what is sent, stored and hashed."""
    message: dict[str, Any] = event.model_dump(mode="json", exclude_none=True)
    return message
