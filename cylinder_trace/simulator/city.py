"""A whole city from a plan."""

from random import Random

from cylinder_trace.simulator.bottles import enter, made
from cylinder_trace.simulator.cycles import begun, honest_life
from cylinder_trace.simulator.faults import lapsed_fills, planted
from cylinder_trace.simulator.founding import LPG_SHARE, built
from cylinder_trace.simulator.lawful_stations import cold_spell
from cylinder_trace.simulator.lookalikes import lawful
from cylinder_trace.simulator.papers import issue
from cylinder_trace.simulator.plan import Arrival, City, Label, Missed, Plan
from cylinder_trace.simulator.site_stories import FAULTS_OF_SITES, LAWFUL_SITES, told
from cylinder_trace.simulator.uploads import uploaded
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import World

__all__ = ["Arrival", "City", "Label", "Missed", "Plan", "simulate"]


def simulate(plan: Plan) -> City:
    """The city of a plan: the same plan gives the same city, to the last byte, on any machine."""
    world = built(plan)
    issue(world)
    _live_honestly(world)
    labels = [*planted(world), *lawful(world), *told(world, FAULTS_OF_SITES), *told(world, LAWFUL_SITES)]
    arrivals = uploaded(world.log, plan)
    if world.lapsed is not None:
        labels += lapsed_fills(world, arrivals.fills_of(world.lapsed[0].site_id))
    labels += cold_spell(world, arrivals)
    return City(plan, tuple(world.records), arrivals, tuple(labels), tuple(world.missed))


def _live_honestly(world: World) -> None:
    plan = world.plan
    lpg = max(1, round(plan.cylinders * LPG_SHARE))
    fillers = [firm for firm in world.firms if firm.is_lpg]
    others = [firm for firm in world.firms if not firm.is_lpg]
    for number in range(plan.cylinders):
        rng = Random(f"{plan.seed}/{number}")
        firms = fillers if number < lpg else others
        bottle = made(world, firms[number % len(firms)], rng)
        enter(world, bottle)
        walk = Walk(world, bottle, rng, plan.start_ms)
        begun(walk)
        honest_life(walk)
        world.log.pack()
