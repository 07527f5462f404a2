"""Finds a fill after the cylinder's design life, or its one recorded extension, ended (超年限充装).

Why it matters: fatigue is not seen from outside; past its life a shell is scrapped, not inspected.
Example: LPG bottle made 2016-05, eight years: filled on 2024-05-31 is lawful, on 2024-06-01 is not.
Source: 特种设备安全法 art. 32 and 48; lives in law/service_life.toml. A stamp is good through its month.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan, local_day
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, _reference: Reference) -> Finding | None:
    end = before.life_end_day
    if end is None or local_day(scan.at_ms) <= end:
        return None
    facts: dict[str, Fact] = {
        "life_end": date.fromordinal(end).isoformat(),
        "filled_on": date.fromordinal(local_day(scan.at_ms)).isoformat(),
    }
    return Finding.at_scan(RULE.name, before.cylinder_id, scan, facts)


RULE = CylinderRule(
    name="fill_over_life",
    severity=1,
    laws=("特种设备安全法.32", "特种设备安全法.48", "特种设备安全法.49"),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "不要充装，挂“停用”牌，放到待报废区，告诉站长。",
        "Do not fill; tag it out of use, put it with those to be scrapped, and tell the manager.",
    ),
    words=Wording(
        title=(
            "超年限充装",
            "Filled after the end of its life",
        ),
        fact=(
            "使用年限至 {life_end}，{filled_on} 仍被充装。",
            "Its life ended on {life_end}; it was filled on {filled_on}.",
        ),
        remedy=(
            "立即停用，按规定作报废处理并去功能化。",
            "Take it out of use; scrap it and make it unusable.",
        ),
        innocent=(
            "经评估延长年限，但延期尚未登记。",
            "An extension after assessment was not registered.",
        ),
        settles=(
            "延长使用年限的评估报告。",
            "The assessment report that extends its life.",
        ),
    ),
)
