"""Lawful look-alikes of whole sites, devices and people: what resembles a planted fault but for one fact."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from cylinder_trace.simulator.branches import Booked, lpg_firm, parked, some_day
from cylinder_trace.simulator.calendar import at_hour
from cylinder_trace.simulator.faults_of_clocks import counted
from cylinder_trace.simulator.faults_of_people import handed_over, seen_by, two_sites
from cylinder_trace.simulator.faults_of_sites import USUAL, kept_at, own_depot, to_somebody
from cylinder_trace.simulator.founding import agency, customer
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, MINUTE_MS, Label
from cylinder_trace.simulator.world import World


def long_outage(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A handheld is silent for four days and then sends everything in the order it was made."""
    firm = lpg_firm(world, number)
    depot = firm.depots[1]
    day_ms = some_day(world, rng, 9, 2, 6)
    device = f"{depot.site_id}-H5"
    world.log.cut_off[device] = [*world.log.cut_off.get(device, ()), (day_ms, at_hour(day_ms, 17, days=4))]
    seen = []
    for day in range(-1, 5):
        for turn in range(8):
            at_ms = day_ms + day * DAY_MS + turn * 13 * MINUTE_MS
            if at_ms > world.plan.start_ms:
                seen.append(counted(world, rng, firm, depot, device, at_ms))
    yield Label("backdated_upload", device, tuple(seen), False, "设备断网四天，恢复后按序补传")


