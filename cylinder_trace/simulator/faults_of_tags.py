"""Planted faults of codes: not in the register, beyond the owner's numbers, on two bottles, on too many labels."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from cylinder_trace.simulator.bottles import enter, made
from cylinder_trace.simulator.journeys import Plant, on_with_its_life, set_out, to_station
from cylinder_trace.simulator.places import kilometres
from cylinder_trace.simulator.plan import DAY_MS, MINUTE_MS, Label
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import Firm, Place, World, code_of

_TWO_LIVES_DAYS = 21
"""Two lives told apart by their places need some weeks; in a shorter window a clone shows by its speed only."""

_LONGEST_STEP_DAYS = 1.6
_KM_H, _TOLERANCE_MIN = 120, 15
"""As in the law tables: faster than this, clocks allowed for, nothing is driven."""


def unregistered(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A code that was never entered goes through a whole cycle."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm, code=code_of(firm, 900_001 + number), entered=False)
    seen = [walk.collect(), *walk.haul(walk.station)]
    walk.wait(0.5, 3)
    seen += [walk.check(), walk.fill(), walk.post_check()]
    yield Label("unregistered", walk.bottle.code, tuple(seen), True, "瓶码从未办理使用登记")


def tag_out_of_block(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A new label whose number was never issued to the owner; every other one is stuck on beside the old."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm)
    to_station(walk)
    old, new = walk.bottle.code, code_of(firm, 950_001 + number)
    if number % 2 == 0:
        bound = walk.relabel("标签破损", new)
    else:
        bound = world.act(walk.now_ms, "tag_bind", cylinder_code=old, new_code=new, reason="加贴标签")
    walk.wait(1, 3)
    walk.filled()
    on_with_its_life(walk)
    yield Label("tag_out_of_block", old, (bound,), True, f"新码 {new} 不在发给产权单位的号段内")


def retag_repeat(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Three new labels within days."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    old, replaced = walk.bottle.code, []
    for _ in range(3):
        walk.wait(5, 16)
        replaced.append(walk.relabel("标签破损"))
    walk.wait(1, 3)
    walk.filled()
    on_with_its_life(walk)
    yield Label("retag_repeat", old, tuple(replaced), True, "数日内三次换标")


def tag_conflict(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The code of one registered cylinder bound to another that is registered, too."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm)
    # Of the same model and term, so that nothing but the code is wrong.
    other = made(world, firm, rng)
    while other.model != walk.bottle.model:
        other = made(world, firm, rng, code=other.code)
    entry = walk.bottle.entry
    entered = enter(world, other, valid_until=entry["valid_until"], last_inspection=entry["last_inspection"])
    to_station(walk)
    old = walk.bottle.code
    if number % 2 == 0:
        bound = world.act(walk.now_ms, "tag_bind", cylinder_code=old, new_code=other.code, reason="加贴标签")
    else:
        bound = walk.relabel("标签破损", other.code)
    walk.wait(1, 3)
    walk.filled()
    on_with_its_life(walk)
    yield Label("tag_conflict", old, (bound, entered), True, f"{other.code} 已是另一只在册气瓶的瓶码")


def clone(world: World, rng: Random, number: int) -> Iterator[Label]:
    """One code on two bottles, each living its own life at places of its own; every third shows by its speed.

    What else looks wrong in the mingled story - filled while at a customer, returned by another - follows from this.
    """
    if number % 3 != 2 and world.plan.days >= _TWO_LIVES_DAYS:
        yield _two_lives(world, rng, world.firms[number % 2])
    else:
        yield from _in_two_places(world, rng)


def _two_lives(world: World, rng: Random, firm: Firm) -> Label:
    plan = world.plan
    one = set_out(world, rng, firm)
    other = Walk(world, one.bottle, rng, plan.start_ms, faithful=True)
    begin_ms = plan.start_ms + int(rng.uniform(0, plan.days - _TWO_LIVES_DAYS) * DAY_MS)
    until_ms = min(begin_ms + 45 * DAY_MS, plan.end_ms) - int(_LONGEST_STEP_DAYS * DAY_MS)
    seen: list[UUID] = []
    for walk, depot, station in zip((one, other), firm.depots, firm.stations, strict=False):
        walk.door, walk.station, walk.now_ms = depot, station, begin_ms + int(rng.uniform(0, 2) * DAY_MS)
        walk.customer = walk.some_customer()
        seen += _circulated(walk, until_ms)
    return Label("clone", one.bottle.code, tuple(seen), True, "同一瓶码在两地交替流转")


def _circulated(walk: Walk, until_ms: int) -> Iterator[UUID]:
    """Round and round with short stays, until there is no time for another step."""
    while walk.now_ms < until_ms:
        if walk.place is None:
            yield walk.collect()
            walk.wait(1, 10)
        elif walk.full and walk.place is walk.door:
            yield walk.deliver()
            walk.wait(24, 72)
        elif walk.full:
            yield from walk.haul(walk.door)
            walk.wait(1, 10)
        elif walk.place is walk.door:
            yield from walk.haul(walk.station)
            walk.wait(0.5, 10)
        else:
            yield from (walk.check(), walk.fill(), walk.post_check())
            walk.wait(1, 10)


def _in_two_places(world: World, rng: Random) -> Iterator[Label]:
    """Counted at a depot, and counted at an agency across the city minutes after; none if nothing is far enough."""
    firm = world.firms[1]

    def apart_km(ends: tuple[Place, Place]) -> float:
        return kilometres(ends[0].where, ends[1].where)

    depot, agency = max(((d, a) for d in firm.depots for a in world.agencies), key=apart_km)
    clocks_min = 2 * world.plan.clock_drift_s / 60
    most_min = apart_km((depot, agency)) / _KM_H * 60 * 0.97 - _TOLERANCE_MIN - clocks_min
    if most_min < 1:
        return
    walk = set_out(world, rng, firm)
    walk.door = depot
    walk.customer = walk.some_customer()
    to_station(walk)
    walk.filled()
    walk.wait(0.5, 2)
    walk.haul(depot)
    walk.wait(0.3, 1)
    here = walk.count()
    twin = Walk(world, walk.bottle, rng, walk.now_ms, faithful=True)
    twin.place = agency
    twin.now_ms += int(rng.uniform(0.5, min(most_min, 5)) * MINUTE_MS)
    there = twin.count()
    on_with_its_life(walk)
    note = f"几分钟内出现在相距 {apart_km((depot, agency)):.0f} 公里的两地"
    yield Label("clone", walk.bottle.code, (here, there), True, note)


TAGS: tuple[Plant, ...] = (unregistered, tag_out_of_block, retag_repeat, tag_conflict, clone)
