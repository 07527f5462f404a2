"""Finds couriers who scan many deliveries to different customers at once (集中扫码).

Why it matters: what is scanned at the gate was not handed over at a door: neither the customer nor the flat was checked.
Example: one handheld records 25 deliveries to 25 households within four minutes.
Source: 上海市燃气管理条例 art. 44; thresholds courier_bulk_scan.*. One alert a device and day.
"""

from collections.abc import Iterator

from cylinder_trace.judging.days import MOST_NAMED, SiteDay
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import MINUTE_MS, Scan
from cylinder_trace.judging.site_rule import SiteRule


def in_day(site_day: SiteDay, reference: Reference) -> Iterator[Finding]:
    for device, scans in sorted(site_day.by_device("deliver").items()):
        at_ms = scans[0].at_ms
        most = reference.number("courier_bulk_scan.deliveries", at_ms)
        window_ms = int(reference.number("courier_bulk_scan.window_min", at_ms) * MINUTE_MS)
        bulk = _largest(scans, window_ms)
        customers = {scan.to_site for scan in bulk}
        if len(customers) > most:
            facts: dict[str, Fact] = {
                "device": device,
                "site": site_day.site,
                "deliveries": len(bulk),
                "customers": len(customers),
                "minutes": -(-(bulk[-1].at_ms - bulk[0].at_ms) // MINUTE_MS),
            }
            ids = tuple(scan.event_id for scan in bulk[:MOST_NAMED])
            yield Finding(RULE.name, device, site_day.name, bulk[0].at_ms, site_day.site, ids, facts)


def _largest(scans: list[Scan], window_ms: int) -> list[Scan]:
    """The deliveries within one window that reach most customers, the earliest such."""
    best: tuple[int, int, int] = (0, 0, 0)
    start = 0
    inside: dict[str | None, int] = {}
    for end, scan in enumerate(scans):
        inside[scan.to_site] = inside.get(scan.to_site, 0) + 1
        while scan.at_ms - scans[start].at_ms > window_ms:
            inside[scans[start].to_site] -= 1
            if not inside[scans[start].to_site]:
                del inside[scans[start].to_site]
            start += 1
        if len(inside) > best[0]:
            best = len(inside), start, end + 1
    return scans[best[1] : best[2]]


RULE = SiteRule(
    name="courier_bulk_scan",
    severity=3,
    laws=("上海市燃气管理条例.44",),
    in_day=in_day,
    words=Wording(
        title=("配送集中扫码", "Deliveries scanned in bulk"),
        fact=(
            "{site} 的设备 {device} 在 {minutes} 分钟内登记配送 {deliveries} 次，涉及 {customers} 个用户。",
            "Device {device} of {site} recorded {deliveries} deliveries to {customers} customers within {minutes} minutes.",
        ),
        remedy=(
            "要求送气工到户扫码，抽查用户是否收到并经入户安检。",
            "Have couriers scan at the door; ask some of the customers.",
        ),
        innocent=("同一地点的活动有多个用户同时收瓶。", "One event on one ground with several customers."),
        settles=("几位用户的签收记录。", "What some of the customers signed."),
    ),
)
