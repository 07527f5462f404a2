"""Finds a fill after the cylinder's periodic inspection ran out (超期未检充装).

Why it matters: a shell nobody examined in time may be corroded or cracked when pressure is put on it.
Example: valid through 2026-05-31, filled on 2026-06-01 at 00:10 in Shanghai. On 2026-05-31 at 23:50 it is lawful.
Source: 特种设备安全法 art. 40 and 49; intervals in law/inspection.toml. The term is good through its last day.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan, local_day
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, _reference: Reference) -> Finding | None:
    due = before.valid_until_day
    if due is None or local_day(scan.at_ms) <= due:
        return None
    facts: dict[str, Fact] = {
        "valid_until": date.fromordinal(due).isoformat(),
        "filled_on": date.fromordinal(local_day(scan.at_ms)).isoformat(),
        "days_over": local_day(scan.at_ms) - due,
        "basis_zh": "（登记未载有效期，按检验周期推算）" if before.term_reckoned else "",
        "basis_en": " (reckoned by the interval: the register has no term)" if before.term_reckoned else "",
    }
    return Finding.at_scan(RULE.name, before.cylinder_id, scan, facts)


RULE = CylinderRule(
    name="fill_overdue",
    severity=1,
    laws=("特种设备安全法.40", "特种设备安全法.49"),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "不要充装，挂“待检”牌，放到待检区，告诉站长送检；瓶身有新检验标记的，请站长核对。",
        "Do not fill; tag it, put it with those to be inspected. If it bears a newer inspection mark, show the manager.",
    ),
    words=Wording(
        title=(
            "超期未检充装",
            "Filled after the inspection ran out",
        ),
        fact=(
            "检验有效期至 {valid_until}{basis_zh}，{filled_on} 充装，超期 {days_over} 天。",
            "Inspection valid through {valid_until}{basis_en}; filled on {filled_on}, {days_over} days over.",
        ),
        remedy=(
            "立即停用并追回该瓶，送检验机构检验合格后方可充装；核查当班检查记录。",
            "Take the cylinder out of use and recall it; fill again only after a passed inspection. Check the shift's records.",
        ),
        innocent=(
            "检验记录晚于充装上传。",
            "The inspection was recorded later than the fill.",
        ),
        settles=(
            "充装日之前该瓶的检验报告。",
            "The cylinder's inspection report from before the fill.",
        ),
    ),
)
