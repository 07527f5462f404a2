"""Finds a second fill of a cylinder that has not been emptied or moved since the first (连续充装).

Why it matters: a ghost fill hides the filling of a bottle without a code, under the code of one at hand.
Example: filled Monday and Tuesday with no movement between. After a failed post-check it is a recorded rework: lawful.
Source: 特种设备安全法 art. 49 and 85. A missed return scan is the usual innocent cause.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import DAY_MS, MINUTE_MS, Scan, day_start_ms, local_day
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    if before.fill_event is None or before.fill_ms is None:
        return None
    at_customer = before.loc in reference.customers
    if not at_customer and (before.moved_since_fill or before.post_result == "fail"):
        return None
    within_ms = reference.number("double_fill.within_days", scan.at_ms) * DAY_MS
    if not at_customer and scan.at_ms - before.fill_ms > within_ms:
        return None  # a delivery and a return that nobody scanned are likelier by then
    facts: dict[str, Fact] = {"first_at": _local(before.fill_ms), "first_site": before.fill_site}
    evidence = (scan.event_id, before.fill_event)
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, scan.site, evidence, facts)


def _local(ms: int) -> str:
    # When it was, and not how long ago: a snapshot of this morning is still read at night.
    day = local_day(ms)
    hour, minute = divmod((ms - day_start_ms(day)) // MINUTE_MS, 60)
    return f"{date.fromordinal(day)} {hour:02}:{minute:02}"


RULE = CylinderRule(
    name="double_fill",
    severity=2,
    laws=("特种设备安全法.49",),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="ASK",
    do_at_gun=(
        "先称重、查看封口：是满瓶不要再充；是空瓶，补扫回收后再核验。",
        "Weigh it and look at the seal: do not fill a full one; if it is empty, scan its return and ask again.",
    ),
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "连续充装",
            "Filled twice",
        ),
        fact=(
            "{first_at} 已充装，此后无出站、回收记录。",
            "Filled already on {first_at}, with no movement or return since.",
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
