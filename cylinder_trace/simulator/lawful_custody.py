"""Lawful movements that look like faults: sold, approved, sent on, corrected, or scanned by nobody twice running."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.simulator.journeys import (
    Plant,
    another_customer,
    on_with_its_life,
    other_depot,
    set_out,
    to_station,
)
from cylinder_trace.simulator.plan import DAY_MS, Label
from cylinder_trace.simulator.world import World


def transferred(world: World, rng: Random, _number: int) -> Iterator[Label]:
    """Sold to the other firm before that firm's station fills it."""
    north, south = world.firms[:2]
    walk = set_out(world, rng, north)
    sold = world.act(walk.now_ms, "transfer", cylinder_code=walk.bottle.code, new_owner_id=south.owner_id,
                     document_no=f"ZR{rng.randrange(10**8):08}")  # fmt: skip
    walk.bottle.firm = south
    walk.station = south.stations[0]
    walk.collect(south.depots[0])
    walk.haul(walk.station)
    walk.wait(0.5, 3)
    fill = walk.filled()
    on_with_its_life(walk)
    yield Label("foreign_fill", walk.bottle.code, (sold, fill), False, "充装前已办理产权转移")


def sent_back_full(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Returned full, looked at by its station, and delivered to another customer without a fill."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    seen = walk.count()
    walk.wait(2, 4)
    walk.haul(walk.door)
    out = walk.deliver()
    on_with_its_life(walk)
    yield Label(
        "deliver_without_fill", walk.bottle.code, (seen, out), False, "用户退回满瓶，经充装站核验后再配送"
    )


def corrected_delivery(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A customer of another district picked by mistake; declared, and entered as it was."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm)
    to_station(walk)
    walk.filled()
    walk.wait(0.5, 2)
    walk.haul(walk.door)
    door, own = walk.door, walk.customer
    wrong = walk.deliver(rng.choice(firm.abroad[:-1]))
    walk.place, walk.now_ms = door, walk.now_ms + 60_000
    right = walk.deliver(own)
    correction = world.act(walk.now_ms, "correct", cylinder_code=walk.bottle.code, corrects=wrong,
                           reason="incorrect_data", replaced_by=right, note="误选用户")  # fmt: skip
    on_with_its_life(walk)
    yield Label("out_of_area", firm.owner_id, (wrong, right, correction), False, "误选区外用户，已更正")


def approved_delivery(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Delivered beyond the owner's districts, with the approval of the authority."""
    firm = world.firms[number % 2]
    walk = set_out(world, rng, firm)
    to_station(walk)
    walk.filled()
    walk.wait(0.5, 2)
    walk.haul(walk.door)
    # A district that no planted fault goes to: an approval holds for every cylinder of the owner.
    customer = firm.abroad[-1]
    approval = world.act(walk.now_ms - 2 * DAY_MS, "approval", owner_id=firm.owner_id, district=customer.district,
                         valid_from=walk.today - timedelta(days=1), valid_to=walk.today + timedelta(days=20),
                         document_no=f"KQ{rng.randrange(10**6):06}")  # fmt: skip
    out = walk.deliver(customer)
    on_with_its_life(walk)
    yield Label(
        "out_of_area", firm.owner_id, (approval, out), False, f"跨区配送至 {customer.district} 已获批准"
    )


def corrected_destination(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The wrong depot typed on the waybill; declared and entered as it was, a minute later."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.filled()
    walk.wait(0.5, 2)
    wrong = walk.ship(other_depot(walk))
    right = walk.redirect(walk.door)
    correction = world.act(walk.now_ms, "correct", cylinder_code=walk.bottle.code, corrects=wrong,
                           reason="incorrect_data", replaced_by=right, note="误选目的地")  # fmt: skip
    arrived = walk.receive(walk.door)
    on_with_its_life(walk)
    seen = (wrong, right, correction, arrived)
    yield Label("diverted", walk.bottle.code, seen, False, "误选目的地，已更正")


def sent_on(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The lorry is sent to the other depot after loading: shipped again under the same waybill."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.filled()
    walk.wait(0.5, 2)
    first = walk.ship(walk.door)
    goal = other_depot(walk)
    second = walk.redirect(goal)
    arrived = walk.receive(goal)
    on_with_its_life(walk)
    yield Label("diverted", walk.bottle.code, (first, second, arrived), False, "装车后改送，同一运单重新发出")


def corrected_return(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The courier picks another customer on taking it back; declared, and entered as it was."""
    walk = set_out(world, rng, world.firms[number % 2])
    walk.place = walk.door
    walk.deliver()
    walk.wait(20, 40)
    holder, walk.customer = walk.customer, another_customer(walk)
    wrong = walk.collect()
    walk.place, walk.customer = None, holder
    right = walk.collect()
    correction = world.act(walk.now_ms, "correct", cylinder_code=walk.bottle.code, corrects=wrong,
                           reason="incorrect_data", replaced_by=right, note="误选用户")  # fmt: skip
    yield Label(
        "wrong_party_return", walk.bottle.code, (wrong, right, correction), False, "误选退瓶用户，已更正"
    )


def two_scans_missed(world: World, rng: Random, number: int) -> Iterator[Label]:
    """One cylinder with one life, whose ship and receive nobody scanned: to the station, or back to the depot."""
    walk = set_out(world, rng, world.firms[number % 2])
    if number % 2 == 0:
        walk.collect()
        walk.wait(14, 24)
        walk.place = walk.station
        next_seen = walk.filled()
    else:
        to_station(walk)
        walk.filled()
        walk.wait(14, 24)
        walk.place = walk.door
        next_seen = walk.deliver()
    on_with_its_life(walk)
    yield Label("clone", walk.bottle.code, (next_seen,), False, "发出、接收两次漏扫")


LAWFUL_CUSTODY: tuple[Plant, ...] = (
    transferred, sent_back_full, corrected_delivery, approved_delivery, corrected_destination, sent_on,
    corrected_return, two_scans_missed,
)  # fmt: skip
