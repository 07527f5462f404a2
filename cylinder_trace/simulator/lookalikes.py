"""Lawful look-alikes: what resembles a fault until the whole story is known. The rule named must stay quiet."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import months_later
from cylinder_trace.simulator.faults import Plant
from cylinder_trace.simulator.journeys import set_out, to_customer, to_station
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, Label
from cylinder_trace.simulator.walk import Walk
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


def _late(walk: Walk, least_h: float, most_h: float) -> int:
    """An upload so many hours after now, but before the city ends."""
    at_ms = walk.now_ms + int(walk.rng.uniform(least_h, most_h) * HOUR_MS)
    return min(at_ms, walk.world.plan.end_ms - HOUR_MS)


def agreed_fill(world: World, rng: Random, _number: int) -> Iterator[Label]:
    """Filled by another firm's station under an agreement."""
    north, south = world.firms[:2]
    walk = set_out(world, rng, north)
    to_station(walk, south.stations[0])
    fill = walk.filled()
    to_customer(walk)
    yield Label("foreign_fill", walk.bottle.code, (fill,), False, "有委托充装协议")


def late_registration(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Registered before its first use; the entry is uploaded days after."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    walk.place = walk.station
    made_on = walk.today - timedelta(days=40)
    due = months_later(made_on, walk.bottle.interval_months)
    entered = enter(world, walk.bottle, walk.now_ms, _late(walk, 48, 120), manufactured=made_on,
                    last_inspection=None, extension_until=None, valid_until=due)  # fmt: skip
    walk.wait(1, 3)
    fill = walk.filled()
    to_customer(walk)
    yield Label("unregistered", walk.bottle.code, (entered, fill), False, "先登记后使用，登记信息晚传")


def late_check(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Checked before the fill with a handheld that was off line for a day."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    # At the gun the check opens the fill; a handheld's check is made beforehand, within opening hours.
    station = walk.at.site_id
    checked = walk.scan("fill_check", station, f"{station}-H2", f"{station}-K1", _late(walk, 18, 40), result="pass",
                        medium=walk.bottle.medium)  # fmt: skip
    walk.wait(0.4, 1)
    fill = walk.fill()
    walk.post_check()
    to_customer(walk)
    yield Label("no_precheck", walk.bottle.code, (checked, fill), False, "手持机离线，充装前检查晚传")


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


def late_inspection(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Inspected in time, filled with the new term; the agency uploads afterwards."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    ran_out = walk.today + timedelta(days=1)
    enter(world, walk.bottle, manufactured=months_later(ran_out, -walk.bottle.interval_months),
          last_inspection=None, extension_until=None, valid_until=ran_out)  # fmt: skip
    walk.bottle.life_ends = months_later(ran_out, walk.bottle.interval_months)
    station = walk.place = walk.station
    walk.haul(world.agencies[number % 2])
    inspected = walk.inspect(received_ms=_late(walk, 96, 130))
    walk.haul(station)
    walk.now_ms = max(walk.now_ms, walk.now_ms + int((ran_out - walk.today).days * DAY_MS))
    walk.wait(24, 30)
    fill = walk.filled()
    yield Label("fill_overdue", walk.bottle.code, (inspected, fill), False, "充装前已检验合格，检验记录晚传")


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


LOOK_ALIKES: tuple[Plant, ...] = (
    agreed_fill, late_registration, late_check, rework, late_inspection, corrected_fill, transferred,
)  # fmt: skip
