"""Lawful look-alikes of filling stations: night work, manifolds, closures, a cold spell and small cylinders."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from cylinder_trace.simulator.branches import Booked, branch, crew, lpg_firm, parked, scans_at, some_day
from cylinder_trace.simulator.calendar import at_hour, local_date
from cylinder_trace.simulator.founding import SPARE_GUN
from cylinder_trace.simulator.journeys import to_customer
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, MINUTE_MS, Label
from cylinder_trace.simulator.uploads import Act, Arrivals
from cylinder_trace.simulator.walk import Walk
from cylinder_trace.simulator.world import World


def manifold(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Racks of industrial cylinders filled side by side: the same second on every gun, minutes apart on each."""
    firms = [firm for firm in world.firms if not firm.is_lpg]
    firm = firms[number % len(firms)]
    station = firm.stations[0]
    first_ms = some_day(world, rng, 8)
    fills = []
    for turn in range(4):
        rack = station.rack(first_ms + turn * 12 * MINUTE_MS)
        rack.append((f"{station.site_id}-{SPARE_GUN}", rack[0][1]))
        for gun, at_ms in rack:
            walk = parked(
                world, rng, firm, Booked.at(station, [(gun, at_ms)]), first_ms - HOUR_MS, full=False
            )
            fills.append(walk.filled())
            walk.place = station
            walk.wait(1, 5)
            walk.deliver()
    yield Label("fill_too_fast", station.site_id, tuple(fills), False, "汇流排多枪同时充装")


def all_night(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A station open round the clock, which fills small cylinders only."""
    own = branch(world, rng, lpg_firm(world, number), "00:00", "24:00")
    station = own.stations[0]
    station.hours = (0, 24)
    fills = []
    for _ in range(3):
        night_ms = some_day(world, rng, rng.uniform(0.5, 3))
        for turn in range(6):
            place = Booked.at(station, [(f"{station.site_id}-{SPARE_GUN}", night_ms + turn * 6 * MINUTE_MS)])
            walk = parked(world, rng, own, place, night_ms - HOUR_MS, full=False, model="YSP12")
            fills.append(walk.filled())
            to_customer(walk)
    acts = crew(world, rng, own, 140, "YSP12")
    filled = [act.event_id for act in scans_at(world, acts, station.site_id) if act.kind == "fill"]
    yield Label("night_fill", station.site_id, tuple(fills), False, "核准二十四小时营业")
    yield Label("short_weight", station.site_id, tuple(filled), False, "充装的是小规格气瓶，并未短少")


def holiday(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Closed for a holiday, announced in the register; then an automatic filler makes up for it in a day or two."""
    own = branch(world, rng, lpg_firm(world, number))
    station = own.stations[0]
    since_ms = some_day(world, rng, 0, 18, 9)
    until_ms = since_ms + 5 * DAY_MS + 6 * HOUR_MS
    record = station.record
    closed = {"opens": None, "closes": None, "valid_from": local_date(since_ms)}
    opened = {"valid_from": local_date(since_ms) + timedelta(days=5)}
    world.records += [record.model_copy(update=closed), record.model_copy(update=opened)]

    def by_machine(act: Act, walk: Walk) -> None:
        gas, tare = round(14.6 + rng.gauss(0, 0.05), 2), walk.bottle.tare_kg
        act.fields |= {"gas_mass_kg": gas, "tare_kg": tare, "gross_kg": round(tare + gas, 2)}

    scans = scans_at(
        world,
        crew(world, rng, own, 75, "YSP35.5", closed=(since_ms, until_ms), amend=by_machine),
        station.site_id,
    )
    around = [act.event_id for act in scans if since_ms - 6 * DAY_MS < act.at_ms < until_ms + 2 * DAY_MS]
    fills = [act.event_id for act in scans
             if act.kind == "fill" and until_ms - DAY_MS < act.at_ms < until_ms + 3 * DAY_MS]  # fmt: skip
    yield Label("silent_station", station.site_id, tuple(around), False, "节假日停业，已公告")
    yield Label("station_burst", station.site_id, tuple(fills), False, "停业后集中补充")
    yield Label("identical_weights", station.site_id, tuple(fills), False, "自动充装，质量自然离散")


def cold_spell(world: World, arrivals: Arrivals) -> Iterator[Label]:
    """The label of the days on which the whole city needed more gas, for the first station of every firm."""
    if world.cold is None:
        return
    since_ms, until_ms = world.cold
    for firm in world.firms:
        station = firm.stations[0].site_id
        fills = {
            one.event.event_id: one.event
            for one in arrivals.fills_of(station)
            if at_hour(since_ms, 0, 1) <= one.event.occurred_at.timestamp() * 1000 < until_ms
        }
        if fills:
            yield Label("station_burst", station, tuple(sorted(fills)), False, "寒潮期间全市用气增加")
