"""Finds a receipt from a site that neither had the cylinder nor shipped it (未发先收).

Why it matters: one such receipt is a missed scan; many between the same two sites are a second, unrecorded trade.
Example: with depot B, says its record, and received from depot A at a station. Where depot A had it, only the shipment
was not scanned: lawful. So it is after a user, whose return is missed as often. Source: 上海市燃气管理条例 art. 44.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    loc, origin = before.loc, scan.from_site
    if loc in {scan.to_site, origin, None} or origin is None or loc in reference.customers:
        return None
    if before.open_leg is not None and before.open_leg.from_site == origin:
        return None
    facts: dict[str, Fact] = {"from_site": origin, "to_site": scan.to_site, "first_site": loc}
    evidence = (scan.event_id, before.loc_event or "")
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, scan.site, evidence, facts)


RULE = CylinderRule(
    name="received_not_shipped",
    severity=3,
    laws=("上海市燃气管理条例.44",),
    kinds=frozenset(["receive"]),
    only="out_of_place",
    find=find,
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "未发先收",
            "Received without having been shipped",
        ),
        fact=(
            "{to_site} 接收自 {from_site}，但记录显示该瓶在 {first_site}，且无发出记录。",
            "{to_site} received it from {from_site}, which did not ship it; the records have it at {first_site}.",
        ),
        remedy=(
            "核对两场所收发记录，查明漏扫或账外流转。",
            "Compare the records of the sites; tell missed scans from unrecorded trade.",
        ),
        innocent=(
            "中间的发出、接收均漏扫。",
            "Both the shipment and the receipt before were not scanned.",
        ),
        settles=(
            "发出场所当日的出库记录。",
            "The sending site's record of that day.",
        ),
    ),
)
