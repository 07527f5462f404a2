"""Lawful lives that look like faults of terms: extended, resumed, found again, standing by, idle and then inspected."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from uuid import UUID

from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import months_later
from cylinder_trace.simulator.faults_of_terms import SEGMENTS, dwell_limit_days
from cylinder_trace.simulator.journeys import (
    Plant,
    dormant,
    left_standing,
    on_with_its_life,
    set_out,
    to_station,
)
from cylinder_trace.simulator.plan import HOUR_MS, Label
from cylinder_trace.simulator.world import World


def resumed(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Taken out of use as a reserve, put back into use, then filled."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    stopped = world.act(walk.now_ms, "stop", cylinder_code=walk.bottle.code, reason="备用")
    walk.wait(6, 12)
    back = world.act(walk.now_ms, "resume", cylinder_code=walk.bottle.code, reason="恢复使用")
    walk.wait(1, 3)
    fill = walk.filled()
    on_with_its_life(walk)
    yield Label("zombie", walk.bottle.code, (stopped, back, fill), False, "备用停用，启用后再充装")


def extended(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Past its eight years, assessed and extended before it is filled."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    made_on = months_later(walk.today, -8 * 12 - rng.randint(1, 6))
    inspected = months_later(walk.today, -rng.randint(1, 6))
    due = months_later(inspected, walk.bottle.interval_months)
    enter(world, walk.bottle, manufactured=made_on, last_inspection=inspected, extension_until=None,
          valid_until=due)  # fmt: skip
    to_station(walk)
    until = months_later(made_on, 12 * 12)
    paper = world.act(walk.now_ms, "update", cylinder_code=walk.bottle.code, cylinder={"extension_until": until},
                      document_no=f"YQ{rng.randrange(10**6):06}")  # fmt: skip
    walk.wait(1, 3)
    fill = walk.filled()
    on_with_its_life(walk)
    yield Label(
        "fill_over_life", walk.bottle.code, (paper, fill), False, f"安全评估合格，使用年限延至 {until}"
    )


def found_again(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Reported lost by its customer, found in the cellar, then collected and filled."""
    walk = set_out(world, rng, world.firms[number % 2])
    code = walk.bottle.code
    lost = world.act(walk.now_ms, "lost", cylinder_code=code, reason="用户报失")
    walk.wait(6, 20)
    found = world.act(walk.now_ms, "found", cylinder_code=code, reason="用户找回")
    walk.wait(1, 3)
    brought = to_station(walk)
    fill = walk.filled()
    on_with_its_life(walk)
    yield Label("zombie", code, (lost, found, *brought, fill), False, "报失后找回，再回收充装")


def collected_in_time(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Delivered days before its term runs out, and collected before it does."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    walk.place = walk.door
    handed = walk.deliver()
    ran_out = walk.today + timedelta(days=3)
    enter(world, walk.bottle, manufactured=months_later(ran_out, -walk.bottle.interval_months),
          last_inspection=None, extension_until=None, valid_until=ran_out)  # fmt: skip
    walk.wait(10, 24)
    back = walk.collect()
    yield Label(
        "overdue_at_user", walk.bottle.code, (handed, back), False, f"有效期至 {ran_out}，到期前已回收"
    )


def standing_by(world: World, rng: Random, number: int) -> Iterator[Label]:
    """With its customer for longer than usual, as a reserve: the reason was entered when it was delivered."""
    segment = SEGMENTS[number % 3]
    days = dwell_limit_days(world, segment) + rng.uniform(4, 20)
    walk, handed = left_standing(world, rng, number // 3, segment, days, standby_reason="备用瓶")
    yield Label("long_dwell", walk.bottle.code, (handed,), False, "备用瓶，配送时已登记原因")


def seasonal(world: World, rng: Random, number: int) -> Iterator[Label]:
    """With a customer who uses little, for nearly as long as such customers may take."""
    segment = SEGMENTS[number % 3]
    days = dwell_limit_days(world, segment) - rng.uniform(6, 15)
    walk, handed = left_standing(world, rng, number // 3, segment, days)
    yield Label("long_dwell", walk.bottle.code, (handed,), False, "季节性用户，未超过期限")


def dormant_and_made_ready(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Idle for over a year, and inspected before it is filled; every other one was stopped and is resumed."""
    walk = dormant(world, rng, number)
    code = walk.bottle.code
    if number % 2 == 0:
        there = walk.haul(world.agencies[number // 2 % 2])
        ready: tuple[UUID, ...] = (*there, walk.inspect(), *walk.haul(walk.station))
        note = "停用一年以上，先检验后充装"
    else:
        walk.wait(1, 4)
        resumed_at = world.act(walk.now_ms, "resume", cylinder_code=code, reason="恢复使用")
        walk.now_ms += HOUR_MS
        ready = (resumed_at, *walk.haul(walk.station))
        note = "停用一年以上，先办理启用后充装"
    walk.wait(0.5, 3)
    fill = walk.filled()
    on_with_its_life(walk)
    yield Label("dormant_reactivated", code, (*ready, fill), False, note)


LAWFUL_TERMS: tuple[Plant, ...] = (
    resumed, extended, found_again, collected_in_time, standing_by, seasonal, dormant_and_made_ready,
)  # fmt: skip
