"""Planted faults of papers: a filler without a certificate, an owner whose licence ran out."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from uuid import UUID

from cylinder_trace.simulator.calendar import local_date
from cylinder_trace.simulator.journeys import Plant, on_with_its_life, set_out, to_customer, to_station
from cylinder_trace.simulator.papers import certify, guest_owner
from cylinder_trace.simulator.plan import DAY_MS, Label
from cylinder_trace.simulator.world import World


def uncertified_operator(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Filled by a filler whose certificate ran out, or by somebody the staff register does not know."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    short = f"F7{number:02}"
    if number % 2 == 0:
        ran_out = walk.today - timedelta(days=rng.randint(2, 40))
        certify(world, walk.at, short, ran_out)
        note = f"{walk.at.site_id}-{short} 的作业人员证有效期至 {ran_out}"
    else:
        note = f"{walk.at.site_id}-{short} 不在册"
    walk.check()
    fill = walk.fill(person=short)
    walk.post_check()
    on_with_its_life(walk)
    yield Label("uncertified_operator", walk.bottle.code, (fill,), True, note)


def owner_gone(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A small owner whose licence ran out; two of its cylinders go on as if nothing had happened."""
    ran_out = local_date(world.plan.start_ms) - timedelta(days=rng.randint(2, 9))
    firm = guest_owner(world, f"7{number:02}", ran_out)
    seen: list[UUID] = []
    for _ in range(2):
        walk = set_out(world, rng, firm)
        seen += [*to_station(walk), walk.filled(), *to_customer(walk)]
        walk.wait(10, 20)
        if walk.now_ms < world.plan.end_ms - 2 * DAY_MS:
            seen.append(walk.collect())
    note = f"产权单位 {firm.owner_id} 的许可有效期至 {ran_out}，其气瓶仍在流转"
    yield Label("owner_gone", firm.owner_id, tuple(seen), True, note)


PAPERS: tuple[Plant, ...] = (uncertified_operator, owner_gone)
