"""Lawful look-alikes whose proof comes late: what was done in time is uploaded after the rule has looked."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import months_later
from cylinder_trace.simulator.faults import Plant
from cylinder_trace.simulator.journeys import set_out, to_customer, to_station
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, Label
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import World


def _late(walk: Walk, least_h: float, most_h: float) -> int:
    """An upload so many hours after now, but before the city ends."""
    at_ms = walk.now_ms + int(walk.rng.uniform(least_h, most_h) * HOUR_MS)
    return min(at_ms, walk.world.plan.end_ms - HOUR_MS)


def late_registration(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Registered before its first use; the entry is uploaded days after."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    walk.place = walk.station
    made_on = walk.today - timedelta(days=40)
    due = months_later(made_on, walk.bottle.interval_months)
    entered = enter(world, walk.bottle, walk.now_ms, _late(walk, 48, 120), manufactured=made_on,
                    last_inspection=None, extension_until=None, valid_until=due)  # fmt: skip
    walk.wait(1, 3)
    fill = walk.filled()
    to_customer(walk)
    yield Label("unregistered", walk.bottle.code, (entered, fill), False, "先登记后使用，登记信息晚传")


def late_check(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Checked before the fill with a handheld that was off line for a day."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    # At the gun the check opens the fill; a handheld's check is made beforehand, within opening hours.
    station = walk.at.site_id
    checked = walk.scan("fill_check", station, f"{station}-H2", f"{station}-K1", _late(walk, 18, 40), result="pass",
                        medium=walk.bottle.medium)  # fmt: skip
    walk.wait(0.4, 1)
    fill = walk.fill()
    walk.post_check()
    to_customer(walk)
    yield Label("no_precheck", walk.bottle.code, (checked, fill), False, "手持机离线，充装前检查晚传")


def late_post_check(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Checked after the fill, before it left, with a handheld that was off line for a day."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    fill = walk.fill()
    walk.wait(0.2, 0.5)
    station = walk.at.site_id
    checked = walk.scan(
        "post_check", station, f"{station}-H2", f"{station}-K1", _late(walk, 26, 40), result="pass"
    )
    walk.wait(0.5, 1)
    to_customer(walk)
    yield Label("no_postcheck", walk.bottle.code, (checked, fill), False, "手持机离线，充装后检查晚传")


def late_inspection(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Inspected in time, filled with the new term; the agency uploads afterwards."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    ran_out = walk.today + timedelta(days=1)
    enter(world, walk.bottle, manufactured=months_later(ran_out, -walk.bottle.interval_months),
          last_inspection=None, extension_until=None, valid_until=ran_out)  # fmt: skip
    walk.bottle.life_ends = months_later(ran_out, walk.bottle.interval_months)
    station = walk.place = walk.station
    walk.haul(world.agencies[number % 2])
    inspected = walk.inspect(received_ms=_late(walk, 96, 130))
    walk.haul(station)
    walk.now_ms = max(walk.now_ms, walk.now_ms + int((ran_out - walk.today).days * DAY_MS))
    walk.wait(24, 30)
    fill = walk.filled()
    yield Label("fill_overdue", walk.bottle.code, (inspected, fill), False, "充装前已检验合格，检验记录晚传")


LATE_PROOFS: tuple[Plant, ...] = (late_registration, late_check, late_post_check, late_inspection)
