"""Finds days on which a station fills far more than it can have filled (充装突增).

Why it matters: fills that were only scanned make other bottles' fills look lawful, or a quota look met.
Example: six bottles are filled a second time in one day without having left the station.
Source: 特种设备安全法 art. 49; thresholds station_burst.*. First the evidence of single bottles: so many filled twice that day.
Else the count: above the median of comparable days, times what the rest of the city does more that day, by so many median
absolute deviations and by the spread of such counts. What catches up after days that stood still stays quiet: as much
as the mean of those days makes for all of them, for a median hides the busy ones.
One alert a station and day.
"""

from collections.abc import Iterator
from math import sqrt
from statistics import fmean, median

from cylinder_trace.judging.days import MOST_NAMED, SiteDay, day_name
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import day_start_ms
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import SiteWindow

_FEWEST_DAYS = 7
_CATCHES_UP = 3
"""Days, the last included, within which a station that stood still makes up for it."""
_STOOD_STILL = 14
"""Days that it may have stood still before."""


def in_day(site_day: SiteDay, reference: Reference) -> Iterator[Finding]:
    twice = site_day.evidence.get("double_fill", ())
    at_ms = day_start_ms(site_day.day)
    if len(twice) >= reference.number("station_burst.ghost_fills", at_ms):
        zh, en = (
            f"{len(twice)} 只气瓶未出站即再次充装",
            f"{len(twice)} cylinders filled twice without leaving",
        )
        facts: dict[str, Fact] = {"station": site_day.site, "zh": zh, "en": en}
        ids = tuple(twice[:MOST_NAMED])
        yield Finding(RULE.name, site_day.site, site_day.name, at_ms, site_day.site, ids, facts)


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    today = window.today
    if today is None or not today.fills:
        return
    baseline = int(reference.number("station_burst.baseline_days", window.at_ms))
    before = [
        (day, tally.fills) for day, tally in window.last(baseline + 1) if day < window.day and tally.fills
    ]
    if len(before) < _FEWEST_DAYS:
        return
    usual = median(fills for _, fills in before)
    spread = 1.4826 * median(abs(fills - usual) for _, fills in before)
    mads = reference.number("station_burst.mads", window.at_ms)
    if today.fills <= _limit(usual, spread, mads):
        return  # whatever the rest of the city does: it only makes more of what is usual
    ratio = _city_ratio(window, [day for day, _ in before])
    usual *= ratio
    mean = ratio * fmean(fills for _, fills in before)
    if today.fills <= _limit(usual, spread, mads) or _catches_up(window, usual, mean, len(before)):
        return
    facts: dict[str, Fact] = {
        "station": window.site,
        "zh": f"充装 {today.fills} 次，可比日期约 {round(usual)} 次",
        "en": f"{today.fills} fills where about {round(usual)} are usual",
    }
    at_ms = day_start_ms(window.day)
    yield Finding(
        RULE.name, window.site, day_name(window.day), at_ms, window.site, (today.first_fill,), facts
    )


def _limit(usual: float, spread: float, mads: float) -> float:
    # A count of over-dispersed arrivals: its variance grows with the square of its mean too.
    return usual + mads * max(spread, sqrt(usual + 0.05 * usual**2))


def _catches_up(window: SiteWindow, usual: float, mean: float, of_days: int) -> bool:
    """Whether what is filled since the station stood still is no more than it would have filled all the while."""

    def stood_still(back: int) -> bool:
        tally = window.days.get(window.day - back)
        return tally is None or tally.fills < usual / 4

    back = next((back for back in range(1, _CATCHES_UP + 1) if stood_still(back)), None)
    if back is None:
        return False
    while back < _STOOD_STILL and stood_still(back + 1):
        back += 1
    expected = mean * (back + 1)
    # A mean of few days is uncertain itself: three standard errors of such a forecast.
    error = 3 * sqrt(expected * (1 + (back + 1) / of_days))
    return window.total("fills", back + 1) <= expected + max(expected / 4, error)


def _city_ratio(window: SiteWindow, days: list[int]) -> float:
    """How much more than on those days the rest of the city fills on the last one; never less than 1."""

    def elsewhere(day: int) -> int:
        own = window.days.get(day)
        return window.city.on("fills", day) - (own.fills if own else 0)

    usual = median(elsewhere(day) for day in days)
    return max(1.0, elsewhere(window.day) / usual) if usual else 1.0


RULE = SiteRule(
    name="station_burst",
    severity=3,
    laws=("特种设备安全法.49",),
    waits_for_late_scans=True,
    in_day=in_day,
    in_window=in_window,
    words=Wording(
        title=("充装突增", "A burst of fills"),
        fact=("{station} 当日{zh}。", "At {station} that day: {en}."),
        remedy=("核对当日充装秤记录与进气量。", "Compare that day's scale log and the gas used."),
        innocent=("停业后补充装，或寒潮带来的需求。", "Catching up after a closure, or a cold spell."),
        settles=("充装秤自身的计数与储罐液位。", "The scale's own count and the tank's level."),
    ),
)
