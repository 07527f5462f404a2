"""Lawful look-alikes: what resembles a fault but for one fact. The rule named must stay quiet."""

from collections.abc import Iterator
from random import Random

from cylinder_trace.simulator.journeys import Plant
from cylinder_trace.simulator.late_proofs import LATE_PROOFS
from cylinder_trace.simulator.lawful_custody import LAWFUL_CUSTODY
from cylinder_trace.simulator.lawful_filling import LAWFUL_FILLING
from cylinder_trace.simulator.lawful_tags import LAWFUL_TAGS
from cylinder_trace.simulator.lawful_terms import LAWFUL_TERMS
from cylinder_trace.simulator.plan import Label
from cylinder_trace.simulator.world import World

__all__ = ["LOOK_ALIKES", "lawful"]

LOOK_ALIKES: tuple[Plant, ...] = (
    *LAWFUL_FILLING,
    *LAWFUL_TERMS,
    *LAWFUL_CUSTODY,
    *LAWFUL_TAGS,
    *LATE_PROOFS,
)


def lawful(world: World) -> Iterator[Label]:
    """As many of each kind as there are faults of each kind, and the one licence that was renewed late."""
    for number in range(world.plan.faults_of_each_kind):
        for live in LOOK_ALIKES:
            yield from live(world, Random(f"{world.plan.seed}/{live.__name__}/{number}"), number)
    if world.renewed is not None:
        station, renewal = world.renewed
        note = "许可到期后停业，换证后恢复充装"
        yield Label("unlicensed_site", station.site_id, (renewal,), False, note)
