"""Planted faults of a fill: what was filled, where, on which gun, and the checks around it."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.simulator.bottles import enter
from cylinder_trace.simulator.calendar import months_later
from cylinder_trace.simulator.journeys import Plant, on_with_its_life, set_out, to_depot, to_station
from cylinder_trace.simulator.plan import HOUR_MS, Arrival, Label
from cylinder_trace.simulator.world import World

_BEYOND_SCOPE = ("co2", "he", "h2", "air")
"""Gases that the industrial station's licence does not name."""


def foreign_fill(world: World, rng: Random, _number: int) -> Iterator[Label]:
    """A bottle of the southern firm filled by the northern one, which has no agreement with it."""
    north, south = world.firms[:2]
    walk = set_out(world, rng, south)
    to_station(walk, north.stations[0])
    fill = walk.filled()
    on_with_its_life(walk)
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
    on_with_its_life(walk)
    yield Label("medium_mismatch", walk.bottle.code, (fill,), True, f"{own} 瓶充装 {other}")


def overfill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """More gas than the model holds, beyond what a scale may err; every other time an empty weight is said that hides it."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    fill = walk.fill(too_much_kg=rng.uniform(0.6, 2.0), tare_too_heavy_kg=(number % 2) * 2.5)
    walk.post_check()
    on_with_its_life(walk)
    yield Label("overfill", walk.bottle.code, (fill,), True, "充装量超过允许值")


def unchecked_fill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """LPG whose pressure is recorded and no weight; a bottle whose entry has no model and no volume; a gas of no table."""
    if number % 3 == 1:
        walk = set_out(world, rng, world.firms[0], entered=False)
        enter(world, walk.bottle, model=None, volume_l=None)
    else:
        walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    if number % 3 == 0:
        fill = walk.fill()
        for name in ("gas_mass_kg", "gross_kg", "tare_kg"):
            world.log.last.fields.pop(name, None)
        world.log.last.fields["pressure_mpa"] = 0.8
    elif number % 3 == 1:
        fill = walk.fill()
    else:
        fill = walk.fill("lpg2")
    station, code = walk.at.site_id, walk.bottle.code
    walk.post_check()
    on_with_its_life(walk)
    note = ("液化石油气未称重", "登记无型号与容积", "介质代码 lpg2 不在表中")[number % 3]
    yield Label("unchecked_fill", code if number % 3 == 1 else station, (fill,), True, note)
    if number % 3 == 2:
        yield Label("medium_mismatch", code, (fill,), True, "登记为 lpg，充装 lpg2")
        yield Label("unlicensed_site", station, (fill,), True, "许可范围不含 lpg2")


def no_precheck(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Filled without the check before."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    fill = walk.fill()
    walk.post_check()
    on_with_its_life(walk)
    yield Label("no_precheck", walk.bottle.code, (fill,), True, "无充装前检查")


def no_postcheck(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Filled and shipped without the check after."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.check()
    fill = walk.fill()
    on_with_its_life(walk)
    yield Label("no_postcheck", walk.bottle.code, (fill,), True, "无充装后检查即出站")


def double_fill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The same code on the gun again, hours after a fill that passed, without having left."""
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    walk.filled()
    walk.wait(2, 8)
    second = walk.filled()
    on_with_its_life(walk)
    yield Label("double_fill", walk.bottle.code, (second,), True, "未出站即再次充装，疑似套码")


def fill_after_failed_check(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The check before the fill failed, and it was filled all the same; every other one had passed an earlier check.

    Some fail at another station, too, before they are filled at the first.
    """
    walk = set_out(world, rng, world.firms[number % 2])
    to_station(walk)
    if number % 2 == 0:
        walk.check()
        walk.wait(0.5, 2)
    failed, failed_ms = walk.check("fail"), walk.now_ms
    if number % 3 == 1:
        first, other = walk.at, world.firms[(number + 1) % 2].stations[0]
        for place in (other, first):
            walk.haul(place)
            walk.wait(0.2, 1)
            if place is other:
                walk.check("fail")
        if walk.now_ms - failed_ms > 20 * HOUR_MS:
            failed = walk.check("fail")  # back on the next day, it fails there again
    fill = walk.fill()
    walk.post_check()
    on_with_its_life(walk)
    code = walk.bottle.code
    yield Label("fill_after_failed_check", code, (failed, fill), True, "充装前检查不合格仍充装")
    if number % 2:
        yield Label("no_precheck", code, (fill,), True, "充装前只有一次不合格的检查")


def foreign_gun(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A fill on a gun that another firm's station has; every other one is sent by that gun's terminal, too."""
    north, south = world.firms[:2]
    firm, other = ((north, south), (south, north))[number % 2]
    walk = set_out(world, rng, firm)
    to_station(walk)
    walk.check()
    gun = rng.choice(other.stations[0].guns)
    fill = walk.fill(gun=gun, device=gun if number % 2 else None)
    walk.post_check()
    on_with_its_life(walk)
    yield Label("foreign_gun", walk.bottle.code, (fill,), True, f"充装枪 {gun} 属于另一充装站")


def override_used(world: World, rng: Random, number: int) -> Iterator[Label]:
    """The manager lets a fill go on against the verdict: of a lawful cylinder, or of one whose term ran out."""
    walk = set_out(world, rng, world.firms[number % 2], entered=False)
    code, overdue = walk.bottle.code, number % 2 == 1
    if overdue:
        ran_out = walk.today - timedelta(days=rng.randint(3, 20))
        enter(world, walk.bottle, manufactured=months_later(ran_out, -walk.bottle.interval_months),
              last_inspection=None, extension_until=None, valid_until=ran_out)  # fmt: skip
    else:
        enter(world, walk.bottle)
    to_station(walk)
    walk.check()
    rule, reason = ("fill_overdue", "用户急用") if overdue else ("double_fill", "上一次充装未完成")
    released = walk.override(rule, reason)
    fill = walk.fill()
    walk.post_check()
    to_depot(walk)
    yield Label("override_used", code, (released, fill), True, f"人工放行后充装：{reason}")
    if overdue:
        yield Label("fill_overdue", code, (fill,), True, "检验有效期已过，人工放行后充装")


FILLING: tuple[Plant, ...] = (
    foreign_fill, unlicensed_site, medium_mismatch, overfill, unchecked_fill, no_precheck, no_postcheck, double_fill,
    fill_after_failed_check, foreign_gun, override_used,
)  # fmt: skip
