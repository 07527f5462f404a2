"""Planted faults of terms: filled or kept beyond them, standing too long, inspected as nobody inspects."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import at_hour, months_later
from cylinder_trace.simulator.journeys import (
    Plant,
    dormant,
    lately,
    left_standing,
    on_with_its_life,
    set_out,
    to_customer,
    to_depot,
    to_station,
)
from cylinder_trace.simulator.plan import HOUR_MS, Label
from cylinder_trace.simulator.uploads import Act
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import Segment, World

SEGMENTS: tuple[Segment, ...] = ("household", "restaurant", "industrial")


def fill_overdue(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A bottle whose term ran out days before is filled all the same."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    ran_out = walk.today - timedelta(days=rng.randint(3, 20))
    made_on = months_later(ran_out, -walk.bottle.interval_months)
    enter(
        world,
        walk.bottle,
        manufactured=made_on,
        last_inspection=None,
        extension_until=None,
        valid_until=ran_out,
    )
    to_station(walk)
    fill = walk.filled()
    to_depot(walk)
    yield Label("fill_overdue", walk.bottle.code, (fill,), True, f"检验有效期至 {ran_out}，仍充装")


def fill_over_life(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A bottle past its eight years, whose agency gave it a full term without looking at the year of make."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    made_on = months_later(walk.today, -8 * 12 - rng.randint(1, 6))
    inspected = months_later(walk.today, -rng.randint(8, 30))
    enter(world, walk.bottle, manufactured=made_on, last_inspection=inspected, extension_until=None,
          valid_until=months_later(inspected, walk.bottle.interval_months))  # fmt: skip
    to_station(walk)
    fill = walk.filled()
    to_depot(walk)
    yield Label("fill_over_life", walk.bottle.code, (fill,), True, f"{made_on} 制造，已过设计使用年限")


def overdue_at_user(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Delivered two days before its term runs out, and left with the customer, not yet for longer than usual."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    walk.now_ms = lately(world, walk.now_ms)
    walk.place = walk.door
    handed = walk.deliver()
    ran_out = walk.today + timedelta(days=rng.randint(1, 2))
    enter(world, walk.bottle, manufactured=months_later(ran_out, -walk.bottle.interval_months),
          last_inspection=None, extension_until=None, valid_until=ran_out)  # fmt: skip
    yield Label("overdue_at_user", walk.bottle.code, (handed,), True, f"检验有效期至 {ran_out}，仍在用户处")


def long_dwell(world: World, rng: Random, number: int) -> Iterator[Label]:
    """With a household, a restaurant or a workshop beyond what such customers take; delivered before the window if need be."""
    segment = SEGMENTS[number % 3]
    limit = dwell_limit_days(world, segment)
    walk, handed = left_standing(world, rng, number // 3, segment, limit + rng.uniform(4, 20))
    yield Label("long_dwell", walk.bottle.code, (handed,), True, f"在用户处超过 {limit:.0f} 天未回收")


def dwell_limit_days(world: World, segment: Segment) -> float:
    """How long a cylinder may stand with such a customer."""
    return world.law.number(f"long_dwell.{segment}_days", world.plan.end.date())


def dormant_reactivated(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Idle at the depot for over a year, then filled as if it had been seen yesterday."""
    walk = dormant(world, rng, number)
    moved = walk.haul(walk.station)
    walk.wait(0.5, 3)
    fill = walk.filled()
    handed = to_customer(walk)
    on_with_its_life(walk)
    note = "停用一年以上，未检验、未办理启用即充装"
    yield Label("dormant_reactivated", walk.bottle.code, (*moved, fill, *handed), True, note)


