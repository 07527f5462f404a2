"""Finds a cylinder that has stood with its user for longer than such users take (超期滞留).

Why it matters: a bottle that does not come back is lost, sold on, or runs past its inspection unseen.
Example: a restaurant has one for 61 days. Kept as a stand-by for a recorded reason, or taken out of use: lawful.
Source: 上海市燃气管理条例 art. 44. Thresholds long_dwell.*; its return, or any scan elsewhere, ends it.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import DAY_MS, local_day
from cylinder_trace.judging.state import Owed, State


def lapse(state: State, owed: Owed, reference: Reference) -> Finding | None:
    if state.loc is None or state.loc not in reference.customers or state.dwell_from_ms is None:
        return None
    since = date.fromordinal(local_day(state.dwell_from_ms)).isoformat()
    days = (owed.at_ms - state.dwell_from_ms) // DAY_MS
    facts: dict[str, Fact] = {"site": state.loc, "since": since, "days": days}
    evidence = (owed.event_id,)
    return Finding(RULE.name, state.cylinder_id, owed.event_id, owed.at_ms, state.loc, evidence, facts)


RULE = CylinderRule(
    name="long_dwell",
    severity=3,
    laws=("上海市燃气管理条例.44",),
    lapse=lapse,
    condition=True,
    words=Wording(
        title=(
            "超期滞留",
            "Standing with a user for too long",
        ),
        fact=(
            "自 {since} 起在 {site}，已超过 {days} 天。",
            "With {site} since {since}: more than {days} days.",
        ),
        remedy=(
            "联系用户收回或换瓶；找不到的按丢失登记。",
            "Have it collected or exchanged; enter it as lost where it can not be found.",
        ),
        innocent=(
            "回收漏扫，或用户季节性用气。",
            "The return was not scanned, or the user needs gas in season only.",
        ),
        settles=(
            "用户处的实物核查。",
            "A visit to the user.",
        ),
    ),
)
