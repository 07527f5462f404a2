"""Finds fills at a site whose licence had run out, or does not cover the medium (无证、超范围充装).

Why it matters: a licence says that people, equipment and rescue plan fit the medium.
Example: licence through 31 March, fills on 1 April. A renewal granted on 30 March and entered later makes them lawful.
Source: 特种设备安全法 art. 49 and 85. One alert a site and episode, not one a fill: the anchor is the lapsed licence.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(_before: State, scan: Scan, reference: Reference) -> Finding | None:
    if scan.site is None or reference.is_licensed(scan.site, scan.medium, scan.at_ms):
        return None
    if reference.licences_in_force(scan.site, scan.at_ms):
        anchor, zh, en = (
            f"medium:{scan.medium}",
            "许可范围不含该介质",
            "its licence does not cover the medium",
        )
    else:
        ended = [
            period.until_day
            for period in reference.licences.get(scan.site, [])
            if period.from_ms <= scan.at_ms
        ]
        if ended:
            last = date.fromordinal(max(ended)).isoformat()
            anchor, zh, en = f"expired:{last}", f"许可有效期至 {last}", f"its licence ran out on {last}"
        else:
            anchor, zh, en = "never", "没有充装许可记录", "there is no record of a licence"
    facts: dict[str, Fact] = {"medium": scan.medium, "why_zh": zh, "why_en": en}
    return Finding(RULE.name, scan.site, anchor, scan.at_ms, scan.site, (scan.event_id,), facts)


RULE = CylinderRule(
    name="unlicensed_site",
    severity=1,
    laws=("特种设备安全法.49", "特种设备安全法.85"),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "停止充装该介质，关阀，立即告诉站长；许可核实之前不要再充。",
        "Stop filling this gas, close the valve and tell the manager at once; fill no more until the licence is clear.",
    ),
    words=Wording(
        title=(
            "无证或超范围充装",
            "Filled without a licence for it",
        ),
        fact=(
            "充装介质 {medium}，{why_zh}。",
            "Filled {medium}; {why_en}.",
        ),
        remedy=(
            "立即停止充装，依法查处；取得许可后方可恢复。",
            "Stop filling at once; resume only with a licence.",
        ),
        innocent=(
            "换证信息录入较晚。",
            "The renewal was entered late.",
        ),
        settles=(
            "充装日有效的充装许可证。",
            "A filling licence in force on that day.",
        ),
    ),
)
