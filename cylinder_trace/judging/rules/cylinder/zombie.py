"""Finds any use of a cylinder that is scrapped, stopped or lost, or of a code that was retired (报废瓶复现).

Why it matters: scrapped shells that return to trade are the ones that burst.
Example: scrapped on 3 May, shipped on 9 May. Shipping it to a scrap yard, or a check it fails, is lawful.
Source: 特种设备安全法 art. 32, 48, 84. One alert an episode, and one
a fill, whose station answers for it: the anchor is the event that took it out of use, or the fill.
"""

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State

_WORDS = {
    "scrapped": ("已报废", "It was scrapped"),
    "stopped": ("已停用", "It was taken out of use"),
    "lost": ("已报失", "It was reported lost"),
    "held": ("已封存", "It was sealed by the authority"),
}


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    if not (before.out or before.retired):
        return None
    if scan.code in before.retired:
        facts, anchor = (
            {"status_zh": "标签已更换停用", "status_en": "Its tag was replaced"},
            f"retired:{scan.code}",
        )
    elif before.status == "held" and scan.kind != "fill":
        return None  # sealed where it stands: only filling it is forbidden
    elif before.status in _WORDS:
        zh, en = _WORDS[before.status]
        facts, anchor = {"status_zh": zh, "status_en": en}, before.status_event or ""
    else:
        return None
    if scan.result == "fail" or _leads_out(scan, reference):
        return None
    if scan.kind == "fill":
        anchor = scan.event_id
    return Finding(RULE.name, before.cylinder_id, anchor, scan.at_ms, scan.site, (scan.event_id,), {**facts})


def _leads_out(scan: Scan, reference: Reference) -> bool:
    goal = reference.sites.get(scan.to_site) if scan.to_site else None
    return goal is not None and goal.type in {"scrap_yard", "inspection_agency"}


RULE = CylinderRule(
    name="zombie",
    severity=1,
    laws=("特种设备安全法.32", "特种设备安全法.48", "特种设备安全法.84"),
    kinds=frozenset(["fill_check", "fill", "post_check", "ship", "receive", "deliver", "return", "observe"]),
    only="out_of_use",
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "不要充装，扣下该瓶，不要交还送瓶人，立即告诉站长。",
        "Do not fill; keep the cylinder, do not hand it back, and tell the manager at once.",
    ),
    words=Wording(
        title=(
            "报废瓶复现",
            "A cylinder out of use is used",
        ),
        fact=(
            "该瓶{status_zh}，但仍有使用记录。",
            "{status_en}, and yet it was used.",
        ),
        remedy=(
            "立即扣下该瓶并核实瓶号；查明来源，依法处理。",
            "Seize the cylinder, verify its number, find where it came from.",
        ),
        innocent=(
            "报废前的扫码晚传，或启用、找回记录晚到。",
            "A scan made before was uploaded late, or the resume record is late.",
        ),
        settles=(
            "该瓶实物照片与钢印号。",
            "A photograph of the cylinder and its stamp.",
        ),
    ),
)
