"""The honest life of a cylinder: round and round between station, depot and customer, inspected in time."""

from datetime import timedelta

from cylinder_trace.simulator.plan import HOUR_MS
from cylinder_trace.simulator.walk import Walk

_FAILED_CHECK = 0.01
_UNREADABLE = 0.001
"""Of the trips to a station, those on which nobody can read the label."""

_RELABELLED = 0.003
_COUNTED = 0.03
_SCRAPPED_AT_INSPECTION = 0.03
_APPLY_BEFORE = timedelta(days=75)
"""No term ends with a customer: two months at a household, and the days until it is handed over."""


def honest_life(walk: Walk) -> None:
    """Let the cylinder circulate lawfully from wherever it is until the city's end, or until it is scrapped."""
    end_ms = walk.world.plan.end_ms
    while walk.now_ms < end_ms:
        if walk.place is None:
            walk.collect()
        elif not walk.place.guns:
            _at_depot(walk)
        elif walk.full:
            walk.wait(2, 40)
            if walk.bottle.firm.is_lpg:
                walk.haul(walk.rng.choice(walk.bottle.firm.depots))
                if walk.unreadable:
                    walk.relabel("瓶码无法识读")
            else:
                _hand_over(walk)
        elif walk.bottle.valid_until <= walk.today + _APPLY_BEFORE:
            if not inspected_in_time(walk):
                return
        else:
            _through_station(walk)


def begun(walk: Walk) -> None:
    """Put a cylinder where it might be found on the first day: most with customers, the rest on the way."""
    rng = walk.rng
    share = rng.random()
    if share < 0.7:
        now_ms = walk.now_ms
        walk.stay()
        walk.now_ms = now_ms + int((walk.now_ms - now_ms) * rng.random())
        return
    walk.place = walk.station if share < 0.85 or not walk.bottle.firm.is_lpg else walk.door
    walk.full = rng.random() < 0.5 and walk.bottle.valid_until > walk.today + _APPLY_BEFORE
    walk.wait(0, 48)


def inspected_in_time(walk: Walk) -> bool:
    """To an agency and back to the station; False where the agency scrapped it."""
    station = walk.at
    walk.haul(walk.rng.choice(walk.world.agencies))
    scrap = not walk.faithful and walk.rng.random() < _SCRAPPED_AT_INSPECTION
    walk.inspect(scrap=scrap)
    if scrap:
        walk.world.act(walk.now_ms + HOUR_MS, "scrap", cylinder_code=walk.bottle.code, method="压扁")
        return False
    walk.haul(station)
    return True


def _at_depot(walk: Walk) -> None:
    if walk.full:
        walk.wait(2, 55)
        if walk.rng.random() < _COUNTED:
            walk.count()
        walk.wait(0, 55)
        _hand_over(walk)
    else:
        walk.wait(1, 30)
        # Of a faithful one every scan is made, so that its label can be read.
        walk.unreadable = walk.rng.random() < _UNREADABLE and not walk.faithful
        walk.haul(walk.rng.choice(walk.bottle.firm.stations))


def _hand_over(walk: Walk) -> None:
    walk.deliver()
    walk.stay()


def _through_station(walk: Walk) -> None:
    walk.wait(0.5, 20)
    if walk.rng.random() < _FAILED_CHECK:
        walk.check("fail")
        walk.wait(1, 4)
        station = walk.at.site_id
        # A repair is entered at the desk, by the stamp where the label can not be read.
        walk.scan("repair", station, f"{station}-H1", f"{station}-W1", part="瓶阀",
                  new_part_no=f"V{walk.rng.randrange(10**6):06}")  # fmt: skip
        walk.wait(0.5, 2)
    if walk.bottle.valid_until <= walk.today + _APPLY_BEFORE:
        return
    walk.filled()
    if not walk.unreadable and walk.rng.random() < _RELABELLED:
        walk.wait(0.5, 1)
        walk.relabel("标签磨损，换发新标签")
