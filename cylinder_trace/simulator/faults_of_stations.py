"""Planted faults of filling stations: when they fill, how fast, how much, and what they do not report."""

from collections.abc import Iterator
from random import Random

from cylinder_trace.simulator.branches import (
    Booked,
    branch,
    crew,
    days_of,
    lpg_firm,
    own_firm,
    parked,
    scans_at,
    some_day,
)
from cylinder_trace.simulator.calendar import at_hour
from cylinder_trace.simulator.founding import SPARE_GUN
from cylinder_trace.simulator.journeys import to_customer
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, MINUTE_MS, Label
from cylinder_trace.simulator.uploads import Act
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import World

USUAL = "YSP35.5"


def night_fill(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Half a dozen filled in the small hours at a station that closes at half past nine."""
    firm = lpg_firm(world, number)
    station = firm.stations[0]
    night_ms = some_day(world, rng, rng.uniform(0.5, 2.5))
    fills = []
    for turn in range(6):
        place = Booked.at(station, [(station.guns[turn % 2], night_ms + turn * 6 * MINUTE_MS)])
        walk = parked(world, rng, firm, place, night_ms - HOUR_MS, full=False)
        fills.append(walk.filled())
        walk.now_ms = at_hour(walk.now_ms, 7)
        to_customer(walk)
    yield Label("night_fill", station.site_id, tuple(fills), True, "非营业时间夜间充装")


def fill_too_fast(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Eight fills on one gun, twenty seconds apart: codes scanned, nothing weighed."""
    firm = lpg_firm(world, number)
    station = firm.stations[0]
    gun, first_ms = f"{station.site_id}-{SPARE_GUN}", some_day(world, rng, rng.uniform(9, 18))
    fills = []
    for turn in range(8):
        place = Booked.at(station, [(gun, first_ms + turn * 20_000)])
        walk = parked(world, rng, firm, place, first_ms - HOUR_MS, full=False, model=USUAL)
        fills.append(walk.filled())
        to_customer(walk)
    yield Label(
        "fill_too_fast", station.site_id, tuple(fills), True, "同一充装枪连续充装间隔不足最短充装时间"
    )


def identical_weights(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A day on which every cylinder weighs the same to the gram; many more of them than usual."""
    own = branch(world, rng, lpg_firm(world, number))
    station = own.stations[0]
    day_ms = some_day(world, rng, 8, 22, 3)
    fills = []

    def same(act: Act, _walk: Walk) -> None:
        if at_hour(act.at_ms, 8) == day_ms:
            act.fields |= {"gas_mass_kg": 14.5, "tare_kg": 16.5, "gross_kg": 31.0}
            fills.append(act.event_id)

    crew(world, rng, own, 30, USUAL, amend=same)
    for _ in range(32):
        walk = parked(world, rng, own, station, day_ms + int(rng.uniform(0, 8) * HOUR_MS), False, USUAL)
        walk.check()
        walk.fill()
        same(world.log.last, walk)
        walk.post_check()
        to_customer(walk)
    note = "全天充装量完全相同"
    yield Label("identical_weights", station.site_id, tuple(fills), True, note)
    yield Label("station_burst", station.site_id, tuple(fills), True, f"{note}，且远超平日")


def short_weight(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Three quarters of a kilogram too little in every cylinder, for weeks."""
    own = branch(world, rng, lpg_firm(world, number))

    def short(act: Act, walk: Walk) -> None:
        gas = round((walk.bottle.allowed_kg or 0) - 0.75 + rng.gauss(0, 0.08), 2)
        tare = walk.bottle.tare_kg
        act.fields |= {"gas_mass_kg": gas, "tare_kg": tare, "gross_kg": round(tare + gas, 2)}

    acts = crew(world, rng, own, 140, USUAL, amend=short)
    station = own.stations[0].site_id
    fills = [act.event_id for act in scans_at(world, acts, station) if act.kind == "fill"]
    yield Label("short_weight", station, tuple(fills), True, f"{len(fills)} 次充装平均少 0.7 kg")


def silent_station(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A station with a licence and declared hours that sends nothing for a week."""
    own = branch(world, rng, lpg_firm(world, number))
    station = own.stations[0].site_id
    since_ms = some_day(world, rng, 0, 16, 10)
    until_ms = since_ms + 7 * DAY_MS + 8 * HOUR_MS
    scans = scans_at(world, crew(world, rng, own, 45, closed=(since_ms, until_ms)), station)
    last_ms = max(act.at_ms for act in scans if act.at_ms < since_ms)
    before = [act.event_id for act in scans if last_ms - DAY_MS < act.at_ms < since_ms]
    after = [act.event_id for act in scans if act.at_ms >= since_ms][:10]
    yield Label("silent_station", station, (*before, *after), True, "持证充装站营业时间内连续多日无数据")


def manual_codes(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Most codes keyed by hand instead of scanned."""
    own = branch(world, rng, lpg_firm(world, number))
    station = own.stations[0].site_id
    keyed = []
    for act in scans_at(world, crew(world, rng, own, 30), station):
        if rng.random() < 0.7:
            act.fields["entry"] = "keyed"
            keyed.append(act.event_id)
    yield Label("manual_codes", station, tuple(keyed), True, "多数瓶码手工录入")


def scan_gap(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A handheld whose scans of an hour never came; and a gun that filled a dozen times between two scans."""
    firm = lpg_firm(world, number)
    depot, since_ms = firm.depots[number % 2], some_day(world, rng, 13)
    seen, device = [], f"{depot.site_id}-H6{number:02}"
    for turn in range(20):
        walk = parked(world, rng, firm, depot, since_ms + turn * 3 * MINUTE_MS)
        lost = 3 <= turn < 17
        seen += [walk.scan("observe", depot.site_id, device, f"{depot.site_id}-W1", lost=lost)]
    came = (*seen[:3], *seen[17:])
    yield Label("scan_gap", device, came, True, "设备扫码序号缺 14 个")
    station, first_ms = firm.stations[0], some_day(world, rng, 6) - 20_000
    gun = f"{station.site_id}-{SPARE_GUN}"
    fills = []
    for turn in range(2):
        place = Booked.at(station, [(gun, first_ms + turn * 90 * MINUTE_MS)])
        walk = parked(world, rng, firm, place, first_ms - HOUR_MS, full=False)
        fills.append(walk.filled())
        to_customer(walk)
    for turn in range(12):
        world.log.fill_unscanned(gun, first_ms + (6 + turn * 6) * MINUTE_MS)
    yield Label("scan_gap", gun, tuple(fills), True, "充装枪自计次数比扫码充装多 12 次")


def fill_to_delivery(world: World, rng: Random, _number: int) -> Iterator[Label]:
    """Brought in and filled by the dozen, and never seen to leave: sold past the scanner."""
    own = branch(world, rng, own_firm(world))
    station = own.stations[0]
    crew(world, rng, own, 20)
    fills = []
    for at_ms in days_of(world, rng, 60, 12, 12, 4):
        walk = parked(world, rng, own, own.depots[0], at_ms, full=False)
        walk.haul(station)
        walk.wait(0.5, 4)
        fills.append(walk.filled())
    yield Label("fill_to_delivery", station.site_id, tuple(fills), True, "大量充装后无出站或配送记录")


def station_burst(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A day with twenty times the usual fills."""
    own = branch(world, rng, lpg_firm(world, number))
    station = own.stations[0]
    around = scans_at(world, crew(world, rng, own, 30), station.site_id)
    day_ms = some_day(world, rng, 7, 22, 3)
    fills = [act.event_id for act in around if act.kind == "fill" and at_hour(act.at_ms, 7) == day_ms]
    for _ in range(45):
        walk = parked(world, rng, own, station, day_ms + int(rng.uniform(0, 9) * HOUR_MS), full=False)
        fills.append(walk.filled())
        to_customer(walk)
    yield Label("station_burst", station.site_id, tuple(fills), True, "当日充装量远超平日")


def ghost_fills(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Codes of cylinders already full are scanned for others, seven times in a day."""
    firm = lpg_firm(world, number)
    station = firm.stations[0]
    day_ms = some_day(world, rng, 8)
    fills = []
    for _ in range(7):
        walk = parked(world, rng, firm, station, day_ms + int(rng.uniform(0, 3) * HOUR_MS), full=False)
        walk.filled()
        walk.wait(1, 4)
        fills.append(walk.filled())
        to_customer(walk)
        yield Label("double_fill", walk.bottle.code, (fills[-1],), True, "一日多瓶重复充装之一")
    yield Label("station_burst", station.site_id, tuple(fills), True, "一日内多瓶重复充装，疑似套码")
