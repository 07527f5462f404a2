"""Finds a fill by a station that neither owns the cylinder nor has an agreement with its owner (充装非自有瓶).

Why it matters: only the owner follows a cylinder's inspections; strangers fill what nobody answers for.
Example: station of firm A fills a cylinder of firm B; with an agreement in force that day it is lawful.
Source: 城镇燃气管理条例 art. 18(7)(8), 上海市燃气管理条例 art. 44; TSG 07-2019 D2.1 excepts vehicle and breathing cylinders.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State

_EXCEPTED = frozenset({"vehicle_cng", "vehicle_lpg", "vehicle_h2", "breathing_composite"})


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    firm = reference.owner_of_site(scan.site, scan.at_ms)
    owner = before.owner
    if firm is None or owner is None or owner == firm or before.cylinder_class in _EXCEPTED:
        return None
    if scan.site is not None and reference.has_agreement(owner, scan.site, scan.at_ms):
        return None
    facts: dict[str, Fact] = {"owner": owner, "filled_by": firm}
    return Finding.at_scan(RULE.name, before.cylinder_id, scan, facts)


RULE = CylinderRule(
    name="foreign_fill",
    severity=1,
    laws=("城镇燃气管理条例.18", "上海市燃气管理条例.44"),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "不要充装，不是本单位的瓶；放到退回区，交站长退还产权单位。",
        "Do not fill: it is another firm's. Put it with those to go back, and hand it to the manager.",
    ),
    words=Wording(
        title=(
            "充装非自有瓶",
            "Filled another firm's cylinder",
        ),
        fact=(
            "该瓶产权单位为 {owner}，由 {filled_by} 的充装站充装，当日无有效委托。",
            "Owned by {owner}, filled by a station of {filled_by} with no agreement in force that day.",
        ),
        remedy=(
            "责令停止充装非自有气瓶，将该瓶退还产权单位。",
            "Stop filling cylinders of others; return this one to its owner.",
        ),
        innocent=(
            "产权转移或委托协议录入较晚。",
            "A transfer or an agreement was entered late.",
        ),
        settles=(
            "充装日有效的委托充装协议或产权转移文件。",
            "An agreement or a transfer document in force on that day.",
        ),
    ),
)
