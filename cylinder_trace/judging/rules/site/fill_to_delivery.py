"""Finds firms that deliver far more bottles than their stations fill, or fill far more than they deliver (充装配送不符).

Why it matters: what is delivered and was never filled comes from elsewhere; what is filled and never delivered goes
past the ledger.
Example: in four weeks a firm fills 900 bottles and delivers 1,500.
Source: 城镇燃气管理条例 art. 18; thresholds fill_to_delivery.*. Firms with a filling agreement are left out, for others fill for
them or they for others. One alert a firm and month,
at the station that fills most.
"""

from collections.abc import Iterator

from cylinder_trace.judging.days import MOST_NAMED
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import SiteWindow


def in_window(window: SiteWindow, reference: Reference) -> Iterator[Finding]:
    if window.site not in reference.stations:
        return
    stations = sorted(site for site in window.firm if site in reference.stations)
    owner = reference.owner_of_site(window.site, window.at_ms)
    # Once a firm: at the first of its stations.
    if not owner or window.site != stations[0] or _has_agreements(owner, reference):
        return
    first_day = min(min(its) for its in window.firm.values())
    if window.day - first_day < reference.number("fill_to_delivery.window_days", window.at_ms) - 1:
        return
    fills_at = {site: sum(tally.fills for tally in its.values()) for site, its in window.firm.items()}
    tallies = [its[day] for _, its in sorted(window.firm.items()) for day in sorted(its, reverse=True)]
    fills, delivers = sum(fills_at.values()), sum(tally.delivers for tally in tallies)
    more, fewer = max(fills, delivers), min(fills, delivers)
    if more - fewer < reference.number("fill_to_delivery.cylinders", window.at_ms) or not fewer:
        return
    if more > fewer * reference.number("fill_to_delivery.ratio", window.at_ms):
        station = max(stations, key=lambda site: (fills_at[site], site))
        kept = "first_fill" if fills > delivers else "first_deliver"
        ids = tuple(one for tally in tallies if (one := getattr(tally, kept)))[:MOST_NAMED]
        facts: dict[str, Fact] = {"owner": owner, "fills": fills, "delivers": delivers}
        yield Finding(RULE.name, station, window.month, window.at_ms, station, ids, facts)


def _has_agreements(owner: str, reference: Reference) -> bool:
    return any(owner in {one, reference.owner_of_site(station, 0)} for one, station in reference.agreements)


RULE = SiteRule(
    name="fill_to_delivery",
    severity=3,
    laws=("城镇燃气管理条例.18", "上海市燃气管理条例.44"),
    waits_for_late_scans=True,
    in_window=in_window,
    words=Wording(
        title=("充装与配送数量不符", "Fills and deliveries differ"),
        fact=(
            "{owner} 四周充装 {fills} 次，配送 {delivers} 次，相差悬殊。",
            "{owner} filled {fills} times and delivered {delivers} times in four weeks.",
        ),
        remedy=(
            "核对进气量、充装与销售台账，查找未登记的气源或去向。",
            "Compare gas bought, filled and sold; look for another source or way out.",
        ),
        innocent=(
            "用户自提未登记，或一台设备整段时间未上传。",
            "Bottles fetched by customers, or a device that did not send.",
        ),
        settles=("同期进气与销售发票。", "Invoices of gas bought and sold in that time."),
    ),
)
