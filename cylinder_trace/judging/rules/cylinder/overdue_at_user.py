"""Finds cylinders past their term that stand with users (在户超期).

Why it matters: an uninspected cylinder in a kitchen is a danger that no station sees.
Example: valid through 31 May, with a user on 1 June. One alert an owner, district and month of the term; that it is
collected, inspected or taken out of use ends its part. Source: 特种设备安全法 art. 40 and 84.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.state import Owed, State


def lapse(state: State, owed: Owed, reference: Reference) -> Finding | None:
    if state.owner is None or state.term_day is None or state.loc not in reference.customers:
        return None
    district = reference.sites[state.loc].district
    month = date.fromordinal(state.term_day).isoformat()[:7]
    facts: dict[str, Fact] = {"owner": state.owner, "district": district, "month": month}
    evidence = (owed.event_id,)
    return Finding(RULE.name, state.owner, f"{district}:{month}", owed.at_ms, state.loc, evidence, facts)


RULE = CylinderRule(
    name="overdue_at_user",
    severity=2,
    laws=(
        "特种设备安全法.40",
        "特种设备安全法.84",
    ),
    lapse=lapse,
    condition=True,
    words=Wording(
        title=(
            "在户超期",
            "Past its term, with a user",
        ),
        fact=(
            "{owner} 在{district}用户处有 {month} 到期未检的气瓶。",
            "{owner} has cylinders with users in {district} that were due in {month}.",
        ),
        remedy=(
            "限期从用户处收回并送检。",
            "Have them collected from the users and inspected by a date.",
        ),
        innocent=(
            "已收回，回收扫码漏扫。",
            "They were collected and the return was not scanned.",
        ),
        settles=(
            "用户处的实物核查，或检验报告。",
            "A visit to the user, or the inspection report.",
        ),
    ),
)
