"""What a cylinder meets: places with their equipment, firms, and the world they are in."""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord
from cylinder_trace.law.tables import Law
from cylinder_trace.simulator.calendar import at_hour
from cylinder_trace.simulator.plan import DAY_MS, Missed, Plan
from cylinder_trace.simulator.uploads import Act, Log, outages

if TYPE_CHECKING:
    from cylinder_trace.simulator.walk import Walk

Segment = Literal["household", "restaurant", "industrial"]

SLOT_MS = 4 * 60_000
"""One cylinder on one gun: check, fill, check again."""

LINE_MS = 5 * 60_000
"""One cylinder inspected at an agency."""

BROKEN_SHARE = 0.5
"""Of the missed scans, those missed because a handheld is out of order; the others are forgotten one by one."""

_BROKEN_H = (1.0, 8.0)
_OPENS_H, _CLOSES_H = 6, 21
_LINE_OPENS_H, _LINE_CLOSES_H = 8.5, 17.5
_STAYS_AT_MOST_DAYS: dict[str, int] = {"household": 62, "restaurant": 18, "industrial": 32}
_PULLED_FORWARD = 0.45
_GAS_KG = 10.0
"""What a cylinder without an allowed mass holds, roughly."""


@dataclass(slots=True, eq=False)
class Place:
    """A site with its equipment. A station fills on guns, one cylinder a slot, while it is not closed.

    Where `by_hand`, the checks are made with a handheld, whose clock is its own, and the scale gives gross and tare.
    """

    record: SiteRecord
    guns: tuple[str, ...] = ()
    couriers: int = 0
    by_hand: bool = False
    hours: tuple[float, float] = (_OPENS_H, _CLOSES_H)
    customers: dict[Segment, list[SiteRecord]] = field(default_factory=dict)
    closed: list[tuple[int, int]] = field(default_factory=list)
    _taken: set[tuple[int, str]] = field(default_factory=set)

    @property
    def site_id(self) -> str:
        """The site's id."""
        return self.record.site_id

    @property
    def where(self) -> tuple[float, float]:
        """Latitude and longitude."""
        return self.record.lat or 0.0, self.record.lon or 0.0

    def slot(self, after_ms: int) -> tuple[str, int]:
        """The next free gun and the moment it is free; it is taken from then on."""
        number = after_ms // SLOT_MS + 1
        while True:
            start = self._opened(number * SLOT_MS)
            number = -(-start // SLOT_MS)
            for gun in self.guns:
                if (number, gun) not in self._taken:
                    self._taken.add((number, gun))
                    return gun, number * SLOT_MS
            number += 1

    def rack(self, after_ms: int) -> list[tuple[str, int]]:
        """The next moment all guns are free, for cylinders filled side by side; they are taken then."""
        number = after_ms // SLOT_MS + 1
        while any((number, gun) in self._taken for gun in self.guns):
            number += 1
        self._taken |= {(number, gun) for gun in self.guns}
        return [(gun, number * SLOT_MS) for gun in self.guns]

    def line(self, after_ms: int) -> int:
        """The next moment an agency's line is free for a cylinder; it is taken from then on."""
        number = after_ms // LINE_MS + 1
        while True:
            at_ms = number * LINE_MS
            if at_ms < at_hour(at_ms, _LINE_OPENS_H):
                number = -(-at_hour(at_ms, _LINE_OPENS_H) // LINE_MS)
            elif at_ms >= at_hour(at_ms, _LINE_CLOSES_H):
                number = -(-at_hour(at_ms, _LINE_OPENS_H, days=1) // LINE_MS)
            elif (number, "line") in self._taken:
                number += 1
            else:
                self._taken.add((number, "line"))
                return number * LINE_MS

    def _opened(self, at_ms: int) -> int:
        opens_h, closes_h = self.hours
        days = 1 if at_ms >= at_hour(at_ms, closes_h) else 0
        open_ms = max(at_ms, at_hour(at_ms, opens_h, days=days))
        # A closure ends within opening hours, so nothing is left to ask after it.
        return next((until for since, until in self.closed if since <= open_ms < until), open_ms)


@dataclass(slots=True, eq=False)
class Firm:
    """An owner with its stations and depots; an industrial firm delivers from its station and has no depots."""

    record: OwnerRecord
    media: tuple[str, ...]
    unit: str
    stations: list[Place] = field(default_factory=list)
    depots: list[Place] = field(default_factory=list)
    abroad: list[SiteRecord] = field(default_factory=list)
    serial: int = 0

    @property
    def owner_id(self) -> str:
        """The owner's id."""
        return self.record.owner_id

    @property
    def is_lpg(self) -> bool:
        """Whether it fills LPG, as against industrial gases."""
        return self.media == ("lpg",)

    @property
    def doors(self) -> list[Place]:
        """The places it delivers from."""
        return self.depots or self.stations


@dataclass(slots=True, eq=False)
class World:
    """Everything a cylinder can meet. `lapsed` and `renewed` are stations with a planted licence story.

    `missed` are the scans of honest cylinders that left no trace. In a `cold` spell customers need more gas. `parked` are
    the cylinders of the story that is being told; none of them is left standing with a customer when it is over.
    """

    plan: Plan
    law: Law
    log: Log
    firms: list[Firm] = field(default_factory=list)
    agencies: list[Place] = field(default_factory=list)
    records: list[SiteRecord | OwnerRecord | PersonRecord] = field(default_factory=list)
    lapsed: tuple[Place, int] | None = None
    renewed: tuple[Place, UUID] | None = None
    missed: list[Missed] = field(default_factory=list)
    cold: tuple[int, int] | None = None
    branches: int = 0
    parked: "list[Walk]" = field(default_factory=list)
    _broken: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _stock: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def is_broken(self, device: str, at_ms: int) -> bool:
        """Whether a handheld is out of order just then, so that people work on without it."""
        if device not in self._broken:
            share = self.plan.missed_scan_share * BROKEN_SHARE
            rng = Random(f"{self.plan.seed}/broken/{device}")
            self._broken[device] = outages(rng, self.plan, share, _BROKEN_H)
        return any(since <= at_ms < until for since, until in self._broken[device])

    def has_room(self, customer: SiteRecord, at_ms: int, gas_kg: float | None) -> bool:
        """Whether a customer may store another cylinder, should none be collected as long as customers keep them."""
        long_ago_ms = _STAYS_AT_MOST_DAYS[customer.segment or "household"] * DAY_MS
        there = self._stock.get(customer.site_id, ())
        stock_kg = sum(kg for since_ms, kg in there if abs(since_ms - at_ms) < long_ago_ms)
        return stock_kg + (gas_kg or _GAS_KG) <= (customer.storage_limit_kg or 0)

    def stocked(self, customer: SiteRecord, at_ms: int, gas_kg: float | None) -> None:
        """A customer has one more cylinder."""
        self._stock.setdefault(customer.site_id, []).append((at_ms, gas_kg or _GAS_KG))

    def emptied(self, since_ms: int, until_ms: int, rng: Random) -> int:
        """When a cylinder that would last until then is empty: a cold spell brings the end of some forward."""
        if self.cold is None:
            return until_ms
        first_ms, last_ms = self.cold
        within = last_ms <= until_ms < last_ms + 9 * DAY_MS and since_ms < first_ms - DAY_MS
        return rng.randrange(first_ms, last_ms) if within and rng.random() < _PULLED_FORWARD else until_ms

    def act(self, at_ms: int, kind: str, received_ms: int | None = None, **fields: Any) -> UUID:
        """An act of an office; its event id."""
        return self.log.add(Act(at_ms, kind, self.log.new_id(at_ms), None, fields, received_ms))


def code_of(firm: Firm, serial: int) -> str:
    """The 使用登记代码 of a firm's cylinder: species, province, unit, six-digit serial."""
    return f"{3 if firm.is_lpg else 1}31{firm.unit}{serial:06}"
