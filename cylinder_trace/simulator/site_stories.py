"""Stories of sites, people and networks: which there are, and the city each of them needs.

Some take a few cylinders, and come as often as the plan asks. Others take a branch of their own, and a small city
has one of each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from cylinder_trace.simulator.branches import all_collected
from cylinder_trace.simulator.faults_of_clocks import backdated_scan, backdated_upload, clock_fault
from cylinder_trace.simulator.faults_of_people import (
    courier_bulk_scan,
    inspection_mill,
    no_failures,
    operator_two_places,
)
from cylinder_trace.simulator.faults_of_sites import (
    customer_who_ships,
    depot_for_others,
    hoarding,
    overstock,
    sink_source,
    site_imbalance,
    unknown_site,
)
from cylinder_trace.simulator.faults_of_stations import (
    fill_to_delivery,
    fill_too_fast,
    ghost_fills,
    identical_weights,
    manual_codes,
    night_fill,
    scan_gap,
    short_weight,
    silent_station,
    station_burst,
)
from cylinder_trace.simulator.journeys import Plant
from cylinder_trace.simulator.lawful_sites import (
    clock_set_once,
    festival,
    lone_late_scan,
    long_outage,
    more_storage,
    new_depot,
    relief_operator,
    returns_missed,
    typed_at_day_end,
)
from cylinder_trace.simulator.lawful_stations import all_night, holiday, manifold
from cylinder_trace.simulator.plan import Label
from cylinder_trace.simulator.world import World

_CYLINDERS_A_LARGE_STORY = 5000
_FAILURES_FROM, _FAILURES_EACH = 15_000, 40_000
"""So large a city has failures enough to tell; each agency without any takes more of them elsewhere to stand out."""


@dataclass(frozen=True, slots=True)
class Story:
    """A plant, the shortest window it fits in, and the smallest city; a large one is told once, and again for so many more."""

    plant: Plant
    least_days: int
    least_cylinders: int = 1
    large: bool = False
    one_in: int = _CYLINDERS_A_LARGE_STORY


FAULTS_OF_SITES: tuple[Story, ...] = (
    Story(night_fill, 8), Story(fill_too_fast, 8), Story(scan_gap, 8), Story(ghost_fills, 8),
    Story(identical_weights, 30, 400, large=True), Story(short_weight, 40, 2000, large=True),
    Story(silent_station, 30, 400, large=True), Story(manual_codes, 20, 400, large=True),
    Story(fill_to_delivery, 30, 400, large=True), Story(station_burst, 30, 400, large=True),
    Story(operator_two_places, 8), Story(courier_bulk_scan, 8), Story(inspection_mill, 10),
    Story(no_failures, 40, _FAILURES_FROM, large=True, one_in=_FAILURES_EACH), Story(backdated_upload, 12), Story(clock_fault, 8),
    Story(backdated_scan, 12),
    Story(site_imbalance, 20), Story(customer_who_ships, 16), Story(depot_for_others, 16), Story(unknown_site, 16),
    Story(overstock, 10), Story(sink_source, 30, large=True), Story(hoarding, 40, large=True),
)  # fmt: skip
"""What the rules over sites, people and the network must find."""

LAWFUL_SITES: tuple[Story, ...] = (
    Story(manifold, 8), Story(all_night, 40, 2000, large=True), Story(holiday, 30, 400, large=True),
    Story(long_outage, 12), Story(lone_late_scan, 12), Story(clock_set_once, 8), Story(relief_operator, 8), Story(festival, 8),
    Story(typed_at_day_end, 10), Story(more_storage, 10), Story(returns_missed, 16), Story(new_depot, 22),
)  # fmt: skip
"""What they must stay quiet about."""


def told(world: World, stories: tuple[Story, ...]) -> Iterator[Label]:
    """Plant every story that fits the plan, as often as it asks, and say where."""
    plan = world.plan
    for number in range(plan.faults_of_each_kind):
        for story in stories:
            fits = plan.days >= story.least_days and plan.cylinders >= story.least_cylinders
            seldom = story.large and number > plan.cylinders // story.one_in
            if fits and not seldom:
                rng = Random(f"{plan.seed}/{story.plant.__name__}/{number}")
                yield from story.plant(world, rng, number)
                all_collected(world)
                world.log.pack()
