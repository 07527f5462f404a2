"""Planted faults of custody: where a cylinder went, where it came from, and what nobody filled."""

from collections.abc import Iterator
from random import Random

from cylinder_trace.simulator.journeys import (
    Plant,
    another_customer,
    on_with_its_life,
    other_depot,
    set_out,
    to_customer,
    to_station,
)
from cylinder_trace.simulator.plan import DAY_MS, Label
from cylinder_trace.simulator.world import World


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


def deliver_without_fill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Back at the depot, and next day out to another customer."""
    walk = set_out(world, rng, world.firms[number % 2])
    walk.collect()
    walk.wait(8, 24)
    out = walk.deliver()
    on_with_its_life(walk)
    yield Label("deliver_without_fill", walk.bottle.code, (out,), True, "回收后未经充装站即配送")


def out_of_area(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Filled as it should be and delivered to a district its owner does not serve."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm)
    to_station(walk)
    walk.filled()
    walk.wait(0.5, 2)
    walk.haul(walk.door)
    customer = rng.choice(firm.abroad[:-1])
    out = walk.deliver(customer)
    on_with_its_life(walk)
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
        on_with_its_life(walk)
        note = f"{depot.site_id} 私自倒灌的一瓶"
        yield Label("deliver_without_fill", walk.bottle.code, (deliveries[-1],), True, note)
    yield Label("bypass_loop", depot.site_id, tuple(deliveries), True, "配送站私自倒灌，气瓶绕过充装站循环")


def diverted(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Shipped to one depot and received at another under the same waybill: full from the station, or empty on the way."""
    walk = set_out(world, rng, world.firms[number % 2])
    if number % 4 < 2:
        to_station(walk)
        walk.filled()
        walk.wait(0.5, 2)
        sent = walk.ship(walk.door)
        arrived = walk.receive(other_depot(walk))
    else:
        walk.collect()
        sent = walk.ship(walk.station)
        arrived = walk.receive(other_depot(walk))
        walk.haul(walk.station)
        walk.wait(0.5, 3)
        walk.filled()
        walk.wait(0.5, 2)
        walk.haul(walk.door)
    on_with_its_life(walk)
    yield Label("diverted", walk.bottle.code, (sent, arrived), True, "运单目的地与实际接收地不符")


def never_received(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Shipped, and never seen again: full to the depot, or empty to the station."""
    walk = set_out(world, rng, world.firms[number % 2])
    if number % 4 < 2:
        walk.place = walk.station
        walk.filled()
        walk.wait(0.5, 2)
        sent = walk.ship(walk.door)
    else:
        walk.collect()
        sent = walk.ship(walk.station)
    yield Label("never_received", walk.bottle.code, (sent,), True, "发出后再无任何记录")


def received_not_shipped(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Received from a depot it never was at: it stood at the other one."""
    walk = set_out(world, rng, world.firms[number % 2])
    walk.collect()
    walk.wait(1, 4)
    arrived = walk.receive_from(other_depot(walk), walk.station)
    walk.wait(0.5, 3)
    walk.filled()
    on_with_its_life(walk)
    yield Label("received_not_shipped", walk.bottle.code, (arrived,), True, "接收单上的发出地从未有过该瓶")


def wrong_party_return(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Delivered to one customer and returned by another, who never had it."""
    walk = set_out(world, rng, world.firms[number % 2])
    walk.place = walk.door
    handed = walk.deliver()
    walk.wait(20, 40)
    walk.customer = another_customer(walk)
    back = walk.collect()
    walk.haul(walk.station)
    yield Label("wrong_party_return", walk.bottle.code, (handed, back), True, "退瓶用户不是持瓶用户")


def impossible_order(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The check after the fill made hours before it; or delivered to a customer while another has it."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    if number % 2 == 0:
        early = walk.post_check()
        walk.wait(2, 5)
        fill = walk.filled()
        on_with_its_life(walk)
        seen, note = (early, fill), "充装后检查早于充装数小时"
    else:
        walk.fill()
        walk.post_check()
        *_, first = to_customer(walk)
        walk.wait(14, 20)
        walk.place = walk.door
        seen, note = (first, walk.deliver(another_customer(walk))), "已配送给一用户，未回收又配送给另一用户"
        on_with_its_life(walk)
    yield Label("impossible_order", walk.bottle.code, seen, True, note)


CUSTODY: tuple[Plant, ...] = (
    zombie, deliver_without_fill, out_of_area, bypass_loop, diverted, never_received, received_not_shipped,
    wrong_party_return, impossible_order,
)  # fmt: skip
