"""Finds fills at a station outside its declared hours, several in one night (非营业时间充装).

Why it matters: what nobody is there to see is filled at night: other firms' bottles, or bottles past their date.
Example: a station open 06:00 to 21:00 fills seven bottles between 23:10 and 00:40.
Source: 特种设备安全法 art. 49; thresholds night_fill.*. A night runs from noon to noon and bears the date it began on;
one alert a station and night. Fills within the clock tolerance of an open hour do not count.
"""

from collections.abc import Iterator

from cylinder_trace.judging.days import MOST_NAMED, SiteDay, dark_fills, day_name
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.tally import Dated
from cylinder_trace.judging.windows import SiteWindow


def in_day(site_day: SiteDay, reference: Reference) -> Iterator[Finding]:
    """Each half of the day that is enough by itself."""
    before, after = dark_fills(site_day, reference)
    yield from _found(site_day.site, site_day.day - 1, before, reference)
    yield from _found(site_day.site, site_day.day, after, reference)


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    """The night that ended on the last day, where it takes both its halves."""
    today, before = window.today, window.days.get(window.day - 1)
    if today and before and today.before_opening and before.after_closing:
        fills = [*before.after_closing, *today.before_opening]
        yield from _found(window.site, window.day - 1, fills, reference)


def _found(site: str, night: int, fills: list[Dated], reference: Reference) -> Iterator[Finding]:
    if fills and len(fills) >= reference.number("night_fill.fills", fills[0][0]):
        facts: dict[str, Fact] = {
            "station": site,
            "fills": len(fills),
            "night": day_name(night),
            "hours": _hours(site, fills[0][0], reference),
        }
        ids = tuple(event_id for _, event_id in fills[:MOST_NAMED])
        yield Finding(RULE.name, site, day_name(night), fills[0][0], site, ids, facts)


def _hours(site: str, at_ms: int, reference: Reference) -> str:
    record = reference.site(site, at_ms)
    return f"{record.opens}-{record.closes}" if record else ""


RULE = SiteRule(
    name="night_fill",
    severity=2,
    laws=("特种设备安全法.49",),
    in_day=in_day,
    in_window=in_window,
    words=Wording(
        title=("非营业时间充装", "Filled outside declared hours"),
        fact=(
            "{station} 登记营业时间 {hours}，{night} 当夜在此之外充装 {fills} 次。",
            "{station} declared {hours} and filled {fills} times outside of it in the night of {night}.",
        ),
        remedy=(
            "调取当夜监控与值班记录，核对所充气瓶；必要时夜间突击检查。",
            "Get that night's video and duty log, check the cylinders; inspect unannounced at night where needed.",
        ),
        innocent=(
            "营业时间已变更未登记，或当夜经批准加班。",
            "Hours changed and not entered, or approved overtime.",
        ),
        settles=(
            "营业时间变更登记或加班审批。",
            "The entry of the new hours, or the approval of the overtime.",
        ),
    ),
)
