"""Finds cylinders whose inspection or life runs out within 30 days (临期).

Why it matters: the owner applies for the inspection a month before, which is when the cylinder has to be called in.
Example: valid through 31 May, from 2 May on. One alert an owner and month, which many cylinders show; an inspection, or
taking it out of use, ends its part. Source: 特种设备安全法 art. 40. Threshold due_soon.before_days.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.state import Owed, State


def lapse(state: State, owed: Owed, _reference: Reference) -> Finding | None:
    if state.owner is None or state.term_day is None:
        return None
    term = date.fromordinal(state.term_day).isoformat()
    facts: dict[str, Fact] = {"owner": state.owner, "month": term[:7]}
    evidence = (owed.event_id,)
    return Finding(RULE.name, state.owner, term[:7], owed.at_ms, owed.site, evidence, facts)


RULE = CylinderRule(
    name="due_soon",
    severity=3,
    laws=("特种设备安全法.40",),
    lapse=lapse,
    condition=True,
    words=Wording(
        title=(
            "临期",
            "Due for inspection soon",
        ),
        fact=(
            "{owner} 有气瓶将于 {month} 到期。",
            "Cylinders of {owner} are due in {month}.",
        ),
        remedy=(
            "召回到期气瓶，申请定期检验。",
            "Call them in and apply for their inspection.",
        ),
        innocent=(
            "检验已完成，记录晚传。",
            "They were inspected and the record is late.",
        ),
        settles=(
            "检验机构的检验报告。",
            "The inspection agency's report.",
        ),
    ),
)
