"""Finds agencies that inspect bottle after bottle faster than one can be inspected (检验过快).

Why it matters: an inspection that took no time was not made, and its term puts an unsafe bottle back into use.
Example: an agency with one line passes ten bottles in ten minutes.
Source: 特种设备安全法 art. 40; thresholds inspection_mill.*. Some number of consecutive inspections in less than (number -
lines) x the shortest time, shared among the lines. One alert an agency and day. Records keyed in at the day's end are
quiet where the agency had the time for them since its first scan of the day.
"""

from collections.abc import Iterator, Sequence

from cylinder_trace.judging.days import MOST_NAMED, SiteDay
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import IN_ORDER, Scan
from cylinder_trace.judging.site_rule import SiteRule


def in_day(site_day: SiteDay, reference: Reference) -> Iterator[Finding]:
    inspections = site_day.of("inspect")
    if not inspections:
        return
    at_ms = inspections[0].at_ms
    record = reference.site(site_day.site, at_ms)
    lines = (record.lines if record else None) or 1
    number = int(reference.number("inspection_mill.inspections", at_ms)) + lines - 1
    least_ms = int((number - lines) * reference.number("inspection_mill.min_s", at_ms) * 1000 / lines)
    fast: dict[str, Scan] = {}
    quickest_ms = least_ms
    for start in range(len(inspections) - number + 1):
        run = inspections[start : start + number]
        span_ms = run[-1].at_ms - run[0].at_ms
        if span_ms < least_ms and not _typed_in(run, site_day, least_ms):
            fast |= {scan.event_id: scan for scan in run}
            quickest_ms = min(quickest_ms, span_ms)
    if fast:
        facts: dict[str, Fact] = {
            "agency": site_day.site,
            "inspections": len(fast),
            "number": number,
            "quickest_s": quickest_ms // 1000,
            "lines": lines,
        }
        first = min(fast.values(), key=IN_ORDER)
        ids = tuple(fast)[:MOST_NAMED]
        yield Finding(RULE.name, site_day.site, site_day.name, first.at_ms, site_day.site, ids, facts)


def _typed_in(run: Sequence[Scan], site_day: SiteDay, least_ms: int) -> bool:
    """Whether the run was keyed in afterwards by people who had the time to do the work before."""
    began_ms = site_day.scans[0].at_ms
    return all(scan.entry == "keyed" for scan in run) and run[0].at_ms - began_ms >= least_ms


RULE = SiteRule(
    name="inspection_mill",
    severity=2,
    laws=("特种设备安全法.40", "安全生产法.36"),
    in_day=in_day,
    words=Wording(
        title=("检验过快", "Inspected faster than possible"),
        fact=(
            "{agency}（{lines} 条检验线）连续 {number} 只检验最快仅用 {quickest_s} 秒，当日共 {inspections} 只如此。",
            "{agency} (inspection lines: {lines}) inspected {number} in a row in {quickest_s} s at best; {inspections} that day.",
        ),
        remedy=(
            "抽取当日气瓶复检，核对水压试验原始记录。",
            "Re-inspect a sample of that day's bottles; compare the test records.",
        ),
        innocent=("检验记录于下班前集中录入。", "The day's records were typed in at its end."),
        settles=("试验设备自身的记录时间。", "The times in the test bench's own records."),
    ),
)
