"""Where one cylinder stands after some of its events, small enough to be saved with every step."""

import json
from dataclasses import astuple, dataclass, replace
from typing import Any

from cylinder_trace.judging.scan import Scan

_GRAVEST_FIRST = ("scrapped", "lost", "stopped", "held")


@dataclass(frozen=True, slots=True)
class Leg:
    """Custody from one site to the next. Times are None where nobody scanned that end; `gap` says so.

    `no` counts a cylinder's legs from 0. `decanted` marks a delivery with no station scan since the last
    return, `outside` one to a district its owner is not licensed for.
    """

    no: int
    kind: str
    from_site: str
    to_site: str
    departed_ms: int | None
    arrived_ms: int | None
    depart_event: str | None
    arrive_event: str | None
    owner: str | None
    gap: bool
    decanted: bool
    outside: bool

    def ended(self, at_ms: int, event_id: str, site: str) -> "Leg":
        """The same leg, arrived."""
        return replace(self, arrived_ms=at_ms, arrive_event=event_id, to_site=site)


@dataclass(frozen=True, slots=True)
class Owed:
    """A scan that a fill still owes: which fill, where, and until when it may come."""

    event_id: str
    at_ms: int
    site: str | None
    deadline_ms: int


@dataclass(slots=True)
class State:
    """One cylinder after the events it has seen. Unknown is None; a cylinder never registered has no owner."""

    cylinder_id: str
    last_ms: int = -(2**62)
    last_event: str = ""
    lapsed_ms: int = -(2**62)
    wake_ms: int | None = None
    events: int = 0
    legs: int = 0
    registered_ms: int | None = None
    cylinder_class: str | None = None
    medium: str | None = None
    owner: str | None = None
    model: str | None = None
    volume_l: float | None = None
    manufactured: str | None = None
    working_kpa: int | None = None
    allowed_g: int | None = None
    valid_until_day: int | None = None
    life_end_day: int | None = None
    extension_day: int | None = None
    inspected_ms: int | None = None
    out: tuple[tuple[str, str], ...] = ()
    retired: tuple[str, ...] = ()
    voids: tuple[str, ...] = ()
    loc: str | None = None
    loc_event: str | None = None
    open_leg: Leg | None = None
    check_ms: int | None = None
    check_site: str | None = None
    precheck_owed: Owed | None = None
    postcheck_owed: Owed | None = None
    post_result: str | None = None
    fill_ms: int | None = None
    fill_event: str | None = None
    fill_site: str | None = None
    medium_filled: str | None = None
    moved_since_fill: bool = False
    returned: bool = False
    station_since_return: bool = False

    @property
    def status(self) -> str:
        """`scrapped`, `lost`, `stopped` or `held`, the gravest that holds; else `in_use`."""
        return min((status for status, _ in self.out), key=_GRAVEST_FIRST.index, default="in_use")

    @property
    def status_event(self) -> str | None:
        """The event that took it out of use; None while it is in use."""
        return dict(self.out).get(self.status)

    def take_out(self, status: str, event_id: str) -> None:
        """Note a ground for being out of use; a second such event adds nothing, and grounds do not hide each other."""
        if status not in dict(self.out):
            self.out = (*self.out, (status, event_id))

    def bring_back(self, status: str) -> None:
        """Lift one ground; the others stand."""
        self.out = tuple(ground for ground in self.out if ground[0] != status)

    @property
    def last_key(self) -> tuple[int, str]:
        """The story has been read up to here; an event at or before it is late."""
        return self.last_ms, self.last_event

    def pass_over(self, scan: Scan) -> None:
        """Note that the story has been read up to this event."""
        self.last_ms, self.last_event = scan.at_ms, scan.event_id
        self.events += 1

    def forgive(self, deadline_ms: int) -> None:
        """Drop what was owed until then: the rules have said what there was to say."""
        if self.precheck_owed and self.precheck_owed.deadline_ms <= deadline_ms:
            self.precheck_owed = None
        if self.postcheck_owed and self.postcheck_owed.deadline_ms <= deadline_ms:
            self.postcheck_owed = None
        self.set_wake()

    def set_wake(self) -> None:
        """Wake when the first of what is owed falls due; never where nothing is."""
        left = [owed.deadline_ms for owed in (self.precheck_owed, self.postcheck_owed) if owed]
        self.wake_ms = min(left, default=None)

    def copy(self) -> "State":
        """Another state with the same fields; all of them are immutable."""
        return replace(self)

    def saved(self) -> str:
        """The state as one line of JSON; `restored` reads it back."""
        return json.dumps([_plain(getattr(self, name)) for name in _FIELDS], separators=(",", ":"))

    @classmethod
    def restored(cls, text: str) -> "State":
        """The state that `saved` wrote."""
        fields = dict(zip(_FIELDS, json.loads(text), strict=True))
        fields["out"] = tuple((status, event_id) for status, event_id in fields["out"])
        fields["retired"] = tuple(fields["retired"])
        fields["voids"] = tuple(fields["voids"])
        fields["open_leg"] = Leg(*fields["open_leg"]) if fields["open_leg"] else None
        for name in ("precheck_owed", "postcheck_owed"):
            fields[name] = Owed(*fields[name]) if fields[name] else None
        return cls(**fields)


_FIELDS = tuple(State.__dataclass_fields__)


def _plain(value: Any) -> Any:
    return list(astuple(value)) if isinstance(value, Leg | Owed) else value
