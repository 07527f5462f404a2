"""Finds steps that can not follow each other: a check after filling with no fill, a delivery by whom it was not with (次序异常).

Why it matters: a step that could not happen was made up, or the one that made it possible is hidden.
Example: checked after filling at a station that did not fill it that day; delivered to one user, then to another with no
return and no other scan between. A fill within 15 min makes the check lawful: clocks differ. Source: 特种设备安全法 art. 49.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import Owed, State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    loc, goal = before.loc, scan.to_site
    if loc is None or loc == goal or loc not in reference.customers or goal not in reference.customers:
        return None
    if before.station_since_return and before.returned and before.dwell_event is None:
        return None
    facts: dict[str, Fact] = {
        "why_zh": "交付用户后未经回收又交付另一用户",
        "why_en": "it was delivered to one user and, not returned, to another",
    }
    evidence = (scan.event_id, before.loc_event or "")
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, scan.site, evidence, facts)


def lapse(state: State, owed: Owed, _reference: Reference) -> Finding:
    facts: dict[str, Fact] = {
        "why_zh": "充装后检查之前该站并无充装",
        "why_en": "it was checked after filling where it had not been filled",
    }
    evidence = (owed.event_id,)
    return Finding(RULE.name, state.cylinder_id, owed.event_id, owed.at_ms, owed.site, evidence, facts)


RULE = CylinderRule(
    name="impossible_order",
    severity=3,
    laws=("特种设备安全法.49",),
    kinds=frozenset(["deliver"]),
    only="out_of_place",
    find=find,
    lapse=lapse,
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "次序异常",
            "Steps in an impossible order",
        ),
        fact=(
            "记录次序不可能：{why_zh}。",
            "The records can not be in this order: {why_en}.",
        ),
        remedy=(
            "核查相关记录的来源，补录漏扫或更正误录。",
            "Find where the records come from; add what was missed, correct what is wrong.",
        ),
        innocent=(
            "其间的扫码漏扫，或设备时钟不准。",
            "The scan between was missed, or a clock was wrong.",
        ),
        settles=(
            "该瓶当日的原始记录与监控录像。",
            "The original records and the video of that day.",
        ),
    ),
)
