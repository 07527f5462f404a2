"""Planted faults of people and agencies: who was where, and what was signed without being done."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.simulator.branches import Booked, lpg_firm, parked, some_day
from cylinder_trace.simulator.founding import agency, customer, people
from cylinder_trace.simulator.places import kilometres
from cylinder_trace.simulator.plan import DAY_MS, Label
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import Firm, Place, World

NO_FAILURES = 700
"""Inspections without a failure within four weeks: far from chance, also where few of the city's others fail."""


def operator_two_places(world: World, rng: Random, number: int) -> Iterator[Label]:
    """One person's number scans at two sites an hour's drive apart, in turn."""
    firm = lpg_firm(world, number)
    here, there, person = two_sites(world, firm, number)
    first_ms = some_day(world, rng, 9)
    seen = [
        seen_by(world, rng, firm, (here, there)[turn % 2], first_ms + turn * 75_000, person)
        for turn in range(10)
    ]
    yield Label("operator_two_places", person, tuple(seen), True, "同一人员同时在两地作业，疑似共用账号")


def courier_bulk_scan(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Two dozen deliveries to as many households in four minutes, scanned at the depot's door."""
    firm = lpg_firm(world, number)
    depot = firm.depots[0]
    first_ms = some_day(world, rng, rng.uniform(9, 17))
    seen = []
    for turn in range(26):
        home = customer(world, firm, depot.record.district, "household", rng)
        walk = parked(world, rng, firm, depot, first_ms + turn * 8_000)
        seen.append(handed_over(walk, home, f"{depot.site_id}-C9{number:02}"))
    note = "配送员在数分钟内集中扫码，未实际上门"
    yield Label("courier_bulk_scan", f"{depot.site_id}-C9{number:02}", tuple(seen), True, note)


def inspection_mill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Thirty-two cylinders inspected in under half an hour on one line."""
    firm = lpg_firm(world, number)
    place = agency(world, f"IA{101 + number}", "310113", rng)
    first_ms = some_day(world, rng, rng.uniform(9, 15), 4, 3)
    seen = []
    for turn in range(32):
        walk = parked(world, rng, firm, firm.stations[0], first_ms - 2 * DAY_MS, full=False)
        walk.haul(Booked.at(place, [("", first_ms + turn * 50_000)]))
        seen.append(walk.inspect())
        walk.haul(firm.stations[0])
    yield Label("inspection_mill", place.site_id, tuple(seen), True, "检验用时远低于最短检验时间")


def no_failures(world: World, rng: Random, number: int) -> Iterator[Label]:
    """An agency where every one of hundreds passes, while three in a hundred fail elsewhere."""
    firm = lpg_firm(world, number)
    place = agency(world, f"IA{201 + number}", "310112", rng)
    seen = []
    days = 26
    first_ms = some_day(world, rng, 8, 2, days + 4)
    for turn in range(NO_FAILURES):
        at_ms = first_ms + int(days * DAY_MS * turn / NO_FAILURES)
        walk = parked(world, rng, firm, firm.stations[0], at_ms, full=False)
        walk.haul(place)
        seen.append(walk.inspect())
        walk.haul(firm.stations[0])
    yield Label("no_failures", place.site_id, tuple(seen), True, f"{NO_FAILURES} 只检验无一不合格")


def two_sites(world: World, firm: Firm, number: int) -> tuple[Place, Place, str]:
    """The station of the firm and the site of any that lie farthest apart, and a checker of that station of its own."""
    others = [place for one in world.firms for place in (*one.stations, *one.depots)]
    pairs = [(here, there) for here in firm.stations for there in others]
    here, there = max(pairs, key=lambda pair: kilometres(pair[0].where, pair[1].where))
    people(world, here.site_id, [(f"K{20 + number}", "checker")])
    return here, there, f"{here.site_id}-K{20 + number}"


def seen_by(world: World, rng: Random, firm: Firm, place: Place, at_ms: int, person: str) -> UUID:
    """A cylinder counted at a place by a person, with the place's own handheld."""
    walk = parked(world, rng, firm, place, at_ms)
    return walk.scan("observe", place.site_id, f"{place.site_id}-H4", person)


def handed_over(walk: Walk, home: SiteRecord, device: str) -> UUID:
    """A delivery scanned now with a device of the depot."""
    depot = walk.at.site_id
    walk.place, walk.customer = None, home
    return walk.scan("deliver", depot, device, f"{depot}-D1", from_site=depot, to_site=home.site_id,
                     customer=home.site_id, real_name_verified=True, safety_check="pass")  # fmt: skip
