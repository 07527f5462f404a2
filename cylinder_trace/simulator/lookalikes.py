"""Lawful look-alikes: what resembles a fault but for one fact. The rule named must stay quiet."""

from collections.abc import Iterator
from random import Random

from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import months_later
from cylinder_trace.simulator.faults import Plant
from cylinder_trace.simulator.journeys import set_out, to_customer, to_station
from cylinder_trace.simulator.late_proofs import LATE_PROOFS
from cylinder_trace.simulator.plan import Label
from cylinder_trace.simulator.world import World


def lawful(world: World) -> Iterator[Label]:
    """As many of each kind as there are faults of each kind, and the one licence that was renewed late."""
    for number in range(world.plan.faults_of_each_kind):
        for live in LOOK_ALIKES:
            yield from live(world, Random(f"{world.plan.seed}/{live.__name__}/{number}"), number)
    if world.renewed is not None:
        station, renewal = world.renewed
        note = "许可到期后停业，换证后恢复充装"
        yield Label("unlicensed_site", station.site_id, (renewal,), False, note)


def agreed_fill(world: World, rng: Random, _number: int) -> Iterator[Label]:
    """Filled by another firm's station under an agreement."""
    north, south = world.firms[:2]
    walk = set_out(world, rng, north)
    to_station(walk, south.stations[0])
    fill = walk.filled()
    to_customer(walk)
    yield Label("foreign_fill", walk.bottle.code, (fill,), False, "有委托充装协议")


def rework(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The check after the fill failed; filled again, passed."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    first = walk.fill()
    failed = walk.post_check("fail")
    walk.wait(0.3, 1)
    second = walk.filled()
    to_customer(walk)
    yield Label("double_fill", walk.bottle.code, (first, failed, second), False, "充装后检查不合格，返工重充")


def corrected_fill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A fill scanned on the wrong code while this cylinder is with its customer; the error is declared."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.filled()
    to_customer(walk)
    walk.place = walk.station
    walk.wait(2, 6)
    wrong = walk.fill()
    walk.wait(0.2, 1)
    correction = world.act(walk.now_ms, "correct", cylinder_code=walk.bottle.code, corrects=wrong,
                           reason="did_not_occur", note="误扫瓶码")  # fmt: skip
    yield Label("double_fill", walk.bottle.code, (wrong, correction), False, "误扫瓶码，已更正")


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
    to_customer(walk)
    yield Label("foreign_fill", walk.bottle.code, (sold, fill), False, "充装前已办理产权转移")


def resumed(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Taken out of use as a reserve, put back into use, then filled."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    stopped = world.act(walk.now_ms, "stop", cylinder_code=walk.bottle.code, reason="备用")
    walk.wait(6, 12)
    back = world.act(walk.now_ms, "resume", cylinder_code=walk.bottle.code, reason="恢复使用")
    walk.wait(1, 3)
    fill = walk.filled()
    to_customer(walk)
    yield Label("zombie", walk.bottle.code, (stopped, back, fill), False, "备用停用，启用后再充装")


def relabelled(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A new label at the station; from then on only the new code is scanned."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    code = walk.bottle.code
    replaced = walk.relabel("标签破损，换发新标签")
    walk.wait(1, 3)
    fill = walk.filled()
    to_customer(walk)
    yield Label("zombie", code, (replaced, fill), False, "换标后使用新码")


def extended(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Past its eight years, assessed and extended before it is filled."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    made_on = months_later(walk.today, -8 * 12 - rng.randint(1, 6))
    inspected = months_later(walk.today, -rng.randint(1, 6))
    due = months_later(inspected, walk.bottle.interval_months)
    enter(world, walk.bottle, manufactured=made_on, last_inspection=inspected, extension_until=None,
          valid_until=due)  # fmt: skip
    to_station(walk)
    until = months_later(made_on, 12 * 12)
    paper = world.act(walk.now_ms, "update", cylinder_code=walk.bottle.code, cylinder={"extension_until": until},
                      document_no=f"YQ{rng.randrange(10**6):06}")  # fmt: skip
    walk.wait(1, 3)
    fill = walk.filled()
    to_customer(walk)
    yield Label(
        "fill_over_life", walk.bottle.code, (paper, fill), False, f"安全评估合格，使用年限延至 {until}"
    )


def converted(world: World, rng: Random, number: int) -> Iterator[Label]:
    """An oxygen cylinder cleaned and entered for nitrogen before it is filled with it, or the other way round."""
    own, other = (("o2", "n2"), ("n2", "o2"))[number % 2]
    walk = set_out(world, rng, world.firms[2], medium=own)
    to_station(walk)
    paper = world.act(walk.now_ms, "update", cylinder_code=walk.bottle.code, cylinder={"medium": other},
                      document_no=f"BG{rng.randrange(10**6):06}")  # fmt: skip
    walk.bottle.medium = other
    walk.wait(1, 3)
    fill = walk.filled()
    to_customer(walk)
    yield Label("medium_mismatch", walk.bottle.code, (paper, fill), False, f"已办理介质变更 {own}→{other}")


def within_tolerance(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A little more than the model holds, by what a scale may err."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    fill = walk.fill(too_much_kg=rng.uniform(0.2, 0.29))
    walk.post_check()
    to_customer(walk)
    yield Label("overfill", walk.bottle.code, (fill,), False, "略高于允许值，在秤允差内")


def sent_back_full(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Returned full, looked at by its station, and delivered to another customer without a fill."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    seen = walk.count()
    walk.wait(2, 4)
    walk.haul(walk.door)
    out = walk.deliver()
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
    wrong = walk.deliver(rng.choice(firm.abroad))
    walk.place, walk.now_ms = door, walk.now_ms + 60_000
    right = walk.deliver(own)
    correction = world.act(walk.now_ms, "correct", cylinder_code=walk.bottle.code, corrects=wrong,
                           reason="incorrect_data", replaced_by=right, note="误选用户")  # fmt: skip
    yield Label("out_of_area", firm.owner_id, (wrong, right, correction), False, "误选区外用户，已更正")


LOOK_ALIKES: tuple[Plant, ...] = (
    agreed_fill, transferred, rework, corrected_fill, resumed, relabelled, extended, converted, within_tolerance,
    sent_back_full, corrected_delivery, *LATE_PROOFS,
)  # fmt: skip