def inspect_no_arrival(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A passed inspection is entered by the agency while the cylinder never left the station."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    station = walk.at
    walk.place = world.agencies[number % 2]
    passed = walk.inspect()
    walk.place = station
    walk.wait(4, 8)
    walk.filled()
    on_with_its_life(walk)
    yield Label("inspect_no_arrival", walk.bottle.code, (passed,), True, "气瓶未到检验机构，却有检验合格记录")


def inspection_inconsistent(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A term longer than the law's; a pass after the scrap; one by a filling station, by nobody known, or dated ahead."""
    enters = (_term_too_long, _after_scrap, _by_a_station, _dated_ahead, _by_nobody)[number % 5]
    yield from enters(world, rng, number // 5)


def _at_agency(world: World, rng: Random, number: int) -> Walk:
    walk = set_out(world, rng, world.firms[number % 2])
    walk.place = walk.station
    walk.haul(world.agencies[number % 2])
    return walk


def _term_too_long(world: World, rng: Random, number: int) -> Iterator[Label]:
    walk = _at_agency(world, rng, number)
    passed = walk.inspect(months_too_long=rng.choice((12, 24)))
    walk.haul(walk.station)
    walk.wait(0.5, 3)
    walk.filled()
    note = f"检验有效期至 {walk.bottle.valid_until}，超过检验周期"
    on_with_its_life(walk)
    yield Label("inspection_inconsistent", walk.bottle.code, (passed,), True, note)


def _after_scrap(world: World, rng: Random, number: int) -> Iterator[Label]:
    walk = _at_agency(world, rng, number)
    walk.inspect(scrap=True)
    scrapped_ms = walk.now_ms + HOUR_MS
    world.act(scrapped_ms, "scrap", cylinder_code=walk.bottle.code, method="压扁")
    walk.wait(20, 40)
    passed = walk.inspect()
    yield Label("inspection_inconsistent", walk.bottle.code, (passed,), True, "报废后又检验合格")


def _by_a_station(world: World, rng: Random, number: int) -> Iterator[Label]:
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    passed = walk.inspect()
    walk.wait(1, 3)
    walk.filled()
    on_with_its_life(walk)
    yield Label("inspection_inconsistent", walk.bottle.code, (passed,), True, "充装站设备录入的检验合格记录")


def _by_nobody(world: World, rng: Random, number: int) -> Iterator[Label]:
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    ran_out = walk.today - timedelta(days=rng.randint(3, 20))
    enter(world, walk.bottle, manufactured=months_later(ran_out, -walk.bottle.interval_months),
          last_inspection=None, extension_until=None, valid_until=ran_out)  # fmt: skip
    to_station(walk)
    walk.wait(0.2, 0.5)
    until = walk.bottle.inspected(walk.today)
    passed = walk.scan("inspect", "WX01", "WX01-L1", "WX01-I1", result="pass", valid_until=until)
    walk.wait(1, 3)
    fill = walk.filled()
    to_depot(walk)
    code = walk.bottle.code
    yield Label("inspection_inconsistent", code, (passed,), True, "名录中没有的场所录入的检验合格记录")
    yield Label("fill_overdue", code, (fill,), True, f"检验有效期至 {ran_out}，其后的检验不算")


def _dated_ahead(world: World, rng: Random, number: int) -> Iterator[Label]:
    walk = _at_agency(world, rng, number)
    received_ms = walk.now_ms + 3 * HOUR_MS
    ahead_ms = at_hour(walk.now_ms, rng.uniform(9, 17), days=2)
    agency = walk.at.site_id
    fields = {
        "cylinder_code": walk.bottle.code, "site_id": agency, "operator_id": f"{agency}-I2",
        "device_id": f"{agency}-X{walk.bottle.code[-6:]}", "device_seq": 1, "result": "pass",
    }  # fmt: skip
    walk.now_ms = ahead_ms
    fields |= {"valid_until": walk.bottle.inspected(walk.today), "agency_licence_no": f"TS7331-{agency}"}
    passed = world.log.add(Act(ahead_ms, "inspect", world.log.new_id(ahead_ms), None, fields, received_ms))
    walk.wait(1, 3)
    walk.haul(walk.station)
    yield Label("inspection_inconsistent", walk.bottle.code, (passed,), True, "检验日期晚于录入之日")


TERMS: tuple[Plant, ...] = (
    fill_overdue, fill_over_life, overdue_at_user, long_dwell, dormant_reactivated, inspect_no_arrival,
    inspection_inconsistent,
)  # fmt: skip
