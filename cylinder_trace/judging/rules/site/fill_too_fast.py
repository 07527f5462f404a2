"""Finds guns that fill bottle after bottle faster than gas can flow (充装过快).

Why it matters: a fill takes its time; scans that follow each other faster are scans of labels, not fills.
Example: three times in a day a gun has two 15 kg bottles less than 45 s apart.
Source: 特种设备安全法 art. 49; thresholds fill_too_fast.*. One alert a station's gun and day. A fill does not name its bottle's
model: it is the one whose allowed mass is nearest. Equal times are a rack filled at once, which is lawful, and only fills
of one device are compared, for two have two clocks.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from cylinder_trace.judging.days import MOST_NAMED, SiteDay, size_of, sizes_g
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.site_rule import SiteRule


def in_day(site_day: SiteDay, reference: Reference) -> Iterator[Finding]:
    by_gun: dict[tuple[str, str], list[Scan]] = defaultdict(list)
    for scan in site_day.of("fill"):
        if scan.gun is not None and scan.medium == "lpg":
            by_gun[scan.gun, scan.device or ""].append(scan)
    found: dict[str, list[tuple[Scan, int]]] = defaultdict(list)
    for (gun, _), fills in sorted(by_gun.items()):
        found[gun] += _too_close(fills, reference)
    for gun, close in found.items():
        if close and len(close) >= reference.number("fill_too_fast.gaps", close[0][0].at_ms):
            facts: dict[str, Fact] = {
                "gun": gun,
                "station": site_day.site,
                "gaps": len(close),
                "shortest_s": min(gap_ms for _, gap_ms in close) // 1000,
            }
            first = close[0][0]
            ids = tuple(scan.event_id for scan, _ in close[:MOST_NAMED])
            # Many stations number their guns from one on.
            anchor = f"{site_day.site}:{site_day.name}"
            yield Finding(RULE.name, gun, anchor, first.at_ms, site_day.site, ids, facts)


def _too_close(fills: list[Scan], reference: Reference) -> Iterator[tuple[Scan, int]]:
    """The fills that began too soon after the one before them, and how soon in ms."""
    sizes = sizes_g(reference, fills[0].at_ms)
    for before, scan in pairwise(fills):
        gap_ms = scan.at_ms - before.at_ms
        size = size_of(scan, sizes)
        if not gap_ms or size is None or scan.code == before.code:
            continue
        if gap_ms < reference.number(f"fill_too_fast.min_s.{size}", scan.at_ms) * 1000:
            yield scan, gap_ms


RULE = SiteRule(
    name="fill_too_fast",
    severity=2,
    laws=("特种设备安全法.49", "GBT38059-2019"),
    in_day=in_day,
    words=Wording(
        title=("充装过快", "Filled faster than gas flows"),
        fact=(
            "{station} 的充装枪 {gun} 当日有 {gaps} 次充装间隔短于物理下限，最短 {shortest_s} 秒。",
            "Gun {gun} of {station} began {gaps} fills sooner than is possible that day, after {shortest_s} s at the shortest.",
        ),
        remedy=(
            "现场核对充装秤记录，查是否只扫码未充装或代扫。",
            "Compare the scale's log; look for scans without fills.",
        ),
        innocent=(
            "多只同时充装后逐只补扫。",
            "Several were filled at once and scanned one by one afterwards.",
        ),
        settles=("充装秤自身的起止记录。", "The scale's own log of starts and ends."),
    ),
)
