"""What an operator does with a cylinder, and the contract event it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.event import MalformedEvent, read_event
from cylinder_trace.contract.fields import moment_of
from scanner.event_id import event_id

SCANNED = ("event_id", "kind", "occurred_at", "cylinder_code", "device_id", "device_seq")
"""Fields that come from the scan itself and so are no options."""

KINDS: Mapping[str, str] = {
    "fill-check": "fill_check",
    "fill": "fill",
    "post-check": "post_check",
    "override": "override",
    "ship": "ship",
    "receive": "receive",
    "deliver": "deliver",
    "return": "return",
    "inspect": "inspect",
    "observe": "observe",
}
"""Action -> kind of event."""

_OWN_SITE: Mapping[str, str] = {
    "ship": "from_site",
    "receive": "to_site",
    "deliver": "from_site",
    "return": "to_site",
}
"""The end of a movement that is the device's own site unless the operator says otherwise."""

_PROBE = "000000"
"""A code that parses, to try an action's details before the first scan."""


class UnusableAction(Exception):
    """The options given do not make an event of the action chosen; the message names the fields."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action with everything but the cylinder. `details` are fields of the event as JSON values."""

    name: str
    site_id: str
    device_id: str
    operator_id: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises UnusableAction when no event can be made of the details."""
        try:
            self.event(_PROBE, device_seq=1, now_ms=0, clock_offset_ms=None)
        except MalformedEvent as error:
            problems = "; ".join(error.problems)
            raise UnusableAction(f"--action {self.name} does not go with these options: {problems}") from None

    def event(self, text: str, *, device_seq: int, now_ms: int, clock_offset_ms: int | None) -> Any:
        """The event of this action on the cylinder whose label reads `text`. Raises MalformedEvent."""
        message: dict[str, Any] = {
            "kind": KINDS[self.name],
            "event_id": str(event_id(now_ms)),
            "occurred_at": moment_of(now_ms).isoformat(timespec="milliseconds"),
            "cylinder_code": as_scanned(text),
            "site_id": self.site_id,
            "operator_id": self.operator_id,
            "device_id": self.device_id,
            "device_seq": device_seq,
        }
        if clock_offset_ms is not None:
            message["clock_offset_ms"] = clock_offset_ms
        if self.name in _OWN_SITE:
            message[_OWN_SITE[self.name]] = self.site_id
        return read_event({**message, **self.details})


@dataclass(frozen=True, slots=True)
class ReadCode:
    """A label's text and what it names: the canonical code, or None and the reason."""

    text: str
    code: str | None
    scheme: Literal["registration", "device", "grai", "giai", "plain"] | None
    reason: str | None


def read_code(text: str) -> ReadCode:
    """What the text of a label names."""
    try:
        code = parse_code(as_scanned(text))
    except NotACylinderCode as error:
        return ReadCode(text, None, None, error.reason)
    return ReadCode(text, code.text, code.scheme, None)


def as_scanned(text: str) -> str:
    """The text without control characters, which databases do not take; GS stays, it parts GS1 elements."""
    return "".join(character for character in text if character == "\x1d" or character.isprintable())
