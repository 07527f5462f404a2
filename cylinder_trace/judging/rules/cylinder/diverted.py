"""Finds a cylinder received elsewhere than it was shipped to (流向异常).

Why it matters: what leaves for one depot and arrives at another supplies users that nobody meant to supply.
Example: shipped to depot A with waybill 7, received at depot B with waybill 7. Re-routed by another shipment: lawful.
Source: 上海市燃气管理条例 art. 44 (traced throughout). A shipment entered wrong and corrected is no shipment.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, _reference: Reference) -> Finding | None:
    leg, goal = before.open_leg, scan.to_site
    if leg is None or goal is None or leg.from_site != scan.from_site or leg.to_site == goal:
        return None
    if scan.waybill is not None and before.open_waybill not in {None, scan.waybill}:
        return None
    facts: dict[str, Fact] = {"from_site": leg.from_site, "to_site": leg.to_site, "second_site": goal}
    evidence = (scan.event_id, leg.depart_event or "")
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, scan.site, evidence, facts)


RULE = CylinderRule(
    name="diverted",
    severity=2,
    laws=("上海市燃气管理条例.44",),
    kinds=frozenset(["receive"]),
    only="out_of_place",
    find=find,
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "流向异常",
            "Received where it was not sent",
        ),
        fact=(
            "由 {from_site} 发往 {to_site}，却在 {second_site} 接收，无改道记录。",
            "Shipped from {from_site} to {to_site}, received at {second_site}; no re-route is on record.",
        ),
        remedy=(
            "核对运单与车辆轨迹，查明实际去向与供应对象。",
            "Compare waybill and vehicle track; find where it went and whom it supplied.",
        ),
        innocent=(
            "发出时选错目的地，尚未更正。",
            "The wrong destination was picked and not yet corrected.",
        ),
        settles=(
            "该运单原件及车辆轨迹。",
            "The waybill itself and the track of the vehicle.",
        ),
    ),
)
