"""Finds the use of a code that is not in the register (未登记).

Why it matters: nobody answers for a cylinder without a register entry; its age and inspection are unknown.
Example: a fill on 3 May of a code whose registration takes effect on 9 May. Registered 1 May, uploaded 9 May: lawful.
Source: 特种设备安全法 art. 33; 上海市燃气管理条例 art. 22. One alert a cylinder.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, _reference: Reference) -> Finding | None:
    if before.registered_ms is not None:
        return None
    facts: dict[str, Fact] = {"code": scan.code}
    return Finding(RULE.name, before.cylinder_id, "first", scan.at_ms, scan.site, (scan.event_id,), facts)


RULE = CylinderRule(
    name="unregistered",
    severity=1,
    laws=("特种设备安全法.33", "上海市燃气管理条例.22"),
    kinds=frozenset(
        ["fill_check", "fill", "post_check", "ship", "receive", "deliver", "return", "inspect", "observe"]
    ),
    only="out_of_use",
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "不要充装；再扫一次，对照钢印号。仍查不到的放到一边，交站长。",
        "Do not fill; scan again and compare the stamp. If it is still unknown, set it aside for the manager.",
    ),
    words=Wording(
        title=(
            "未登记气瓶流通",
            "Not in the register",
        ),
        fact=(
            "瓶码 {code} 未办理使用登记即被使用。",
            "Code {code} was used without a registration.",
        ),
        remedy=(
            "停止充装，核对瓶码与钢印；补办使用登记或查明来源。",
            "Do not fill; compare code and stamp; register it or find where it came from.",
        ),
        innocent=(
            "登记信息晚传，或瓶码误读。",
            "The registration was uploaded late, or the code was misread.",
        ),
        settles=(
            "使用登记证及登记日期。",
            "The registration certificate and its date.",
        ),
    ),
)
