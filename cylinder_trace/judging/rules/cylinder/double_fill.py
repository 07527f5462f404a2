"""Finds a second fill of a cylinder that has not been emptied or moved since the first (连续充装).

Why it matters: a ghost fill hides the filling of a bottle without a code, under the code of one at hand.
Example: filled Monday and Tuesday with no movement between. After a failed post-check it is a recorded rework: lawful.
Source: 特种设备安全法 art. 49 and 85. A missed return scan is the usual innocent cause.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, Scan
from cylinder_trace.judging.state import State

_IN_DAYS_H = 72
"""From so many hours on people count in days."""


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    if before.fill_event is None or before.fill_ms is None:
        return None
    at_customer = before.loc in reference.customers
    if not at_customer and (before.moved_since_fill or before.post_result == "fail"):
        return None
    within_ms = reference.number("double_fill.within_days", scan.at_ms) * DAY_MS
    if not at_customer and scan.at_ms - before.fill_ms > within_ms:
        return None  # a delivery and a return that nobody scanned are likelier by then
    hours = round((scan.at_ms - before.fill_ms) / HOUR_MS, 1)
    days = round(hours / 24)
    facts: dict[str, Fact] = {
        "hours_before": hours,
        "first_site": before.fill_site,
        "ago_zh": f"{days} 天" if hours >= _IN_DAYS_H else f"{hours:g} 小时",
        "ago_en": f"{days} days" if hours >= _IN_DAYS_H else f"{hours:g} hours",
    }
    evidence = (scan.event_id, before.fill_event)
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, scan.site, evidence, facts)


RULE = CylinderRule(
    name="double_fill",
    severity=2,
    laws=("特种设备安全法.49",),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="ASK",
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "连续充装",
            "Filled twice",
        ),
        fact=(
            "{ago_zh}前已充装，其间无出站、回收记录。",
            "Filled {ago_en} before, with no movement or return between.",
        ),
        remedy=(
            "核对两次充装的实物与秤重，排查套码充装。",
            "Compare cylinder and scale records of both fills; look for fills under a borrowed code.",
        ),
        innocent=(
            "回收扫码漏扫，或误扫瓶码。",
            "A return scan was missed, or a wrong code was scanned.",
        ),
        settles=(
            "两次充装的秤重原始记录与监控录像。",
            "The scale's records and the video of both fills.",
        ),
    ),
)
