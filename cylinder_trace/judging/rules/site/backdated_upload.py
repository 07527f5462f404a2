"""Finds devices that sent a day's scans days later although they had sent later ones before (倒填上传).

Why it matters: a device sends in the order it scanned; old scans after new ones were written up afterwards.
Example: on Friday a gun sends eight fills dated Monday, though it has been sending all week.
Source: 安全生产法 art. 36; thresholds backdated_upload.*. A device that was cut off is silent all the while, then sends
everything in order, and is not found. One alert a device and day of receipt.
"""

from collections.abc import Iterator

from cylinder_trace.judging.days import day_name, was_sent_before
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import DAY_MS, day_start_ms, local_day
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.tally import DeviceDay
from cylinder_trace.judging.windows import DeviceWindow


def of_device(window: DeviceWindow, _reference: Reference) -> Iterator[Finding]:
    for day, at_sites in sorted(window.days.items()):
        for site, did in at_sites:
            late_ms = did.late_received_ms
            # Told in one window only: that of the day that shows the device to have been sending.
            if late_ms is not None and shown_by(window, day, did) == window.day:
                facts: dict[str, Fact] = {
                    "device": window.device,
                    "site": site,
                    "day": day_name(day),
                    "received": day_name(local_day(late_ms)),
                    "days_late": (late_ms - day_start_ms(day)) // DAY_MS,
                }
                yield Finding(
                    RULE.name,
                    window.device,
                    day_name(local_day(late_ms)),
                    day_start_ms(day),
                    site,
                    tuple(did.late),
                    facts,
                )


def shown_by(window: DeviceWindow, day: int, did: DeviceDay) -> int | None:
    """The day that shows what a device sent of `day` to have been written up afterwards; None where none does."""
    if did.late_received_ms is None:
        return None
    return day if did.proved else _first_day_sent_before(window, day, did.late_received_ms)


def _first_day_sent_before(window: DeviceWindow, day: int, late_ms: int) -> int | None:
    for later, at_sites in sorted(window.days.items()):
        if later > day and any(was_sent_before(did.first_received_ms, late_ms) for _, did in at_sites):
            return later
    return None


RULE = SiteRule(
    name="backdated_upload",
    severity=2,
    laws=("安全生产法.36", "TSG07-2019.D2.1"),
    of_device=of_device,
    words=Wording(
        title=("倒填上传", "Written up afterwards"),
        fact=(
            "{site} 的设备 {device} 于 {received} 上传 {day} 的记录，晚 {days_late} 天，而其后的记录早已上传。",
            "Device {device} of {site} sent scans of {day} on {received}, {days_late} days late, after later ones had been sent.",
        ),
        remedy=(
            "责令说明补录原因，核对监控与纸质台账。",
            "Have it explained; compare video and paper books.",
        ),
        innocent=("设备故障后从备份恢复的记录。", "Records restored from a broken device."),
        settles=("设备维修单及其存储的原始日志。", "The repair slip and the device's own log."),
    ),
)
