"""Lawful look-alikes whose proof comes late: what was done in time is uploaded after the rule has looked."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import months_later
from cylinder_trace.simulator.journeys import Plant, later, on_with_its_life, set_out, to_station
from cylinder_trace.simulator.plan import DAY_MS, Label
from cylinder_trace.simulator.world import World


def late_registration(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Registered before its first use; the entry is uploaded days after."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    walk.place = walk.station
    made_on = walk.today - timedelta(days=40)
    due = months_later(made_on, walk.bottle.interval_months)
    entered = enter(world, walk.bottle, walk.now_ms, later(walk, 48, 120), manufactured=made_on,
                    last_inspection=None, extension_until=None, valid_until=due)  # fmt: skip
    walk.wait(1, 3)
    fill = walk.filled()
    on_with_its_life(walk)
    yield Label("unregistered", walk.bottle.code, (entered, fill), False, "先登记后使用，登记信息晚传")


def late_check(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Checked before the fill with a handheld that was off line for a day."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    # At the gun the check opens the fill; a handheld's check is made beforehand, within opening hours.
    station = walk.at.site_id
    checked = walk.scan("fill_check", station, f"{station}-H2", f"{station}-K1", later(walk, 18, 40), result="pass",
                        medium=walk.bottle.medium)  # fmt: skip
    walk.wait(0.4, 1)
    fill = walk.fill()
    walk.post_check()
    on_with_its_life(walk)
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
        "post_check", station, f"{station}-H2", f"{station}-K1", later(walk, 26, 40), result="pass"
    )
    walk.wait(0.5, 1)
    on_with_its_life(walk)
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
    inspected = walk.inspect(received_ms=later(walk, 96, 130))
    walk.haul(station)
    walk.now_ms = max(walk.now_ms, walk.now_ms + int((ran_out - walk.today).days * DAY_MS))
    walk.wait(24, 30)
    fill = walk.filled()
    yield Label("fill_overdue", walk.bottle.code, (inspected, fill), False, "充装前已检验合格，检验记录晚传")
    yield Label("inspection_inconsistent", walk.bottle.code, (inspected,), False, "检验属实，事后录入")


def late_second_check(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Failed at the gun, put right, and passed with a handheld that was off line."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check("fail")
    walk.wait(0.3, 1)
    station = walk.at.site_id
    checked = walk.scan("fill_check", station, f"{station}-H2", f"{station}-K1", later(walk, 18, 40), result="pass",
                        medium=walk.bottle.medium)  # fmt: skip
    walk.wait(0.4, 1)
    fill = walk.fill()
    walk.post_check()
    on_with_its_life(walk)
    note = "复检合格后充装，复检记录晚传"
    yield Label("fill_after_failed_check", walk.bottle.code, (checked, fill), False, note)


def late_arrival(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Received at the depot, whose handheld is off line until nobody expects it any more."""
    walk = set_out(world, rng, world.firms[number % 2])
    walk.place = walk.station
    walk.filled()
    walk.wait(0.5, 2)
    sent = walk.ship(walk.door)
    arrived = walk.receive(walk.door, later(walk, 76, 90))
    yield Label("never_received", walk.bottle.code, (arrived, sent), False, "已按时接收，接收记录晚传")


def late_dispatch(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Shipped with a handheld that is off line; the receipt is known a day before."""
    walk = set_out(world, rng, world.firms[number % 2])
    walk.collect()
    sent = walk.ship(walk.station, later(walk, 20, 40))
    arrived = walk.receive(walk.station)
    walk.wait(0.5, 3)
    walk.filled()
    on_with_its_life(walk)
    yield Label("received_not_shipped", walk.bottle.code, (sent, arrived), False, "已发出，发出记录晚传")


def late_way_to_inspection(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Shipped to the agency and received there, both uploaded days after the inspection."""
    walk = set_out(world, rng, world.firms[number % 2])
    station = walk.place = walk.station
    agency = world.agencies[number % 2]
    sent = walk.ship(agency, later(walk, 70, 90))
    walk.receive(agency, later(walk, 60, 90))
    passed = walk.inspect()
    walk.haul(station)
    walk.wait(0.5, 3)
    walk.filled()
    note = "已送检，发出与接收记录晚传"
    yield Label("inspect_no_arrival", walk.bottle.code, (sent, passed), False, note)


LATE_PROOFS: tuple[Plant, ...] = (
    late_registration, late_check, late_post_check, late_inspection, late_second_check, late_arrival,
    late_dispatch, late_way_to_inspection,
)  # fmt: skip
