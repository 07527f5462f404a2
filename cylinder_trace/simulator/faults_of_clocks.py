"""Planted faults of devices: scans written up days later, and clocks that run ahead of the server."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from cylinder_trace.simulator.branches import lpg_firm, parked, some_day
from cylinder_trace.simulator.calendar import at_hour
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, MINUTE_MS, Label
from cylinder_trace.simulator.world import Firm, Place, World


def backdated_upload(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A handheld that is on line every day sends a dozen counts four days after the day they say."""
    firm = lpg_firm(world, number)
    depot = firm.depots[0]
    day_ms = some_day(world, rng, 9, 2, 7)
    device = f"{depot.site_id}-H8{number:02}"
    for day in range(5):
        for turn in range(3):
            counted(world, rng, firm, depot, device, day_ms + day * DAY_MS + turn * 11 * MINUTE_MS)
    written_ms = at_hour(day_ms, 18.5, days=4)
    seen = []
    for turn in range(12):
        seen.append(counted(world, rng, firm, depot, device, day_ms + HOUR_MS + turn * 9 * MINUTE_MS))
        world.log.last.made_ms = written_ms + turn * 25_000
    yield Label("backdated_upload", device, tuple(seen), True, "设备在线期间，补录四天前的记录")


def backdated_scan(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Of a handheld that is on line every day, one scan says a day that is two to five days past."""
    firm = lpg_firm(world, number)
    depot = firm.depots[0]
    day_ms = some_day(world, rng, 9, 2, 7)
    device = f"{depot.site_id}-H6{number:02}"
    for day in range(6):
        for turn in range(3):
            counted(world, rng, firm, depot, device, day_ms + day * DAY_MS + turn * 11 * MINUTE_MS)
    written_ms = at_hour(day_ms, 17.5, days=5)
    seen = counted(world, rng, firm, depot, device, day_ms + rng.randint(0, 3) * DAY_MS + HOUR_MS)
    world.log.last.made_ms = written_ms
    yield Label("backdated_scan", device, (seen,), True, "序号在后的记录，注明数日之前")


def clock_fault(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A handheld set hours ahead, for two days."""
    firm = lpg_firm(world, number)
    depot = firm.depots[1]
    day_ms = some_day(world, rng, 9, 2, 4)
    ahead_ms = int(rng.uniform(2, 7) * HOUR_MS)
    seen, device = [], f"{depot.site_id}-H7{number:02}"
    for day in range(2):
        for turn in range(6):
            at_ms = day_ms + day * DAY_MS + turn * 25 * MINUTE_MS
            seen.append(counted(world, rng, firm, depot, device, at_ms))
            world.log.last.shift_ms = ahead_ms
    yield Label("clock_fault", device, tuple(seen), True, "设备时钟比服务器快数小时")


def counted(world: World, rng: Random, firm: Firm, place: Place, device: str, at_ms: int) -> UUID:
    """A cylinder that stands at a place, seen there by a stock count."""
    walk = parked(world, rng, firm, place, at_ms)
    return walk.scan("observe", place.site_id, device, f"{place.site_id}-W1")
