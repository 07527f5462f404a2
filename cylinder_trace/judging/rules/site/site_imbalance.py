"""Finds stations and depots that cylinders leave, or come to, without being scanned, many more one way than the other (进出失衡).

Why it matters: a missed scan hits going and coming alike; bottles that only vanish are taken past the ledger.
Example: in two weeks forty bottles turn up elsewhere that the records have at a depot, and three the other way.
Source: 上海市燃气管理条例 art. 44; thresholds site_imbalance.*. The net number in the window is above a fixed number, and
above so many standard deviations of what missed scans make by chance: the root of the movements times the share that
is missed, which is the city's or at least the expected one. One alert a site and month.
"""

from collections.abc import Iterator
from math import sqrt

from cylinder_trace.judging.days import MOST_NAMED
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import SiteWindow


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    if not (window.site in reference.stations or window.site in reference.depots):
        return
    days = int(reference.number("site_imbalance.window_days", window.at_ms))
    gone, come = window.total("jumps_out", days), window.total("jumps_in", days)
    net = abs(gone - come)
    least = reference.number("site_imbalance.cylinders", window.at_ms)
    if net <= least:
        return
    moves = max(window.total("movements", days), 1)
    sigmas = reference.number("site_imbalance.sigmas", window.at_ms)
    least_missed = reference.number("site_imbalance.missed_share", window.at_ms)
    if net <= sigmas * sqrt(least_missed * moves):
        return  # however many the city's others miss
    missed = max(
        window.city.total("jumps_out") / max(window.city.total("movements"), 1),
        least_missed,
    )
    sigma = sqrt(missed * moves)
    if net > sigmas * sigma:
        leaving = gone > come
        kept = "gone" if leaving else "come"
        ids = [one for _, tally in reversed(window.last(days)) for one in getattr(tally, kept)]
        facts: dict[str, Fact] = {
            "site": window.site,
            "gone": gone,
            "come": come,
            "days": days,
            "chance": round(sigma, 1),
        }
        evidence = tuple(ids[:MOST_NAMED])
        yield Finding(RULE.name, window.site, window.month, window.at_ms, window.site, evidence, facts)


RULE = SiteRule(
    name="site_imbalance",
    severity=2,
    laws=("上海市燃气管理条例.44",),
    waits_for_late_scans=True,
    in_window=in_window,
    words=Wording(
        title=("进出失衡", "Comings and goings do not balance"),
        fact=(
            "{site} {days} 天内有 {gone} 只气瓶未扫码离开、{come} 只未扫码到达；漏扫通常只差 {chance} 只左右。",
            "Within {days} days {gone} cylinders left {site} unscanned and {come} came; chance makes a difference of {chance}.",
        ),
        remedy=(
            "现场盘点，核对进出台账，追查缺少气瓶的去向。",
            "Count the stock, compare the books, trace the missing bottles.",
        ),
        innocent=(
            "一台扫码设备整段时间故障，或站点启用、关闭时整批搬运。",
            "A scanner out of order for long, or a move of the whole stock.",
        ),
        settles=("现场盘点结果。", "A count of what is there."),
    ),
)
