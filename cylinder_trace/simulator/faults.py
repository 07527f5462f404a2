"""Planted faults, one function a kind. Each takes a cylinder of its own, on which everything else is lawful."""

from collections.abc import Iterator
from random import Random

from cylinder_trace.simulator.faults_of_custody import CUSTODY
from cylinder_trace.simulator.faults_of_filling import FILLING, lapsed_fills
from cylinder_trace.simulator.faults_of_papers import PAPERS
from cylinder_trace.simulator.faults_of_tags import TAGS
from cylinder_trace.simulator.faults_of_terms import TERMS
from cylinder_trace.simulator.journeys import Plant
from cylinder_trace.simulator.plan import Label
from cylinder_trace.simulator.world import World

__all__ = ["FAULTS", "lapsed_fills", "planted"]

FAULTS: tuple[Plant, ...] = (*TERMS, *FILLING, *CUSTODY, *TAGS, *PAPERS)
"""Each is named as the rule that must find it."""


def planted(world: World) -> Iterator[Label]:
    """Plant every kind as often as the plan asks, and say where."""
    for number in range(world.plan.faults_of_each_kind):
        for plant in FAULTS:
            rng = Random(f"{world.plan.seed}/{plant.__name__}/{number}")
            yield from plant(world, rng, number)
