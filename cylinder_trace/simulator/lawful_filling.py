"""Lawful fills that look like faults: agreed, reworked, corrected, converted, by people whose papers are in order."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.simulator.calendar import local_date, months_later
from cylinder_trace.simulator.journeys import Plant, on_with_its_life, set_out, to_customer, to_station
from cylinder_trace.simulator.papers import certify, guest_owner
from cylinder_trace.simulator.plan import Label
from cylinder_trace.simulator.world import World


def agreed_fill(world: World, rng: Random, _number: int) -> Iterator[Label]:
    """Filled by another firm's station under an agreement."""
    north, south = world.firms[:2]
    walk = set_out(world, rng, north)
    to_station(walk, south.stations[0])
    fill = walk.filled()
    on_with_its_life(walk)
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
    on_with_its_life(walk)
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
    walk.place = None
    on_with_its_life(walk)
    yield Label("double_fill", walk.bottle.code, (wrong, correction), False, "误扫瓶码，已更正")


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
    on_with_its_life(walk)
    yield Label("medium_mismatch", walk.bottle.code, (paper, fill), False, f"已办理介质变更 {own}→{other}")


def within_tolerance(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A little more than the model holds, by what a scale may err."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    fill = walk.fill(too_much_kg=rng.uniform(0.2, 0.29))
    walk.post_check()
    on_with_its_life(walk)
    yield Label("overfill", walk.bottle.code, (fill,), False, "略高于允许值，在秤允差内")


def weighed_anew(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The empty weight said at the gun is not quite the register's: the valve was changed."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    fill = walk.fill(tare_too_heavy_kg=0.2)
    walk.post_check()
    on_with_its_life(walk)
    yield Label("overfill", walk.bottle.code, (fill,), False, "空瓶重与登记略有出入，未超装")


def by_pressure(world: World, rng: Random, _number: int) -> Iterator[Label]:
    """An industrial gas, of which the pressure is recorded and no weight."""
    walk = set_out(world, rng, world.firms[2], medium="n2")
    to_station(walk)
    walk.check()
    fill = walk.fill()
    walk.post_check()
    on_with_its_life(walk)
    yield Label("unchecked_fill", walk.bottle.code, (fill,), False, "按压力充装的工业气体，无需称重")


def repaired_and_checked_again(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The check before the fill failed; the valve was replaced, the next check passed."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    failed = walk.check("fail")
    walk.wait(1, 3)
    station = walk.at.site_id
    walk.scan("repair", station, f"{station}-H1", f"{station}-W1", part="瓶阀",
              new_part_no=f"V{rng.randrange(10**6):06}")  # fmt: skip
    walk.wait(0.5, 1)
    fill = walk.filled()
    on_with_its_life(walk)
    note = "检查不合格，更换瓶阀后复检合格"
    yield Label("fill_after_failed_check", walk.bottle.code, (failed, fill), False, note)


def certificate_renewed(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The filler's old certificate had run out; the new one, which the register tells of apart, was in force."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    short = f"F8{number:02}"
    ran_out = walk.today - timedelta(days=rng.randint(2, 20))
    certify(world, walk.at, short, ran_out)
    certify(world, walk.at, short, months_later(ran_out, 48), since=ran_out - timedelta(days=1))
    walk.check()
    fill = walk.fill(person=short)
    walk.post_check()
    on_with_its_life(walk)
    yield Label(
        "uncertified_operator", walk.bottle.code, (fill,), False, f"原证有效期至 {ran_out}，充装前已换证"
    )


def owner_renewed(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The owner's licence would have run out; it was renewed before."""
    ran_out = local_date(world.plan.start_ms) - timedelta(days=rng.randint(2, 9))
    renewed = ran_out - timedelta(days=5), months_later(ran_out, 48)
    firm = guest_owner(world, f"8{number:02}", ran_out, renewed)
    walk = set_out(world, rng, firm)
    brought = to_station(walk)
    fill = walk.filled()
    seen = (*brought, fill, *to_customer(walk))
    on_with_its_life(walk)
    yield Label("owner_gone", firm.owner_id, seen, False, f"产权单位 {firm.owner_id} 的许可已换证")


LAWFUL_FILLING: tuple[Plant, ...] = (
    agreed_fill, rework, corrected_fill, converted, within_tolerance, weighed_anew, by_pressure, repaired_and_checked_again,
    certificate_renewed, owner_renewed,
)  # fmt: skip