def lone_late_scan(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A handheld's last scan of a day goes up three days later, before any other: it was off line in a drawer."""
    firm = lpg_firm(world, number)
    depot = firm.depots[0]
    day_ms = some_day(world, rng, 9, 2, 6)
    device = f"{depot.site_id}-H3{number:02}"
    for turn in range(4):
        counted(world, rng, firm, depot, device, day_ms + turn * 11 * MINUTE_MS)
    back_ms = at_hour(day_ms, 9, days=3)
    world.log.cut_off[device] = [(day_ms + HOUR_MS, back_ms)]
    late = counted(world, rng, firm, depot, device, day_ms + 2 * HOUR_MS)
    for turn in range(4):
        counted(world, rng, firm, depot, device, back_ms + (turn + 1) * 11 * MINUTE_MS)
    yield Label("backdated_scan", device, (late,), False, "手持机离线三天，恢复后按序补传")


def clock_set_once(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Two scans in the wrong time zone, then the clock is set right."""
    firm = lpg_firm(world, number)
    depot = firm.depots[0]
    day_ms = some_day(world, rng, 9, 2, 3)
    seen = []
    for turn in range(7):
        at_ms = day_ms + turn * 20 * MINUTE_MS
        seen.append(counted(world, rng, firm, depot, f"{depot.site_id}-H{50 + number}", at_ms))
        if turn < 2:
            world.log.last.shift_ms = HOUR_MS
    yield Label(
        "clock_fault", f"{depot.site_id}-H{50 + number}", tuple(seen[:2]), False, "时区设错，两次扫码后即改正"
    )


def relief_operator(world: World, rng: Random, number: int) -> Iterator[Label]:
    """In one place in the morning, after the drive in another, and next day the other way round."""
    firm = lpg_firm(world, number)
    here, there, person = two_sites(world, firm, number + 50)
    day_ms = some_day(world, rng, 8, 2, 4)
    seen = []
    for day in range(2):
        for place, since_ms in zip(
            (here, there) if day == 0 else (there, here), (0, 6 * HOUR_MS), strict=True
        ):
            for turn in range(5):
                at_ms = day_ms + day * DAY_MS + since_ms + turn * 15 * MINUTE_MS
                seen.append(seen_by(world, rng, firm, place, at_ms, person))
    yield Label("operator_two_places", person, tuple(seen), False, "顶班人员上下午分处两地，隔日再换")


def festival(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Two dozen handed over at once to the one customer who runs a festival's kitchens."""
    firm = lpg_firm(world, number)
    depot = firm.depots[1]
    fair = customer(world, firm, depot.record.district, "industrial", rng)
    first_ms = some_day(world, rng, rng.uniform(9, 17))
    seen = []
    for turn in range(26):
        walk = parked(world, rng, firm, depot, first_ms + turn * 9_000, model=USUAL)
        seen.append(handed_over(walk, fair, f"{depot.site_id}-C9{number:02}"))
    note = "庙会集中用气，同一用户一次交付"
    yield Label("courier_bulk_scan", f"{depot.site_id}-C9{number:02}", tuple(seen), False, note)


def typed_at_day_end(world: World, rng: Random, number: int) -> Iterator[Label]:
    """An agency of its own inspects at an honest pace, and types it all in before going home; none of few fails."""
    firm = lpg_firm(world, number)
    place = agency(world, f"IA{301 + number}", "310115", rng)
    first_ms = some_day(world, rng, 9, 4, 3)
    seen = []
    for turn in range(24):
        walk = parked(world, rng, firm, firm.stations[0], first_ms - 2 * DAY_MS, full=False)
        at_ms = first_ms + turn * 15 * MINUTE_MS + rng.randrange(120_000)
        walk.haul(Booked.at(place, [("", at_ms)]))
        seen.append(walk.inspect(received_ms=at_hour(first_ms, 17.5)))
        walk.haul(firm.stations[0])
    note = "检验逐只签字，日终集中录入"
    yield Label("inspection_mill", place.site_id, tuple(seen), False, note)
    yield Label("no_failures", place.site_id, tuple(seen), False, "检验数量少，无不合格属正常")


def more_storage(world: World, rng: Random, number: int) -> Iterator[Label]:
    """As many cylinders as the hoarding household, where a bottle room is approved for them."""
    firm = lpg_firm(world, number)
    door = firm.depots[0]
    home = customer(world, firm, door.record.district, "restaurant", rng)
    seen = kept_at(world, rng, firm, door, home)
    yield Label("overstock", home.site_id, tuple(seen), False, "核定储存量较大，未超量")


def returns_missed(world: World, rng: Random, number: int) -> Iterator[Label]:
    """Five are exchanged for five, twice; the courier scans those he brings, and not those he takes."""
    firm = lpg_firm(world, number)
    door = firm.depots[0]
    home = customer(world, firm, door.record.district, "household", rng)
    first_ms = some_day(world, rng, 8, 2, 9)
    brought: list[UUID] = []
    for time in range(3):
        day_ms = first_ms + time * 2 * DAY_MS
        for _ in range(5):
            walk = parked(world, rng, firm, door, day_ms, model=USUAL)
            brought.append(walk.deliver(home))
            walk.place, walk.full = door, False
            walk.now_ms = at_hour(day_ms, 15, days=2)
            # The empty is missed at the customer's, and scanned when it leaves the depot the same evening.
            walk.haul(firm.stations[0])
    yield Label("overstock", home.site_id, tuple(brought), False, "回收漏扫，气瓶实际已离开用户")


def new_depot(world: World, rng: Random, number: int) -> Iterator[Label]:
    """A depot opens: it fills its shelves for some days and then gives out; at the end it closes and is emptied."""
    firm = lpg_firm(world, number)
    opens_ms = some_day(world, rng, 6, 4, 14)
    own = own_depot(world, rng, firm, opens_ms)
    seen: list[UUID] = []
    for turn in range(40):
        walk = parked(world, rng, firm, firm.stations[0], opens_ms + int(rng.uniform(0, 3) * DAY_MS))
        seen += walk.haul(own)
        if turn < 26:
            walk.now_ms = max(walk.now_ms, opens_ms + int(rng.uniform(4, 9) * DAY_MS))
            seen.append(to_somebody(world, rng, walk, firm))
        else:
            walk.now_ms = opens_ms + int(9.5 * DAY_MS)
            seen += walk.haul(firm.depots[turn % 2])
            to_somebody(world, rng, walk, firm)
    yield Label("new_intermediary", own.site_id, tuple(seen), False, "新批准的配送站开业")
    yield Label("sink_source", own.site_id, tuple(seen), False, "新站开业备货，其后正常出瓶")
    yield Label("site_imbalance", own.site_id, tuple(seen), False, "开业备货与停业清库，均有扫码")
