"""Finds devices whose clock is wrong: ahead of the server, or behind it by the same time all day (时钟异常).

Why it matters: whether a fill was lawful is decided by its time.
Example: three scans in a day are dated 40 minutes after the server had received them.
Source: TSG 07-2019 D2.1; thresholds clock_fault.*. One alert a device and month. A device that was cut off sends late too,
but by a different time each scan.
"""

from collections.abc import Iterator

from cylinder_trace.judging.clocks import steadily_behind
from cylinder_trace.judging.days import MOST_NAMED, SiteDay, day_name
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import MINUTE_MS
from cylinder_trace.judging.site_rule import SiteRule


def in_day(site_day: SiteDay, reference: Reference) -> Iterator[Finding]:
    for device, scans in sorted(site_day.by_device().items()):
        at_ms = scans[0].at_ms
        ahead_ms = reference.number("clock_fault.ahead_min", at_ms) * MINUTE_MS
        enough = reference.number("clock_fault.per_day", at_ms)
        wrong = [scan for scan in scans if scan.received_ms and scan.at_ms - scan.received_ms > ahead_ms]
        if len(wrong) < enough:
            wrong = steadily_behind(scans, reference)
        if len(wrong) >= enough:
            by_min = [abs(scan.at_ms - (scan.received_ms or 0)) // MINUTE_MS for scan in wrong]
            facts: dict[str, Fact] = {
                "device": device,
                "site": site_day.site,
                "scans": len(wrong),
                "minutes": sorted(by_min)[len(by_min) // 2],
            }
            ids = tuple(scan.event_id for scan in wrong[:MOST_NAMED])
            month = day_name(site_day.day)[:7]
            yield Finding(RULE.name, device, month, wrong[0].at_ms, site_day.site, ids, facts)


RULE = SiteRule(
    name="clock_fault",
    severity=2,
    laws=("TSG07-2019.D2.1", "安全生产法.36"),
    in_day=in_day,
    words=Wording(
        title=("时钟异常", "Clock wrong"),
        fact=(
            "{site} 的设备 {device} 时钟异常：{scans} 条记录与接收时间相差约 {minutes} 分钟。",
            "Device {device} of {site} has a wrong clock: {scans} scans are off their receipt by some {minutes} minutes.",
        ),
        remedy=(
            "校准设备时钟，开启自动对时；核对受影响记录。",
            "Set the clock, have it set itself; check the records it dated.",
        ),
        innocent=("时区设置错误。", "Its time zone was set wrong."),
        settles=("设备当前时间与标准时间的比对。", "The device's time beside the standard time."),
    ),
)
