"""Finds licensed stations from which nothing has come for much longer than usual (充装站无数据).

Why it matters: a station that fills and does not report fills unseen.
Example: a station that reports every day has reported nothing for three.
Source: TSG 07-2019 D2.1; thresholds silent_station.*. The time since its last day with events is the threshold times its usual
gap between such days, reckoned over four weeks; days without declared hours do not count. One alert a station and silence.
"""

from collections.abc import Iterator
from itertools import pairwise
from statistics import mean

from cylinder_trace.judging.days import day_name
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import day_start_ms
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import SiteWindow


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    if window.site not in reference.stations or window.today is not None:
        return
    active = [day for day, tally in sorted(window.days.items()) if tally.first]
    if len(active) < reference.number("silent_station.active_days", window.at_ms):
        return
    factor = reference.number("silent_station.gap_factor", window.at_ms)
    if window.day - active[-1] < factor:
        return  # the usual gap is a day or more
    usual = mean(later - day for day, later in pairwise(active))
    silent = sum(_has_hours(window.site, day, reference) for day in range(active[-1] + 1, window.day + 1))
    if silent < factor * usual:
        return
    if not reference.licences_in_force(window.site, window.at_ms):
        return
    facts: dict[str, Fact] = {
        "station": window.site,
        "last_day": day_name(active[-1]),
        "days": silent,
        "usual_days": round(usual, 1),
    }
    last = window.days[active[-1]]
    yield Finding(
        RULE.name,
        window.site,
        day_name(active[-1]),
        day_start_ms(window.day + 1) - 1,
        window.site,
        (last.first,),
        facts,
    )


def _has_hours(site: str, day: int, reference: Reference) -> bool:
    """Whether the station had declared hours that day; it has none while it is closed for long."""
    return reference.is_open(site, day_start_ms(day)) is not None


RULE = SiteRule(
    name="silent_station",
    severity=2,
    laws=("TSG07-2019.D2.1", "上海市燃气管理条例.44"),
    waits_for_late_scans=True,
    in_window=in_window,
    words=Wording(
        title=("充装站无数据", "Station silent"),
        fact=(
            "{station} 自 {last_day} 以来 {days} 天无任何记录，通常间隔 {usual_days} 天。",
            "Nothing has come from {station} since {last_day}, for {days} days; {usual_days} days is usual.",
        ),
        remedy=(
            "联系该站，核实是否停业；在营的责令恢复上传。",
            "Call the station; where it works, have it send again.",
        ),
        innocent=("节假日停业或检修。", "Closed for a holiday or for repairs."),
        settles=("停业报备或现场情况。", "A notice of closure, or a look at the place."),
    ),
)
