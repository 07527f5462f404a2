"""Finds a fill with no passed check of the same cylinder at that station in the 24 h before it (缺充装前检查).

Why it matters: the check before filling is where overdue, damaged and foreign cylinders are caught.
Example: filled at 10:00, last check 09:59 two days before. A check at 10:10 counts: two clocks differ up to 15 min.
Source: 特种设备安全法 art. 49; GB/T 38059-2019 (verify before filling). Thresholds no_precheck.*.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import Owed, State


def lapse(state: State, owed: Owed, reference: Reference) -> Finding:
    evidence = (owed.event_id,)
    facts = _facts(owed.at_ms, reference)
    return Finding(RULE.name, state.cylinder_id, owed.event_id, owed.at_ms, owed.site, evidence, facts)


def rehearse(state: State, fill: Scan, reference: Reference) -> Finding | None:
    # A question that names no gun is asked before the check as well, where its absence says nothing.
    if fill.gun is None:
        return None
    before_ms = reference.fill_check_terms(fill.at_ms).before_ms
    if (
        state.check_ms is not None
        and state.check_site == fill.site
        and fill.at_ms - state.check_ms <= before_ms
    ):
        return None
    return Finding.at_scan(RULE.name, state.cylinder_id, fill, _facts(fill.at_ms, reference))


def _facts(at_ms: int, reference: Reference) -> dict[str, Fact]:
    return {"hours": f"{reference.number('no_precheck.before_h', at_ms):g}"}


RULE = CylinderRule(
    name="no_precheck",
    severity=2,
    laws=("特种设备安全法.49",),
    lapse=lapse,
    rehearse=rehearse,
    at_gun="ASK",
    do_at_gun=(
        "先做充装前检查并登记，合格后再充装。",
        "Make the check before filling and record it; fill once it is passed.",
    ),
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "缺充装前检查",
            "No check before filling",
        ),
        fact=(
            "充装前 {hours} 小时内，本站无合格的充装前检查记录。",
            "No passed check at this station within {hours} hours before the fill.",
        ),
        remedy=(
            "核查当班检查记录；未检查即充装的，责令整改。",
            "Check the shift's records; where no check was made, order rectification.",
        ),
        innocent=(
            "手持机离线，检查记录晚传。",
            "The handheld was offline and the check is still to come.",
        ),
        settles=(
            "该瓶充装前检查的原始记录。",
            "The original record of the check.",
        ),
    ),
)
