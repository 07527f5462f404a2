"""Finds a fill with no passed check within 24 h after it, or before the cylinder left (缺充装后检查).

Why it matters: leaks and overfills show in the minutes after the fill, and nowhere so cheaply.
Example: filled at 10:00, shipped at 11:00 with no check between. Checked at 10:05, or at 9:50 by another device: lawful.
Source: 特种设备安全法 art. 49. Thresholds no_postcheck.*.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import MOVEMENTS
from cylinder_trace.judging.state import Owed, State


def lapse(state: State, owed: Owed, reference: Reference) -> Finding:
    facts: dict[str, Fact] = {"hours": f"{reference.number('no_postcheck.within_h', owed.at_ms):g}"}
    evidence = (owed.event_id,)
    return Finding(RULE.name, state.cylinder_id, owed.event_id, owed.at_ms, owed.site, evidence, facts)


RULE = CylinderRule(
    name="no_postcheck",
    severity=2,
    laws=("特种设备安全法.49",),
    lapse=lapse,
    due_on=MOVEMENTS,
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "缺充装后检查",
            "No check after filling",
        ),
        fact=(
            "充装后 {hours} 小时内或出站前，无合格的充装后检查记录。",
            "No passed check within {hours} hours after the fill or before it left.",
        ),
        remedy=(
            "核查当班检查记录；未检查即出站的，责令整改。",
            "Check the shift's records; where it left unchecked, order rectification.",
        ),
        innocent=(
            "手持机离线，检查记录晚传。",
            "The handheld was offline and the check is still to come.",
        ),
        settles=(
            "该瓶充装后检查的原始记录。",
            "The original record of the check.",
        ),
    ),
)
