"""The events of a cylinder's life, and of the licences and agreements that make them lawful.

An event says what happened, where, when and by whom, in the words of the one who was there. It is read
strictly: an unknown kind or field is refused with the field named, because a field silently dropped is
evidence lost.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from cylinder_trace.contract.code import NotACylinderCode
from cylinder_trace.contract.errors import ContractError
from cylinder_trace.contract.kinds import (
    Agreement,
    CodeAlias,
    Correct,
    CylinderMaster,
    Deliver,
    Fill,
    FillCheck,
    Found,
    Hold,
    Inspect,
    Licence,
    Lost,
    Observe,
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
    TagBlock,
    TagReplace,
    Transfer,
    Update,
)

__all__ = [
    "KINDS",
    "REFERENCE_KINDS",
    "Agreement",
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


class MalformedEvent(ContractError):
    """A message that can not be read as an event. `problems` names each field and what is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("the event can not be read: " + "; ".join(problems))


Event = Annotated[
    Register
    | Update
    | TagBind
    | TagReplace
    | Transfer
    | FillCheck
    | Fill
    | PostCheck
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
    | Agreement,
    Field(discriminator="kind"),
]

_EVENT: TypeAdapter[Any] = TypeAdapter(Event)

KINDS: tuple[str, ...] = tuple(_EVENT.json_schema()["discriminator"]["mapping"])
"""Every event kind, by name."""

REFERENCE_KINDS = frozenset({"licence", "tag_block", "agreement"})
"""Kinds that are about a site or an owner, not about one cylinder."""


def read_event(message: Mapping[str, Any] | str | bytes) -> Any:
    """Read one event from a JSON text or a decoded JSON object.

    Returns one of the models in `Event`. Raises MalformedEvent naming every field that is wrong.
    """
    try:
        if isinstance(message, str):
            message = message.encode()  # a lone surrogate is no character, and has no bytes to be hashed
        if isinstance(message, bytes):
            json.loads(message, object_pairs_hook=_each_once)
            return _EVENT.validate_json(message)
        # Through JSON, so that a decoded object is read by the same rules as its text (dates, UUIDs, tuples).
        return _EVENT.validate_json(json.dumps(message, ensure_ascii=False).encode())
    except ValidationError as error:
        raise MalformedEvent([_said(problem) for problem in error.errors(include_url=False)]) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedEvent([str(error) or type(error).__name__]) from None


def written(event: Any) -> dict[str, Any]:
    """The event as a JSON object without absent fields: what is sent, stored and hashed."""
    message: dict[str, Any] = event.model_dump(mode="json", exclude_none=True)
    return message


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers differ in which of two equal names they keep, so the sender's and the server's could differ too.
    read = dict(members)
    if len(read) < len(members):
        names = [name for name, _ in members]
        raise ValueError(f"{next(name for name in read if names.count(name) > 1)}: is given more than once")
    return read


def _said(problem: Any) -> str:
    loc = problem["loc"]
    # The first part is the kind the union chose; after it, a field may bear the name of a kind.
    place = ".".join(map(str, loc[1:] if loc and loc[0] in KINDS else loc)) or "event"
    context = problem.get("ctx", {})
    if problem["type"] == "union_tag_invalid":
        return f"kind: {str(context.get('tag'))[:80]!r} is unknown; known kinds are {', '.join(KINDS)}"
    if problem["type"] == "union_tag_not_found":
        return f"kind: missing; known kinds are {', '.join(KINDS)}"
    if isinstance(context.get("error"), NotACylinderCode):
        return f"{place}: {context['error']}"
    return f"{place}: {problem['msg']}"
