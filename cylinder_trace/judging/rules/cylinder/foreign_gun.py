"""Finds a scan or a fill with a device or gun that is enrolled at another site (设备串用).

Why it matters: what a lent device records is recorded for a place where it did not happen.
Example: a fill of station A on a gun of station B. One alert a device, site and month; a lent handheld is the usual cause.
Source: 特种设备安全法 art. 49 (records of filling); TSG 07-2019 D2.1 (a working trace system).
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import SCANS, Scan, local_day
from cylinder_trace.judging.state import State


def find(_before: State, scan: Scan, reference: Reference) -> Finding | None:
    site, device, gun = scan.site, scan.device, scan.gun
    if site is None:
        return None
    home = reference.devices.home(device, site, scan.at_ms)
    if home == site:
        if gun is None or (home := reference.home_of_gun(gun, site, scan.at_ms)) == site:
            return None
        device = gun
    month = date.fromordinal(local_day(scan.at_ms)).isoformat()[:7]
    facts: dict[str, Fact] = {"device": device, "site": site, "second_site": home}
    return Finding(RULE.name, site, f"{device}:{month}", scan.at_ms, site, (scan.event_id,), facts)


RULE = CylinderRule(
    name="foreign_gun",
    severity=2,
    laws=(
        "特种设备安全法.49",
        "TSG07-2019.D2.1",
    ),
    kinds=SCANS,
    find=find,
    words=Wording(
        title=(
            "设备串用",
            "A device of another site",
        ),
        fact=(
            "{site} 的记录由 {second_site} 的设备 {device} 产生。",
            "Records of {site} were made with {device}, which belongs to {second_site}.",
        ),
        remedy=(
            "核查该设备当日所在地点，纠正设备登记。",
            "Find where the device was that day; correct its enrolment.",
        ),
        innocent=(
            "设备借用或调拨后未变更登记。",
            "The device was lent or moved and its enrolment not changed.",
        ),
        settles=(
            "设备调拨单及当日监控录像。",
            "The paper that moved the device, and the video of that day.",
        ),
    ),
)
