"""Finds stations whose fills all weigh the same, or whose checks take no time (重量雷同、走过场检查).

Why it matters: a scale never shows the same figure all day; a check takes longer than a scan.
Example: 80 fills of a day show two different masses.
Source: 特种设备安全法 art. 49; thresholds identical_weights.*. Of the fills into bottles of one size, fewer different masses
than that share of them; of more than a hundred, of a hundred, for a scale has only so many marks. Or one device made so many
checks in a row in less than some seconds each; bottles checked side by side are scanned together, and then nothing
for a while. One alert a station and day.
"""

from collections import defaultdict
from collections.abc import Iterator

from cylinder_trace.judging.days import MOST_NAMED, SiteDay, size_of, sizes_g
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.site_rule import SiteRule

_MOST_MARKS = 100


def in_day(site_day: SiteDay, reference: Reference) -> Iterator[Finding]:
    if not site_day.scans:
        return
    at_ms = site_day.scans[0].at_ms
    fewest = int(reference.number("identical_weights.fills", at_ms))
    share = reference.number("identical_weights.distinct_share", at_ms)
    seconds = reference.number("identical_weights.check_gap_s", at_ms)
    sizes, fills = sizes_g(reference, at_ms), defaultdict[str, list[Scan]](list)
    for scan in site_day.of("fill"):
        if (size := size_of(scan, sizes)) is not None:
            fills[size].append(scan)
    for size, its in sorted(fills.items()):
        masses = len({scan.net_g for scan in its})
        if len(its) >= fewest and masses / min(len(its), _MOST_MARKS) < share:
            zh = f"{len(its)} 只 {size} 的充装量只有 {masses} 个不同数值"
            yield _found(site_day, its, zh, f"different masses of {len(its)} fills of {size}: {masses}")
            return
    for checks in site_day.by_device("fill_check").values():
        hasty = _hastiest(checks, fewest)
        took_s = (hasty[-1].at_ms - hasty[0].at_ms) / 1000 if hasty else 0
        if 0 < took_s < seconds * (fewest - 1):
            zh = f"{fewest} 次充装前检查前后只用 {took_s:g} 秒"
            yield _found(site_day, hasty, zh, f"{fewest} checks one after another within {took_s:g} s")
            return


def _hastiest(checks: list[Scan], number: int) -> list[Scan]:
    """So many checks in a row that took the least time; none where there are fewer."""
    firsts = range(len(checks) - number + 1)
    first = min(firsts, key=lambda at: checks[at + number - 1].at_ms - checks[at].at_ms, default=len(checks))
    return checks[first : first + number]


def _found(site_day: SiteDay, scans: list[Scan], zh: str, en: str) -> Finding:
    facts: dict[str, Fact] = {"station": site_day.site, "zh": zh, "en": en}
    ids = tuple(scan.event_id for scan in scans[:MOST_NAMED])
    return Finding(RULE.name, site_day.site, site_day.name, scans[0].at_ms, site_day.site, ids, facts)


RULE = SiteRule(
    name="identical_weights",
    severity=3,
    laws=("特种设备安全法.49", "安全生产法.36"),
    in_day=in_day,
    words=Wording(
        title=("重量雷同", "Weights all alike"),
        fact=("{station} 当日 {zh}。", "At {station} that day: {en}."),
        remedy=("现场复称，核对充装秤原始记录。", "Weigh again on the spot; compare the scale's own log."),
        innocent=(
            "自动充装机上传的是设定值而非实际值。",
            "An automatic filler sends its set point, not what it weighed.",
        ),
        settles=("充装秤自身记录的重量。", "The masses in the scale's own log."),
    ),
)
