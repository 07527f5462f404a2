"""What the planted stories share: a cylinder of their own that sets out, goes to a station and comes back."""

from datetime import timedelta
from random import Random

from cylinder_trace.simulator.bottles import enter, made
from cylinder_trace.simulator.calendar import local_date, months_later
from cylinder_trace.simulator.plan import DAY_MS
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import Firm, Place, World


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


def to_station(walk: Walk, station: Place | None = None) -> None:
    """Collected and brought to a station."""
    if walk.bottle.firm.is_lpg:
        walk.collect()
        walk.haul(station or walk.station)
    else:
        walk.collect(station or walk.station)
    walk.wait(0.5, 3)


def to_customer(walk: Walk) -> None:
    """From the station back to a customer of its firm."""
    walk.wait(0.5, 2)
    if walk.bottle.firm.is_lpg:
        walk.haul(walk.door if walk.door in walk.bottle.firm.depots else walk.bottle.firm.depots[0])
    walk.deliver()
