"""Finds a cylinder that was shipped and not seen anywhere since (发出未收).

Why it matters: between two gates is where cylinders vanish into unlicensed hands.
Example: shipped Monday 10:00; by Saturday 10:00 no site has scanned it: 72 hours, and 48 more because what a receipt
that was missed left in stock moves on within them. The next scan of it, anywhere, ends this.
Source: 上海市燃气管理条例 art. 44 (traced throughout). Thresholds never_received.*.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.judging.state import Owed, State


def lapse(state: State, owed: Owed, _reference: Reference) -> Finding | None:
    leg = state.open_leg
    if leg is None or state.out:
        return None
    since_ms = leg.departed_ms or owed.at_ms
    hours = (owed.at_ms - since_ms) / HOUR_MS
    facts: dict[str, Fact] = {"from_site": leg.from_site, "to_site": leg.to_site, "hours": f"{hours:g}"}
    evidence = (owed.event_id,)
    return Finding(RULE.name, state.cylinder_id, owed.event_id, owed.at_ms, leg.to_site, evidence, facts)


RULE = CylinderRule(
    name="never_received",
    severity=2,
    laws=("上海市燃气管理条例.44",),
    lapse=lapse,
    condition=True,
    words=Wording(
        title=(
            "发出未收",
            "Shipped and never received",
        ),
        fact=(
            "由 {from_site} 发往 {to_site}，{hours} 小时内任何场所均未再扫到。",
            "Shipped from {from_site} to {to_site}; no site has scanned it within {hours} hours.",
        ),
        remedy=(
            "联系收发双方清点实物，查找该瓶下落。",
            "Have both sites count their stock; find the cylinder.",
        ),
        innocent=(
            "接收漏扫，该瓶仍在库中未动。",
            "The receipt was not scanned and it stands in stock.",
        ),
        settles=(
            "收货场所的实物清点。",
            "A count at the receiving site.",
        ),
    ),
)
