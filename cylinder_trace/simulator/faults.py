"""Planted faults, one function a kind. Each takes a cylinder of its own, on which everything else is lawful."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import months_later
from cylinder_trace.simulator.journeys import set_out, to_customer, to_station
from cylinder_trace.simulator.plan import DAY_MS, Arrival, Label
from cylinder_trace.simulator.world import World, code_of

_BEYOND_SCOPE = ("co2", "he", "h2", "air")
"""Gases that the industrial station's licence does not name."""


def planted(world: World) -> Iterator[Label]:
    """Plant every kind as often as the plan asks, and say where."""
    for number in range(world.plan.faults_of_each_kind):
        for plant in FAULTS:
            rng = Random(f"{world.plan.seed}/{plant.__name__}/{number}")
            yield from plant(world, rng, number)


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
    to_customer(walk)
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
    to_customer(walk)
    yield Label("fill_over_life", walk.bottle.code, (fill,), True, f"{made_on} 制造，已过设计使用年限")


def zombie(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Scrapped at the agency, and yet back from a customer and filled."""
    walk = set_out(world, rng, world.firms[number % 2])
    walk.place = walk.station
    walk.haul(world.agencies[number % 2])
    walk.inspect(scrap=True)
    walk.wait(0.2, 0.5)
    world.act(walk.now_ms, "scrap", cylinder_code=walk.bottle.code, method="压扁")
    walk.place = None
    seen = [walk.collect(), *walk.haul(walk.station)]
    walk.wait(0.5, 3)
    seen += [walk.check(), walk.fill(), walk.post_check()]
    yield Label("zombie", walk.bottle.code, tuple(seen), True, "检验报废后再次流通并充装")


def unregistered(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A code that was never entered goes through a whole cycle."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm, code=code_of(firm, 900_001 + number), entered=False)
    seen = [walk.collect(), *walk.haul(walk.station)]
    walk.wait(0.5, 3)
    seen += [walk.check(), walk.fill(), walk.post_check()]
    yield Label("unregistered", walk.bottle.code, tuple(seen), True, "瓶码从未办理使用登记")


def foreign_fill(world: World, rng: Random, _number: int) -> Iterator[Label]:
    """A bottle of the southern firm filled by the northern one, which has no agreement with it."""
    north, south = world.firms[:2]
    walk = set_out(world, rng, south)
    to_station(walk, north.stations[0])
    fill = walk.filled()
    to_customer(walk)
    yield Label("foreign_fill", walk.bottle.code, (fill,), True, "非自有瓶充装，无委托协议")


def unlicensed_site(world: World, rng: Random, number: int) -> Iterator[Label]:
    """First a fill after the licence ran out; then fills of gases the industrial licence does not name.

    Whatever else is filled at the lapsed station counts too: its label is completed by `lapsed_fills`.
    """
    if number == 0 and world.lapsed is not None:
        station, since_ms = world.lapsed
        walk = set_out(world, rng, world.firms[0])
        walk.place, walk.now_ms = station, since_ms
        walk.wait(7, 12)
        walk.filled()
        return
    firm = world.firms[2]
    gas = _BEYOND_SCOPE[(number - 1) % len(_BEYOND_SCOPE)]
    walk = set_out(world, rng, firm, medium=gas)
    to_station(walk)
    fill = walk.filled()
    to_customer(walk)
    yield Label("unlicensed_site", firm.stations[0].site_id, (fill,), True, f"许可范围不含 {gas}")


def lapsed_fills(world: World, arrivals: Iterable[Arrival]) -> Iterator[Label]:
    """The label of the station whose licence ran out, once everything has happened."""
    if world.lapsed is None:
        return
    station, since_ms = world.lapsed
    fills = [arrival.event for arrival in arrivals if arrival.event.kind == "fill"]
    late = [
        fill for fill in fills if fill.site_id == station.site_id and epoch_ms(fill.occurred_at) >= since_ms
    ]
    ids = tuple(fill.event_id for fill in sorted(late, key=lambda fill: (fill.occurred_at, fill.event_id)))
    yield Label("unlicensed_site", station.site_id, ids, True, "充装许可到期后继续充装")


def medium_mismatch(world: World, rng: Random, number: int) -> Iterator[Label]:
    """An oxygen cylinder filled with nitrogen, or the other way round."""
    own, other = (("o2", "n2"), ("n2", "o2"))[number % 2]
    walk = set_out(world, rng, world.firms[2], medium=own)
    to_station(walk)
    walk.check()
    fill = walk.fill(other)
    walk.post_check()
    to_customer(walk)
    yield Label("medium_mismatch", walk.bottle.code, (fill,), True, f"{own} 瓶充装 {other}")


def overfill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """More gas than the model holds, beyond what a scale may err."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    fill = walk.fill(too_much_kg=rng.uniform(0.6, 2.0))
    walk.post_check()
    to_customer(walk)
    yield Label("overfill", walk.bottle.code, (fill,), True, "充装量超过允许值")


def no_precheck(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Filled without the check before."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    fill = walk.fill()
    walk.post_check()
    to_customer(walk)
    yield Label("no_precheck", walk.bottle.code, (fill,), True, "无充装前检查")


def no_postcheck(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Filled and shipped without the check after."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    fill = walk.fill()
    to_customer(walk)
    yield Label("no_postcheck", walk.bottle.code, (fill,), True, "无充装后检查即出站")


def double_fill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The same code on the gun again, hours after a fill that passed, without having left."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.filled()
    walk.wait(2, 8)
    second = walk.filled()
    to_customer(walk)
    yield Label("double_fill", walk.bottle.code, (second,), True, "未出站即再次充装，疑似套码")


def deliver_without_fill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Back at the depot, and next day out to another customer."""
    walk = set_out(world, rng, world.firms[number % 2])
    walk.collect()
    walk.wait(8, 24)
    out = walk.deliver()
    yield Label("deliver_without_fill", walk.bottle.code, (out,), True, "回收后未经充装站即配送")


def out_of_area(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Filled as it should be and delivered to a district its owner does not serve."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm)
    to_station(walk)
    walk.filled()
    walk.wait(0.5, 2)
    walk.haul(walk.door)
    customer = rng.choice(firm.abroad)
    out = walk.deliver(customer)
    note = f"{walk.bottle.code} 配送至服务区域外的 {customer.district}"
    yield Label("out_of_area", firm.owner_id, (out,), True, note)


def bypass_loop(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A depot that decants: bottles come back and leave again unseen by a station. At most one loop a depot."""
    depots = [(firm, depot) for firm in world.firms for depot in firm.depots]
    if number >= len(depots):
        return
    firm, depot = depots[number]
    plan = world.plan
    length = min(9.0, plan.days - 2.0)
    first_ms = plan.start_ms + int(rng.uniform(0, plan.days - 2 - length) * DAY_MS)
    deliveries = []
    for _ in range(rng.randint(6, 8)):
        walk = set_out(world, rng, firm)
        walk.door = depot
        walk.customer = walk.some_customer()
        walk.now_ms = first_ms + int(rng.uniform(0, length - 2) * DAY_MS)
        walk.collect()
        walk.wait(3, 12)
        deliveries.append(walk.deliver())
        note = f"{depot.site_id} 私自倒灌的一瓶"
        yield Label("deliver_without_fill", walk.bottle.code, (deliveries[-1],), True, note)
    yield Label("bypass_loop", depot.site_id, tuple(deliveries), True, "配送站私自倒灌，气瓶绕过充装站循环")


Plant = Callable[[World, Random, int], Iterator[Label]]

FAULTS: tuple[Plant, ...] = (
    fill_overdue, fill_over_life, zombie, unregistered, foreign_fill, unlicensed_site, medium_mismatch, overfill,
    no_precheck, no_postcheck, double_fill, deliver_without_fill, out_of_area, bypass_loop,
)  # fmt: skip
"""Each is named as the rule that must find it."""
