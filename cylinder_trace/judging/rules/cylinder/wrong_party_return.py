"""Finds a return by a user who, by the records, does not hold the cylinder (非持有方退回).

Why it matters: cylinders that pass from user to user are filled, sold and stored where nobody looks.
Example: delivered to user A, returned by user B. Delivered to B as well, by a late record: lawful.
Source: 上海市燃气管理条例 art. 44.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    loc, party = before.loc, scan.from_site
    if loc is None or party is None or loc == party or loc not in reference.customers:
        return None
    facts: dict[str, Fact] = {"first_site": loc, "from_site": party}
    evidence = (scan.event_id, before.loc_event or "")
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, scan.site, evidence, facts)


RULE = CylinderRule(
    name="wrong_party_return",
    severity=3,
    laws=("上海市燃气管理条例.44",),
    kinds=frozenset(["return"]),
    only="out_of_place",
    find=find,
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "非持有方退回",
            "Returned by a party that does not hold it",
        ),
        fact=(
            "交付 {first_site} 的气瓶，由 {from_site} 退回。",
            "Delivered to {first_site}, returned by {from_site}.",
        ),
        remedy=(
            "核查两用户间的气瓶流转，排查转卖。",
            "Find how it came from one user to the other; look for resale.",
        ),
        innocent=(
            "其间的回收与配送均漏扫。",
            "A return and a delivery between were not scanned.",
        ),
        settles=(
            "两次配送的签收记录。",
            "The receipts of both deliveries.",
        ),
    ),
)
