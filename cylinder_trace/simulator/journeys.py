"""What the planted stories share: a cylinder of their own that sets out, goes to a station and comes back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.simulator.bottles import enter, made
from cylinder_trace.simulator.calendar import at_hour, local_date, months_later
from cylinder_trace.simulator.cycles import honest_life
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, Label
from cylinder_trace.simulator.uploads import Act
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import Firm, Place, Segment, World

Plant = Callable[[World, Random, int], Iterator[Label]]
"""Lives one planted story and labels it. The number counts the stories of its kind; a window too short plants none."""


_LATELY_DAYS = 45


def set_out(world: World, rng: Random, firm: Firm, medium: str | None = None, code: str | None = None,
            entered: bool = True) -> Walk:  # fmt: skip
    """A new cylinder of a firm, with a customer, at a moment that leaves six days for what is planned."""
    plan = world.plan
    bottle = made(world, firm, rng, medium, code)
    # What is planted about terms is planted on purpose; by chance a term runs out in nobody's story.
    bottle.inspected(local_date(plan.start_ms) - timedelta(days=rng.randint(60, 300)))
    changed = {"valid_until": bottle.valid_until}
    changed["last_inspection"] = months_later(bottle.valid_until, -bottle.interval_months)
    bottle.entry |= changed
    walk = Walk(world, bottle, rng, plan.start_ms, faithful=True)
    walk.now_ms += int(rng.uniform(0, plan.days - 6.5) * DAY_MS)
    if firm.is_lpg:
        walk.station = firm.stations[0]
    if entered:
        enter(world, bottle)
    return walk


def lately(world: World, at_ms: int) -> int:
    """A moment that leaves as many hours of the day and six days too, but not two months."""
    last_ms = world.plan.end_ms - int(6.5 * DAY_MS)
    return last_ms - (last_ms - at_ms) % (_LATELY_DAYS * DAY_MS)


def to_station(walk: Walk, station: Place | None = None) -> tuple[UUID, ...]:
    """Collected and brought to a station; the ids of the scans."""
    if walk.bottle.firm.is_lpg:
        seen: tuple[UUID, ...] = (walk.collect(), *walk.haul(station or walk.station))
    else:
        seen = (walk.collect(station or walk.station),)
    walk.wait(0.5, 3)
    return seen


def to_depot(walk: Walk) -> tuple[UUID, ...]:
    """From the station to a depot of its firm, where it stays; an industrial firm keeps it at the station."""
    walk.wait(0.5, 2)
    if not walk.bottle.firm.is_lpg:
        return ()
    return walk.haul(walk.door if walk.door in walk.bottle.firm.depots else walk.bottle.firm.depots[0])


def to_customer(walk: Walk) -> tuple[UUID, ...]:
    """From the station back to a customer of its firm; the ids of the scans."""
    return (*to_depot(walk), walk.deliver())


def on_with_its_life(walk: Walk) -> None:
    """To a customer, and from then on round and round as any other, so that nothing is left standing.

    Its code stays the one of the story, whatever labels it is given later.
    """
    code = walk.bottle.code
    if walk.place is not None:
        to_customer(walk)
    walk.stay()
    honest_life(walk)
    walk.bottle.code = code


def other_depot(walk: Walk) -> Place:
    """The depot of its firm that is not its door."""
    return next(depot for depot in walk.bottle.firm.depots if depot is not walk.door)


def another_customer(walk: Walk) -> SiteRecord:
    """A customer of its door that it is not with."""
    while (other := walk.some_customer()) is walk.customer:
        pass
    return other


def later(walk: Walk, least_h: float, most_h: float) -> int:
    """An upload so many hours after now, but before the city ends."""
    at_ms = walk.now_ms + int(walk.rng.uniform(least_h, most_h) * HOUR_MS)
    return min(at_ms, walk.world.plan.end_ms - HOUR_MS)


def enter_new(walk: Walk, at_ms: int) -> None:
    """Enter the cylinder at that moment, made two months before and in its first term."""
    made_on = months_later(local_date(at_ms), -2)
    bottle = walk.bottle
    bottle.life_ends = months_later(made_on, bottle.entry["design_life_years"] * 12)
    enter(walk.world, bottle, at_ms, manufactured=made_on, last_inspection=None, extension_until=None,
          valid_until=months_later(made_on, bottle.interval_months))  # fmt: skip


def scanned_long_ago(walk: Walk, at_ms: int, kind: str, **fields: Any) -> UUID:
    """A scan at its door, mostly before the window, with a device that has been replaced since."""
    world, site = walk.world, walk.door.site_id
    own = f"{site}-X{walk.bottle.code[-6:]}"
    fields |= {"cylinder_code": walk.bottle.code, "site_id": site, "operator_id": f"{site}-W1"}
    fields |= {"device_id": own, "device_seq": 1}
    return world.log.add(Act(at_ms, kind, world.log.new_id(at_ms), None, fields))


def left_standing(world: World, rng: Random, number: int, segment: Segment, days: float,
                  **said: Any) -> tuple[Walk, UUID]:  # fmt: skip
    """Delivered so many days before the city's end, to a customer of that kind, and never seen again.

    The delivery may lie before the window; `said` is what the courier entered besides.
    """
    plan = world.plan
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    at_ms = at_hour(plan.end_ms, rng.uniform(9, 17), days=-int(days))
    enter_new(walk, min(walk.bottle.registered_ms, at_ms - int(rng.uniform(5, 30) * DAY_MS)))
    walk.customer = _with_room(walk, segment, max(at_ms, plan.start_ms))
    if at_ms > plan.start_ms + DAY_MS:
        walk.place, walk.now_ms = walk.door, at_ms
        return walk, walk.deliver(walk.customer, **said)
    world.stocked(walk.customer, plan.start_ms, walk.bottle.allowed_kg)
    ends = {"from_site": walk.door.site_id, "to_site": walk.customer.site_id}
    checked = {"customer": walk.customer.site_id, "real_name_verified": True, "safety_check": "pass"}
    return walk, scanned_long_ago(walk, at_ms, "deliver", **ends, **checked, **said)


def dormant(world: World, rng: Random, number: int) -> Walk:
    """An empty one that a stock count saw at its depot over a year ago, and nobody since."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    seen_ms = at_hour(walk.now_ms, rng.uniform(9, 17), days=-rng.randint(380, 480))
    enter_new(walk, seen_ms - int(rng.uniform(5, 30) * DAY_MS))
    scanned_long_ago(walk, seen_ms, "observe")
    walk.place, walk.full = walk.door, False
    return walk


def _with_room(walk: Walk, segment: Segment, since_ms: int) -> SiteRecord:
    """A customer of the door who may store another cylinder from then to the city's end; any, if none is found."""
    world, customers = walk.world, walk.door.customers[segment]
    moments = range(since_ms, world.plan.end_ms, 10 * DAY_MS)
    for _ in range(50):
        customer = walk.rng.choice(customers)
        if all(world.has_room(customer, at_ms, walk.bottle.allowed_kg) for at_ms in moments):
            break
    return customer
