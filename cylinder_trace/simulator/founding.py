"""The city before anything moves: firms, stations, depots, agencies, customers and people.

A small city has two firms for LPG and one for industrial gases. A large one has more of everything, so that no
station fills more, and no depot delivers more, than one of its kind can.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord
from cylinder_trace.law.tables import load
from cylinder_trace.simulator.calendar import months_later
from cylinder_trace.simulator.places import DISTRICTS, INDUSTRIAL, MIDDLES, NORTH, SOUTH, somewhere_in
from cylinder_trace.simulator.plan import DAY_MS, Plan
from cylinder_trace.simulator.uploads import Log
from cylinder_trace.simulator.world import Firm, Place, Segment, World

STORAGE_LIMIT_KG: dict[Segment, float] = {"household": 100, "restaurant": 420, "industrial": 1000}
SPARE_GUN = "G9"
"""Every station has one more gun than it needs; only what is planted is filled there."""

LPG_SHARE = 0.85
"""Of a city's cylinders, those for LPG."""

_CYLINDERS_A_CUSTOMER = {"lpg": 1.5, "industrial": 6.0}
_FIRMS = (
    "沪北安燃液化气", "浦南瑞祥燃气", "申辰工业气体", "申东百川燃气", "沪西聚能液化气", "吴淞惠民燃气", "浦江恒泰液化气",
    "华泾平安燃气", "东滩明辉液化气", "临港新源燃气", "海湾和顺液化气", "吴泾气体", "金山特种气体",
)  # fmt: skip
_INDUSTRIAL_FIRMS = (2, 11, 12)
_A_FIRM, _A_STATION, _A_DEPOT, _AN_AGENCY = 20_000, 5_000, 3_000, 40_000
"""Cylinders that one of each looks after, where there are enough of them."""

_AGENCIES = ("310113", "310112", "310115", "310114", "310117", "310120")


