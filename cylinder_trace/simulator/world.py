"""The city before anything moves: firms, stations, depots, agencies, customers and people."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal
from uuid import UUID

from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord
from cylinder_trace.law.tables import Law, load
from cylinder_trace.simulator.calendar import at_hour, months_later
from cylinder_trace.simulator.places import INDUSTRIAL, MIDDLES, NORTH, SOUTH, somewhere_in
from cylinder_trace.simulator.plan import DAY_MS, Missed, Plan
from cylinder_trace.simulator.uploads import Act, Log, outages

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
_STORAGE_LIMIT_KG: dict[Segment, float] = {"household": 100, "restaurant": 420, "industrial": 1000}
_GAS_KG = 10.0
"""What a cylinder without an allowed mass holds, roughly."""

_CYLINDERS_A_CUSTOMER = {"lpg": 1.5, "industrial": 6.0}
_FIRMS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], int], ...] = (
    ("OW01", "沪北安燃液化气有限公司", NORTH, ("lpg",), 2),
    ("OW02", "浦南瑞祥燃气有限公司", SOUTH, ("lpg",), 2),
    ("OW03", "申辰工业气体有限公司", INDUSTRIAL, ("o2", "n2", "ar"), 1),
)


@dataclass(slots=True, eq=False)
class Place:
    """A site with its equipment. A station fills on guns, one cylinder a slot, while it is not closed.

    Where `by_hand`, the checks are made with a handheld, whose clock is its own, and the scale gives gross and tare.
    """

    record: SiteRecord
    guns: tuple[str, ...] = ()
    couriers: int = 0
    by_hand: bool = False
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
        days = 1 if at_ms >= at_hour(at_ms, _CLOSES_H) else 0
        open_ms = max(at_ms, at_hour(at_ms, _OPENS_H, days=days))
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

    `missed` are the scans of honest cylinders that left no trace. In a `cold` spell customers need more gas.
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


def built(plan: Plan) -> World:
    """The places and people of a plan's city, before its papers are issued."""
    rng = Random(f"{plan.seed}/world")
    world = World(plan, load(), Log(Random(f"{plan.seed}/ids")))
    lpg = max(1, round(plan.cylinders * 0.85))
    for number, (owner_id, name, districts, media, stations) in enumerate(_FIRMS, start=1):
        firm = Firm(
            OwnerRecord(owner_id=owner_id, name=name, districts=districts), media, f"{100 + number:04}"
        )
        world.firms.append(firm)
        world.records.append(firm.record)
        own = lpg // 2 if firm.is_lpg else plan.cylinders - lpg
        for count in range(stations):
            firm.stations.append(_station(world, firm, count, own // stations, rng))
        for count in range(2 if firm.is_lpg else 0):
            firm.depots.append(_depot(world, firm, count, own // 2, rng))
        _customers(world, firm, own, rng)
    for count, district in enumerate(("310113", "310112"), start=1):
        site = _site(world, f"IA0{count}", "inspection_agency", district, "气瓶检验站", None, rng)
        world.agencies.append(Place(site))
        _people(world, site.site_id, (("I1", "inspector"), ("I2", "inspector"), ("W1", "safety_officer")))
    return world


def code_of(firm: Firm, serial: int) -> str:
    """The 使用登记代码 of a firm's cylinder: species, province, unit, six-digit serial."""
    return f"{3 if firm.is_lpg else 1}31{firm.unit}{serial:06}"


def _station(world: World, firm: Firm, count: int, cylinders: int, rng: Random) -> Place:
    district = firm.record.districts[count]
    what = "液化气充装站" if firm.is_lpg else "工业气体充装站"
    site_id = f"ST{len([p for f in world.firms for p in f.stations]) + 1:02}"
    guns = tuple(f"{site_id}-G{gun}" for gun in range(1, max(2, cylinders // 1500) + 1))
    site = _site(world, site_id, "filling_station", district, what, firm, rng, opens="06:00", closes="21:30",
                 guns=guns)  # fmt: skip
    couriers = 0 if firm.is_lpg else max(1, cylinders // 800)
    staff = [(f"F{gun}", "filler") for gun in range(1, len(guns) + 1)]
    staff += [("K1", "checker"), ("W1", "manager"), ("S1", "safety_officer")]
    staff += [(f"D{number}", "courier") for number in range(1, couriers + 1)]
    _people(world, site_id, staff)
    return Place(site, guns, couriers, by_hand=count == 1)


def _depot(world: World, firm: Firm, count: int, cylinders: int, rng: Random) -> Place:
    site_id = f"DP{len([p for f in world.firms for p in f.depots]) + 1:02}"
    site = _site(world, site_id, "depot", firm.record.districts[2 + count], "配送站", firm, rng,
                 opens="07:00", closes="20:00")  # fmt: skip
    couriers = max(2, cylinders // 400)
    _people(world, site_id, [("W1", "manager"), *((f"D{n}", "courier") for n in range(1, couriers + 1))])
    return Place(site, couriers=couriers)


def _customers(world: World, firm: Firm, cylinders: int, rng: Random) -> None:
    each = _CYLINDERS_A_CUSTOMER["lpg" if firm.is_lpg else "industrial"]
    kinds: tuple[Segment, ...] = ("household", "restaurant", "industrial") if firm.is_lpg else ("industrial",)
    wanted = max(len(kinds) * len(firm.doors), round(cylinders / each))
    for number in range(wanted):
        door = firm.doors[number % len(firm.doors)]
        turn = number // len(firm.doors)
        # The first customers of each door make sure that every segment is there.
        segment = kinds[turn] if turn < len(kinds) else rng.choices(kinds, (80, 17, 3)[: len(kinds)])[0]
        district = rng.choice(firm.record.districts)
        customer = _customer(world, firm, district, segment, rng)
        door.customers.setdefault(segment, []).append(customer)
    if world.plan.faults_of_each_kind:
        foreign = [district for district in MIDDLES if district not in firm.record.districts]
        firm.abroad = [_customer(world, firm, district, kinds[-1], rng) for district in foreign]


def _customer(world: World, firm: Firm, district: str, segment: Segment, rng: Random) -> SiteRecord:
    number = len(world.records)
    lat, lon = somewhere_in(district, rng)
    words = {"household": "居民用户", "restaurant": "餐饮用户", "industrial": "工商业用户"}
    record = SiteRecord(
        site_id=f"CU{firm.unit}{number:06}",
        name=f"{words[segment]} {number:06}",
        type="customer",
        district=district,
        lat=lat,
        lon=lon,
        segment=segment,
        storage_limit_kg=_STORAGE_LIMIT_KG[segment],
    )
    world.records.append(record)
    return record


def _site(world: World, site_id: str, kind: Any, district: str, what: str, firm: Firm | None, rng: Random,
          **more: Any) -> SiteRecord:  # fmt: skip
    lat, lon = somewhere_in(district, rng)
    place = world.law.district(district).zh
    name = f"{firm.record.name.removesuffix('有限公司')}{place}{what}" if firm else f"{place}{what}"
    record = SiteRecord(site_id=site_id, name=name, type=kind, owner_id=firm.owner_id if firm else None,
                        district=district, lat=lat, lon=lon, **more)  # fmt: skip
    world.records.append(record)
    return record


def _people(world: World, site_id: str, staff: Any) -> None:
    certified = {"filler", "checker", "inspector", "safety_officer"}
    for short, role in staff:
        papers: dict[str, Any] = {}
        if role in certified:
            papers["certificate_no"] = f"TS6{site_id}{short}"
            papers["certificate_valid_until"] = months_later(world.plan.end.date(), 20)
        world.records.append(
            PersonRecord(person_id=f"{site_id}-{short}", role=role, site_id=site_id, **papers)
        )
