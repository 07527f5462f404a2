"""Where one cylinder stands after some of its events, small enough to be saved with every step."""

import zlib
from collections.abc import Callable, Collection

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder, encode
from msgspec.structs import replace

SHORTEST_IDLE_MS = 30 * 86_400_000
"""Nobody calls a shorter time idle; what is spared is a look-up at every scan."""

_GRAVEST_FIRST = ("scrapped", "lost", "stopped", "held")


class Leg(Struct, frozen=True, array_like=True, gc=False):
    """Custody from one site to the next. Times are None where nobody scanned that end; `gap` says so.

    `no` counts a cylinder's legs from 0. `decanted` marks a delivery with no station scan since the last
    return, `outside` one to a district its owner is not licensed for. `gas_g` is what the cylinder may hold.
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
    gas_g: int | None
    gap: bool
    decanted: bool
    outside: bool

    def ended(self, at_ms: int, event_id: str, site: str) -> "Leg":
        """The same leg, arrived."""
        # Written out: `replace` takes three times as long, and the hot loop comes here at every receipt.
        return Leg(
            self.no,
            self.kind,
            self.from_site,
            site,
            self.departed_ms,
            at_ms,
            self.depart_event,
            event_id,
            self.owner,
            self.gas_g,
            self.gap,
            self.decanted,
            self.outside,
        )


class Owed(Struct, frozen=True, array_like=True, gc=False):
    """A scan that an event still owes: the rule that speaks when it does not come, and until when it may come."""

    rule: str
    event_id: str
    at_ms: int
    site: str | None
    deadline_ms: int


class Conflict(Struct, frozen=True, array_like=True, gc=False):
    """A scan at a place where the story can not have the cylinder; `left` is where the story had it.

    `site` is where the cylinder was: at a return, with the user.
    """

    at_ms: int
    event_id: str
    kind: str
    site: str
    left: str


class State(Struct, array_like=True, gc=False):
    """One cylinder after the events it has seen. Unknown is None; a cylinder never registered has no owner.

    `wake_ms` is when it has to be looked at without an event; while events are read it is that for what is owed and
    the term only, and may lie earlier, never later. `is_odd` says that it is unregistered, out of use or re-tagged.
    `seen_ms` is of the last scan, in the far future before the first. `is_awaited` says that it was shipped and not
    seen since; `dwell_from_ms` since when it stands with a user.
    `term_day` is the last day it may be used, by inspection and life; `term_ms` when that is next to be looked at.
    `failed` are the failed checks before filling that no passed one followed, by site: the event, and when.
    `shown` are the conditions that hold, by the names of their rules.
    """

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
    tare_g: int | None = None
    working_kpa: int | None = None
    allowed_g: int | None = None
    valid_until_day: int | None = None
    life_end_day: int | None = None
    extension_day: int | None = None
    is_odd: bool = True
    out: tuple[tuple[str, str], ...] = ()
    retired: tuple[str, ...] = ()
    voids: tuple[str, ...] = ()
    owed: tuple[Owed, ...] = ()
    loc: str | None = None
    loc_event: str | None = None
    open_leg: Leg | None = None
    open_waybill: str | None = None
    seen_ms: int = 2**62
    seen_from: str | None = None
    check_ms: int | None = None
    check_site: str | None = None
    failed: tuple[tuple[str | None, str, int], ...] = ()
    failed_fill_ms: int | None = None
    post_result: str | None = None
    post_early: tuple[int, str | None, str | None] | None = None
    fill_ms: int | None = None
    fill_event: str | None = None
    fill_site: str | None = None
    moved_since_fill: bool = False
    returned: bool = False
    station_since_return: bool = False
    resumed_ms: int | None = None
    idle_since_ms: int | None = None
    idle_event: str | None = None
    inspected_ms: int | None = None
    inspected_at: str | None = None
    last_inspection: str | None = None
    term_reckoned: bool = False
    term_day: int | None = None
    term_ms: int | None = None
    term_near: bool = False
    term_over: bool = False
    is_awaited: bool = False
    dwell_from_ms: int | None = None
    dwell_event: str | None = None
    register_event: str | None = None
    register_code: str | None = None
    second_register: str | None = None
    bound: tuple[str, ...] = ()
    retags: tuple[tuple[int, str], ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    clone_anchor: str | None = None
    clone_until_ms: int = -(2**62)
    shown: tuple[str, ...] = ()

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
        self.is_odd = True

    def bring_back(self, status: str) -> None:
        """Lift one ground; the others stand."""
        self.out = tuple(ground for ground in self.out if ground[0] != status)
        self.is_odd = bool(self.out or self.retired or self.registered_ms is None)

    @property
    def last_key(self) -> tuple[int, str]:
        """The story has been read up to here; an event at or before it is late."""
        return self.last_ms, self.last_event

    def idle_until(self, at_ms: int, least_ms: float) -> int | None:
        """Since when nobody had seen it by then, where that is longer than `least_ms`; None for the first scan ever."""
        since_ms = max(self.seen_ms, self.resumed_ms or self.seen_ms)
        return since_ms if at_ms - since_ms > least_ms else None

    def owe(self, owed: Owed) -> None:
        """Note what has to come, and wake when the first of it falls due."""
        self.owed = (*self.owed, owed)
        if self.wake_ms is None or owed.deadline_ms < self.wake_ms:
            self.wake_ms = owed.deadline_ms

    def wake_by(self, ms: int) -> None:
        """Wake at that moment, or before."""
        if self.wake_ms is None or ms < self.wake_ms:
            self.wake_ms = ms

    def hasten(self, rules: Collection[str], deadline_ms: int) -> None:
        """Have what these rules wait for fall due by then."""
        self.owed = tuple(
            replace(one, deadline_ms=min(one.deadline_ms, deadline_ms)) if one.rule in rules else one
            for one in self.owed
        )
        self.wake_by(min([one.deadline_ms for one in self.owed]))

    def settle(self, is_settled: Callable[[Owed], bool]) -> list[Owed]:
        """Strike off what came, or what the rules have spoken about; gives what was struck off."""
        struck: list[Owed] = []
        left: list[Owed] = []
        for one in self.owed:
            (struck if is_settled(one) else left).append(one)
        if struck:
            self.owed = tuple(left)
            self.wake_ms = self.term_ms
            for one in left:
                self.wake_by(one.deadline_ms)
        return struck

    def saved(self) -> str:
        """The state as one line of JSON; `restored` reads it back."""
        return encode((_LAYOUT, self)).decode()

    @classmethod
    def restored(cls, text: str) -> "State | None":
        """The state that `saved` wrote; None for one that another version wrote, whose story has to be told anew."""
        try:
            layout, state = _saved.decode(text)
        except MsgspecError:
            return None
        return state if layout == _LAYOUT else None


_saved = Decoder(tuple[int, State])
# A number of the names, so that a state kept by a version with other fields is told apart from ours.
_LAYOUT = zlib.crc32(repr([one.__struct_fields__ for one in (State, Leg, Owed, Conflict)]).encode())
