"""Finds scans that a device numbered after others but dated on an earlier day (倒签记录).

Why it matters: a fill after the inspection ran out is lawful on paper when it is dated back.
Example: scan 841 is dated Friday, scan 842 of the same device Tuesday, and 842 reached the server on Saturday.
Source: 安全生产法 art. 36; TSG 07-2019 D2.1; thresholds backdated_scan.*. A device that was cut off keeps its numbers in the
order of its days. One whose clock was wrong for hours is `clock_fault`'s, a whole bundle sent late `backdated_upload`'s.
"""

from collections.abc import Iterator

from cylinder_trace.judging.days import day_name
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.rules.site import backdated_upload
from cylinder_trace.judging.scan import day_start_ms, local_day
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import DeviceWindow


def of_device(window: DeviceWindow, reference: Reference) -> Iterator[Finding]:
    near = int(reference.number("scan_gap.events", window.at_ms))
    for day, at_sites in sorted(window.days.items()):
        for site, did in at_sites:
            # Shown by a day that had begun by its receipt: in nearly all windows there is nothing to look for.
            late = [one for one in did.overnight if local_day(one[1]) >= window.day]
            if not late or backdated_upload.shown_by(window, day, did) is not None:
                continue
            for number, received_ms, event_id in late:
                # Told in one window only: that of the first day that shows it.
                shown = _earlier_number_later(window, day, number, received_ms, near)
                if shown is None or shown[0] != window.day:
                    continue
                facts: dict[str, Fact] = {
                    "device": window.device,
                    "site": site,
                    "number": number,
                    "day": day_name(day),
                    "earlier_number": shown[1],
                    "later_day": day_name(shown[0]),
                    "received": day_name(local_day(received_ms)),
                }
                anchor = f"{day_name(day)}:{number}"
                yield Finding(
                    RULE.name, window.device, anchor, day_start_ms(day), site, (event_id, shown[2]), facts
                )


def _earlier_number_later(
    window: DeviceWindow, day: int, number: int, received_ms: int, near: int
) -> tuple[int, int, str] | None:
    """The first later day on which the device made a scan of a lower number: that day, that number, a scan of the day.

    On the day of the receipt only a number not far below says so: the device may have been set up anew after it.
    """
    for later, at_sites in sorted(window.days.items()):
        if not day < later <= local_day(received_ms):
            continue
        for _, did in sorted(at_sites, key=lambda one: one[0]):
            # A day that was heard of before it began was dated by a fast clock.
            if did.first_received_ms is None or did.first_received_ms < day_start_ms(later):
                continue
            least = number - near if later == local_day(received_ms) else 0
            lower = [min(last, number - 1) for first, last in did.heard if first < number and last >= least]
            if lower:
                return later, max(lower), did.last
    return None


RULE = SiteRule(
    name="backdated_scan",
    severity=2,
    laws=("安全生产法.36", "TSG07-2019.D2.1"),
    of_device=of_device,
    words=Wording(
        title=("倒签记录", "A scan dated back"),
        fact=(
            "{site} 的{device} 第 {number} 条记录注明 {day}，其前的第 {earlier_number} 条却在 {later_day}；{received} 收到。",
            "Scan {number} of {device} at {site} says {day}; scan {earlier_number} before it, {later_day}. Received {received}.",
        ),
        remedy=(
            "责令说明该条记录的实际时间，核对监控与秤的原始记录；以实际时间重新判断该次充装。",
            "Have it explained when it was made; compare video and the scale's own record, and judge it by that time.",
        ),
        innocent=(
            "设备重启后时钟一度错误，随即自动校正。",
            "The clock was wrong for a moment after a restart and then set itself.",
        ),
        settles=("设备本机日志与秤的原始记录。", "The device's own log and the scale's own record."),
    ),
)