@dataclass(frozen=True, slots=True)
class _Size:
    """How many of each there are; of stations and depots, in one LPG firm."""

    firms: int
    stations: int
    depots: int
    industrial: int
    industrial_stations: int
    agencies: int

    @classmethod
    def of(cls, cylinders: int) -> "_Size":
        lpg = round(cylinders * LPG_SHARE)
        firms = _between(2, lpg // _A_FIRM, 10)
        industrial = _between(1, cylinders // 100_000, 3)
        return cls(
            firms,
            _between(2, lpg // firms // _A_STATION, 4),
            _between(2, lpg // firms // _A_DEPOT, 7),
            industrial,
            _between(1, (cylinders - lpg) // industrial // _A_STATION, 4),
            _between(2, cylinders // _AN_AGENCY, len(_AGENCIES)),
        )


def built(plan: Plan) -> World:
    """The places and people of a plan's city, before its papers are issued."""
    rng = Random(f"{plan.seed}/world")
    world = World(plan, load(), Log(Random(f"{plan.seed}/ids")))
    if plan.faults_of_each_kind and plan.days >= 40:
        since_ms = plan.start_ms + int(plan.days * 0.6) * DAY_MS
        world.cold = since_ms, since_ms + 4 * DAY_MS
    size = _Size.of(plan.cylinders)
    lpg = max(1, round(plan.cylinders * LPG_SHARE))
    lpg_firms = [number for number in range(len(_FIRMS)) if number not in _INDUSTRIAL_FIRMS][: size.firms]
    industrial = _INDUSTRIAL_FIRMS[: size.industrial]
    for number in sorted((*lpg_firms, *industrial)):
        is_lpg = number in lpg_firms
        media = ("lpg",) if is_lpg else ("o2", "n2", "ar")
        record = OwnerRecord(owner_id=f"OW{number + 1:02}", name=f"{_FIRMS[number]}有限公司",
                             districts=_districts(number))  # fmt: skip
        firm = Firm(record, media, f"{101 + number:04}")
        world.firms.append(firm)
        world.records.append(record)
        own = lpg // size.firms if is_lpg else (plan.cylinders - lpg) // size.industrial
        stations = size.stations if is_lpg else size.industrial_stations
        for count in range(stations):
            site_id = f"ST{len([place for each in world.firms for place in each.stations]) + 1:02}"
            place = station(world, firm, site_id, record.districts[count], own // stations, rng)
            place.by_hand = count == 1
            firm.stations.append(place)
        for count in range(size.depots if is_lpg else 0):
            site_id = f"DP{len([place for each in world.firms for place in each.depots]) + 1:02}"
            district = record.districts[(2 + count) % len(record.districts)]
            firm.depots.append(depot(world, firm, site_id, district, own // size.depots, rng))
        _customers(world, firm, own, rng)
    for count, district in enumerate(_AGENCIES[: size.agencies], start=1):
        world.agencies.append(agency(world, f"IA{count:02}", district, rng))
    return world


def station(world: World, firm: Firm, site_id: str, district: str, cylinders: int, rng: Random, opens: str = "06:00",
            closes: str = "21:30") -> Place:  # fmt: skip
    """A filling station with guns enough for so many cylinders, its people, and one gun to spare."""
    what = "液化气充装站" if firm.is_lpg else "工业气体充装站"
    guns = tuple(f"{site_id}-G{gun}" for gun in _gun_numbers(max(2, cylinders // 1500)))
    spare = (f"{site_id}-{SPARE_GUN}",) if world.plan.faults_of_each_kind else ()
    record = site(world, site_id, "filling_station", district, what, firm, rng, opens=opens, closes=closes,
                  guns=guns + spare)  # fmt: skip
    couriers = 0 if firm.is_lpg else max(1, cylinders // 800)
    staff = [(f"F{gun.rsplit('G', 1)[1]}", "filler") for gun in guns + spare]
    staff += [("K1", "checker"), ("W1", "manager"), ("S1", "safety_officer")]
    staff += [(f"D{number}", "courier") for number in range(1, couriers + 1)]
    people(world, site_id, staff)
    return Place(record, guns, couriers)


def depot(world: World, firm: Firm, site_id: str, district: str, cylinders: int, rng: Random) -> Place:
    """A depot with couriers enough for so many cylinders."""
    record = site(world, site_id, "depot", district, "配送站", firm, rng, opens="07:00", closes="20:00")
    couriers = max(2, cylinders // 400)
    people(world, site_id, [("W1", "manager"), *((f"D{n}", "courier") for n in range(1, couriers + 1))])
    return Place(record, couriers=couriers)


def agency(world: World, site_id: str, district: str, rng: Random) -> Place:
    """An inspection agency with one line."""
    record = site(world, site_id, "inspection_agency", district, "气瓶检验站", None, rng, lines=1)
    people(world, site_id, [("I1", "inspector"), ("I2", "inspector"), ("W1", "safety_officer")])
    return Place(record)


def customer(world: World, firm: Firm, district: str, segment: Segment, rng: Random,
             storage_limit_kg: float | None = None) -> SiteRecord:  # fmt: skip
    """A customer under a pseudonym; the storage limit is that of its kind unless told otherwise."""
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
        storage_limit_kg=storage_limit_kg or STORAGE_LIMIT_KG[segment],
    )
    world.records.append(record)
    return record


def site(world: World, site_id: str, kind: Any, district: str, what: str, firm: Firm | None, rng: Random,
         **more: Any) -> SiteRecord:  # fmt: skip
    """A site of a firm, or of nobody, somewhere in a district."""
    lat, lon = somewhere_in(district, rng)
    place = world.law.district(district).zh
    name = f"{firm.record.name.removesuffix('有限公司')}{place}{what}" if firm else f"{place}{what}"
    record = SiteRecord(site_id=site_id, name=name, type=kind, owner_id=firm.owner_id if firm else None,
                        district=district, lat=lat, lon=lon, **more)  # fmt: skip
    world.records.append(record)
    return record


def people(world: World, site_id: str, staff: Any) -> None:
    """Enter people in the staff register; who needs a certificate has one."""
    certified = {"filler", "checker", "inspector", "safety_officer"}
    for short, role in staff:
        papers: dict[str, Any] = {}
        if role in certified:
            papers["certificate_no"] = f"TS6{site_id}{short}"
            papers["certificate_valid_until"] = months_later(world.plan.end.date(), 20)
        world.records.append(
            PersonRecord(person_id=f"{site_id}-{short}", role=role, site_id=site_id, **papers)
        )


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
        door.customers.setdefault(segment, []).append(customer(world, firm, district, segment, rng))
    if world.plan.faults_of_each_kind:
        foreign = [district for district in MIDDLES if district not in firm.record.districts]
        firm.abroad = [customer(world, firm, district, kinds[-1], rng) for district in foreign]


def _districts(number: int) -> tuple[str, ...]:
    """The districts a firm serves: the first ones divide the city, later ones overlap with them."""
    if number in _INDUSTRIAL_FIRMS:
        return INDUSTRIAL
    if number < len((NORTH, SOUTH)):
        return (NORTH, SOUTH)[number]
    return tuple(DISTRICTS[(number * 3 + step) % len(DISTRICTS)] for step in range(8))


def _gun_numbers(count: int) -> list[int]:
    """The first numbers, without the spare gun's."""
    return [number for number in range(1, count + 2) if f"G{number}" != SPARE_GUN][:count]


def _between(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))
