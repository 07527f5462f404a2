"""Finds a delivery of a cylinder that no station scanned since its last return (缺充装配送).

Why it matters: what is delivered without passing a station was decanted somewhere.
Example: returned on 1 May, delivered on 4 May, no scan at a station between. Any station scan makes it lawful.
Source: 城镇燃气管理条例 art. 18; 上海市燃气管理条例 art. 44.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    if not before.returned or before.station_since_return or scan.from_site in reference.stations:
        return None
    facts: dict[str, Fact] = {"from_site": scan.from_site, "to_site": scan.to_site}
    return Finding.at_scan(RULE.name, before.cylinder_id, scan, facts)


RULE = CylinderRule(
    name="deliver_without_fill",
    severity=2,
    laws=("城镇燃气管理条例.18", "上海市燃气管理条例.44"),
    kinds=frozenset(["deliver"]),
    find=find,
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "未经充装即配送",
            "Delivered without a fill",
        ),
        fact=(
            "自上次回收后未见任何充装站扫码，却由 {from_site} 配送至用户。",
            "No station has scanned it since its last return, yet {from_site} delivered it.",
        ),
        remedy=(
            "检查该配送点是否私自倒灌，查封倒灌设备。",
            "Inspect the depot for decanting; seal what is used for it.",
        ),
        innocent=(
            "整趟进站扫码均漏扫。",
            "The whole visit to the station was not scanned.",
        ),
        settles=(
            "该瓶在站内的充装记录。",
            "A record of its fill at a station.",
        ),
    ),
)
