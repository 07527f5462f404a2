"""Where stories of whole sites are planted: a firm's branch with a crew of its own, and cylinders parked at a place.

A branch is a station and a depot that no other cylinder of its firm ever meets, so that what is planted there is
all there is to find.
"""

from collections.abc import Callable
from random import Random

from cylinder_trace.contract.master import OwnerRecord
from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import at_hour, local_date, months_later
from cylinder_trace.simulator.founding import customer, depot, station
from cylinder_trace.simulator.journeys import set_out
from cylinder_trace.simulator.places import NORTH
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, MINUTE_MS
from cylinder_trace.simulator.uploads import Act
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import Firm, Place, World, code_of

_SERIALS_FROM, _SERIALS_EACH = 400_000, 2_000
_AWAY = int(3.5 * DAY_MS)
"""How long before a closure nothing sets out for the station any more: a visit lasts no longer."""


class Booked(Place):
    """A place where the moments are set: guns and the agency's line are taken as `booked` says."""

    booked: list[tuple[str, int]]

    @classmethod
    def at(cls, place: Place, booked: list[tuple[str, int]]) -> "Booked":
        """The place, with the gun and the moment of every visit to come."""
        own = cls(place.record, place.guns, place.couriers, place.by_hand)
        own.booked = booked
        return own

    def slot(self, after_ms: int) -> tuple[str, int]:  # noqa: ARG002
        """The next that is booked."""
        return self.booked.pop(0)

    def line(self, after_ms: int) -> int:  # noqa: ARG002
        """The next that is booked."""
        return self.booked.pop(0)[1]


def lpg_firm(world: World, number: int) -> Firm:
    """One of the LPG firms, in turn."""
    firms = [firm for firm in world.firms if firm.is_lpg]
    return firms[number % len(firms)]


def some_day(world: World, rng: Random, hour: float, first: float = 2.0, last: float = 3.0) -> int:
    """That hour of a day in the window, so many days from its start and its end at least."""
    plan = world.plan
    return at_hour(plan.start_ms + int(rng.uniform(first, plan.days - last) * DAY_MS), hour)


def branch(world: World, rng: Random, firm: Firm, opens: str = "06:00", closes: str = "21:30",
           customers: int = 40) -> Firm:  # fmt: skip
    """A station and a depot of a firm for a crew of their own, with restaurants for customers."""
    world.branches += 1
    number = 100 + world.branches
    own = Firm(firm.record, firm.media, firm.unit, serial=_SERIALS_FROM + _SERIALS_EACH * world.branches)
    district = rng.choice(firm.record.districts[:4])
    place = station(world, own, f"ST{number}", district, 0, rng, opens, closes)
    granted = world.plan.start_ms - 320 * DAY_MS
    world.act(granted, "licence", licensed_site_id=place.site_id, licence_no=f"TS4231{firm.unit}-{number}",
              media=firm.media, valid_until=months_later(local_date(granted), 48))  # fmt: skip
    own.stations.append(place)
    door = depot(world, own, f"DP{number}", district, 0, rng)
    restaurants = [customer(world, own, district, "restaurant", rng) for _ in range(customers)]
    # Whatever its size, a crew's cylinder goes to a restaurant: they keep none for long.
    door.customers = {"household": restaurants, "restaurant": restaurants, "industrial": restaurants}
    own.depots.append(door)
    return own


def own_firm(world: World) -> Firm:
    """A small LPG firm that has no agreement with any other; it needs a branch to do anything."""
    world.branches += 1
    number = world.branches
    record = OwnerRecord(owner_id=f"OW{100 + number}", name=f"外环安顺{number}燃气有限公司", districts=NORTH)
    firm = Firm(record, ("lpg",), f"{200 + number:04}")
    world.records.append(record)
    world.act(world.plan.start_ms - 320 * DAY_MS, "tag_block", owner_id=firm.owner_id,
              code_from=code_of(firm, 1), code_to=code_of(firm, 899_999))  # fmt: skip
    return firm


def parked(world: World, rng: Random, firm: Firm, place: Place, at_ms: int, full: bool = True,
           model: str | None = None) -> Walk:  # fmt: skip
    """A cylinder of a firm that stands at a place, not seen in the window before."""
    walk = set_out(world, rng, firm, entered=False)
    while model is not None and walk.bottle.model != model:
        walk = set_out(world, rng, firm, entered=False)
    enter(world, walk.bottle)
    walk.place, walk.now_ms, walk.full = place, at_ms, full
    if place in firm.depots:
        walk.door = place
    world.parked.append(walk)
    return walk


def all_collected(world: World) -> None:
    """The story is over: whatever it left with a customer is collected when it is empty, and stands at its depot.

    The depot is one that other cylinders meet, too, and none of the story's own.
    """
    for walk in world.parked:
        if walk.place is None and not walk.kept and walk.now_ms < world.plan.end_ms:
            doors = walk.bottle.firm.doors
            walk.stay()
            walk.collect(walk.door if walk.door in doors else doors[0])
    world.parked.clear()


def crew(world: World, rng: Random, own: Firm, size: int, model: str | None = None,
         closed: tuple[int, int] | None = None, amend: Callable[[Act, Walk], None] | None = None) -> list[Act]:  # fmt: skip
    """So many cylinders that go round a branch lawfully until the city's end; all their acts.

    While `closed` nothing happens at the station. `amend` may change the fills.
    """
    first = len(world.log.acts)
    for _ in range(size):
        walk = parked(world, rng, own, own.depots[0], world.plan.start_ms, model=model)
        walk.door, walk.place = own.depots[0], None
        walk.customer = walk.some_customer()
        walk.stay()
        walk.now_ms = world.plan.start_ms + int((walk.now_ms - world.plan.start_ms) * rng.random())
        while walk.now_ms < world.plan.end_ms:
            _round(walk, own, closed, amend)
    return world.log.acts[first:]


def scans_at(world: World, acts: list[Act], site: str) -> list[Act]:
    """Those of the acts that are scans at a site and arrive for certain, in the order they happened."""
    last_ms = world.plan.end_ms - 30 * MINUTE_MS
    return sorted(
        (act for act in acts if act.fields.get("site_id") == site and act.at_ms < last_ms),
        key=lambda act: act.order,
    )


def days_of(
    world: World, rng: Random, count: int, days: float, first: float = 2.0, last: float = 3.0
) -> list[int]:
    """Moments in the daytime, spread over so many days somewhere in the window, sorted."""
    since = some_day(world, rng, 8, first, days + last)
    spread = [int(rng.uniform(0, days)) for _ in range(count)]
    return sorted(since + day * DAY_MS + int(rng.uniform(0, 6) * HOUR_MS) for day in spread)


def _round(walk: Walk, own: Firm, closed: tuple[int, int] | None,
           amend: Callable[[Act, Walk], None] | None) -> None:  # fmt: skip
    walk.collect()
    walk.wait(1, 20)
    if closed is not None and closed[0] - _AWAY <= walk.now_ms < closed[1]:
        walk.now_ms = closed[1] + int(walk.rng.uniform(0, 2) * HOUR_MS)
    walk.haul(own.stations[0])
    walk.wait(0.5, 10)
    walk.check()
    walk.fill()
    if amend is not None:
        amend(walk.world.log.last, walk)
    walk.post_check()
    walk.wait(1, 16)
    walk.haul(own.depots[0])
    walk.wait(1, 16)
    walk.deliver()
    walk.stay()
