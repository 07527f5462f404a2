"""Finds agencies at which no bottle ever fails, against what is usual in the city (检验全部合格).

Why it matters: some bottles are always worn out; an agency that finds none does not look.
Example: 150 bottles in four weeks, none failed, while one in twenty fails elsewhere.
Source: 特种设备安全法 art. 40; thresholds no_failures.*. No failure among n is less likely than the threshold at the share
that fails at the city's other agencies. One alert an agency and month.
"""

from collections.abc import Iterator

from cylinder_trace.judging.days import MOST_NAMED
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import SiteWindow


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    if not (window.today and window.today.inspected):
        return
    inspected, failed = window.total("inspected"), window.total("failed")
    if failed:
        return
    others = window.city.total("inspected") - inspected
    fail = window.city.total("failed")
    if fail < reference.number("no_failures.city_failures", window.at_ms):
        return
    probability = (1 - fail / others) ** inspected
    if probability < reference.number("no_failures.probability", window.at_ms):
        facts: dict[str, Fact] = {
            "agency": window.site,
            "inspected": inspected,
            "city_percent": round(100 * fail / others, 1),
        }
        ids = tuple(window.named("first_inspect")[:MOST_NAMED])
        yield Finding(RULE.name, window.site, window.month, window.at_ms, window.site, ids, facts)


RULE = SiteRule(
    name="no_failures",
    severity=3,
    laws=("特种设备安全法.40",),
    in_window=in_window,
    words=Wording(
        title=("检验全部合格", "No bottle ever fails"),
        fact=(
            "{agency} 四周检验 {inspected} 只，无一不合格；全市其他机构不合格率 {city_percent}%。",
            "{agency} inspected {inspected} in four weeks and failed none; elsewhere {city_percent} % fail.",
        ),
        remedy=("抽检该机构近期判定合格的气瓶。", "Re-inspect a sample of what it passed lately."),
        innocent=(
            "所检均为新瓶，或不合格瓶未上报。",
            "It saw new bottles only, or does not report those that fail.",
        ),
        settles=(
            "所检气瓶的制造年份与不合格品台账。",
            "Years of make of what it saw, and its book of rejects.",
        ),
    ),
)
