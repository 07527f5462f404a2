"""Planted faults of places: cylinders that vanish, appear, pile up, or pass where they have no business to."""

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.simulator.branches import branch, days_of, lpg_firm, own_firm, parked, some_day
from cylinder_trace.simulator.calendar import at_hour, local_date
from cylinder_trace.simulator.founding import customer, depot
from cylinder_trace.simulator.plan import HOUR_MS, Label
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import Firm, Place, World

USUAL = "YSP35.5"
_KEPT_DAYS = 50
"""The longest that cylinders pile up with customers: restaurants may have them for two months."""


def site_imbalance(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Thirty brought to a depot are next counted elsewhere, with no scan between; every second time the way back."""
    firm = lpg_firm(world, number)
    own = own_depot(world, rng, firm)
    elsewhere = [*firm.depots, *firm.stations[1:]]
    seen: list[UUID] = []
    for turn, at_ms in enumerate(days_of(world, rng, 30, 10, 2, 5)):
        other = elsewhere[turn % len(elsewhere)]
        origin, goal = (own, other) if number % 2 == 0 else (other, own)
        walk = parked(world, rng, firm, firm.stations[0], at_ms)
        seen += walk.haul(origin)[1:]
        walk.wait(20, 50)
        walk.place = goal
        seen.append(walk.count())
        if not goal.guns:
            to_somebody(world, rng, walk, firm)
    note = "大量气瓶只进不出后在别处出现" if number % 2 == 0 else "大量气瓶无收瓶记录即在此出现"
    yield Label("site_imbalance", own.site_id, tuple(seen), True, note)


def customer_who_ships(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A restaurant that passes on what is delivered to it."""
    firm = lpg_firm(world, number)
    door = firm.depots[0]
    middle, last = (customer(world, firm, door.record.district, "restaurant", rng, 1000) for _ in range(2))
    shipped = []
    for turn, at_ms in enumerate(days_of(world, rng, 14, 8, 2, 4)):
        walk = parked(world, rng, firm, door, at_ms)
        walk.deliver(middle)
        walk.wait(3, 20)
        papers = {"from_site": middle.site_id, "to_site": last.site_id, "waybill": f"ZJ-{number}-{turn}"}
        shipped.append(by_customer(walk, "ship", middle, papers))
        walk.wait(0.7, 1.5)
        shipped.append(by_customer(walk, "receive", last, papers))
        walk.customer = last
    yield Label("new_intermediary", middle.site_id, tuple(shipped), True, "用户将配送来的气瓶转发他人")


def depot_for_others(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A depot starts to hand out another firm's cylinders, two a day, without an agreement between the firms."""
    firm, other = lpg_firm(world, number), branch(world, rng, own_firm(world))
    middle, origin = own_depot(world, rng, firm), other.depots[0]
    homes = origin.customers["restaurant"][:6]
    passed: list[UUID] = []
    for at_ms in days_of(world, rng, 18, 8, 2, 4):
        walk = parked(world, rng, other, origin, at_ms)
        passed += walk.haul(middle)
        walk.wait(3, 20)
        passed.append(walk.deliver(rng.choice(homes)))
    yield Label("new_intermediary", origin.site_id, tuple(passed), True, "配送站开始中转无协议的他方气瓶")


def unknown_site(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A yard that nobody entered in the register passes cylinders from a depot to another."""
    firm = lpg_firm(world, number)
    yard = SiteRecord(site_id=f"YARD{number + 1:02}", name="场地", type="depot", district="310113",
                      lat=firm.depots[0].where[0], lon=firm.depots[0].where[1])  # fmt: skip
    passed: list[UUID] = []
    for at_ms in days_of(world, rng, 14, 8, 2, 5):
        walk = parked(world, rng, firm, firm.depots[0], at_ms)
        walk.haul(Place(yard))
        walk.wait(3, 20)
        passed += walk.haul(firm.depots[1])
        to_somebody(world, rng, walk, firm)
    yield Label("new_intermediary", yard.site_id, tuple(passed), True, "未备案场所中转气瓶")


def overstock(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A household that may store a hundred kilograms has a dozen cylinders, and keeps them."""
    firm = lpg_firm(world, number)
    door = firm.depots[number % 2]
    home = customer(world, firm, door.record.district, "household", rng)
    seen = kept_at(world, rng, firm, door, home)
    yield Label("overstock", home.site_id, tuple(seen), True, "存瓶量超过核定储存量一天以上")


def sink_source(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A depot that only takes in; every second time one that only gives out what it never took in."""
    firm = lpg_firm(world, number)
    own = own_depot(world, rng, firm)
    seen = []
    # As of the city's end it is still so, and has been for longer than two weeks.
    for at_ms in days_of(world, rng, 40, 20, world.plan.days - 28, 4):
        if number % 2 == 0:
            walk = parked(world, rng, firm, firm.stations[0], at_ms)
            seen.append(walk.haul(own)[1])
        else:
            walk = parked(world, rng, firm, own, at_ms)
            seen.append(walk.haul(firm.depots[0])[0])
            to_somebody(world, rng, walk, firm)
    note = "配送站只进不出" if number % 2 == 0 else "配送站只出不进"
    yield Label("sink_source", own.site_id, tuple(seen), True, note)


def hoarding(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Ten restaurants of one firm around a depot pile up cylinders, each within its limit, and give none back."""
    firm = lpg_firm(world, number)
    # Each time another depot, so that one alert has one cluster.
    turn_of_firm = number // sum(one.is_lpg for one in world.firms)
    door = firm.depots[turn_of_firm % len(firm.depots)]
    homes = [customer(world, firm, door.record.district, "restaurant", rng) for _ in range(10)]
    seen = []
    # None of them has anything for too long: they begin three weeks before the city's end.
    for turn, at_ms in enumerate(days_of(world, rng, 80, 14, world.plan.days - 20, 2)):
        walk = parked(world, rng, firm, door, at_ms, model=USUAL)
        walk.kept = True
        seen.append(walk.deliver(homes[turn % len(homes)]))
    note = f"{door.site_id} 的多家用户集中囤瓶，只进不退"
    yield Label("hoarding", firm.owner_id, tuple(seen), True, note)


def own_depot(world: World, rng: Random, firm: Firm, since_ms: int | None = None) -> Place:
    """A depot of a firm that only what is planted ever meets; `since_ms` is when it opens."""
    world.branches += 1
    own = depot(world, firm, f"DP{100 + world.branches}", rng.choice(firm.record.districts[:4]), 0, rng)
    if since_ms is not None:
        opened = own.record.model_copy(update={"valid_from": local_date(since_ms)})
        world.records[world.records.index(own.record)] = opened
        own.record = opened
    return own


def kept_at(world: World, rng: Random, firm: Firm, door: Place, home: SiteRecord) -> list[UUID]:
    """Thirteen delivered to a customer in a day who has them until the city's end, but not for too long."""
    first_ms = some_day(world, rng, 8, max(2, world.plan.days - _KEPT_DAYS), 5)
    seen = []
    for _ in range(13):
        walk = parked(world, rng, firm, door, first_ms, model=USUAL)
        walk.kept = True
        seen.append(walk.deliver(home))
    return seen


def to_somebody(world: World, rng: Random, walk: Walk, firm: Firm) -> UUID:
    """Delivered from where it is to a restaurant of its firm."""
    home = rng.choice(firm.depots[0].customers["restaurant"])
    walk.now_ms = max(walk.now_ms, world.plan.start_ms) + HOUR_MS
    return walk.deliver(home)


def by_customer(walk: Walk, kind: str, home: SiteRecord, papers: dict[str, Any]) -> UUID:
    """A gate scan made by a customer, with a handheld of its own."""
    at = home.site_id
    walk.now_ms = max(walk.now_ms, at_hour(walk.now_ms, 8))
    return walk.scan(kind, at, f"{at}-H1", f"{at}-W1", **papers)
