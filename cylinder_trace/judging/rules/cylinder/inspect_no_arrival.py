"""Finds an inspection at an agency that the cylinder did not come to (未到检).

Why it matters: a report without a cylinder is a report that was bought.
Example: with a user, say its records, and passed at an agency. Shipped to the agency, or received by it: lawful.
Source: 特种设备安全法 art. 40. A shipment and a receipt that come late withdraw it.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    loc, site = before.loc, scan.site
    if loc is None or site is None or loc == site or site not in reference.agencies:
        return None
    facts: dict[str, Fact] = {"site": site, "first_site": loc}
    evidence = (scan.event_id, before.loc_event or "")
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, site, evidence, facts)


RULE = CylinderRule(
    name="inspect_no_arrival",
    severity=2,
    laws=("特种设备安全法.40",),
    kinds=frozenset(["inspect"]),
    only="out_of_place",
    find=find,
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "未到检",
            "Inspected without having arrived",
        ),
        fact=(
            "{site} 出具检验结果时，记录显示该瓶在 {first_site}，无送检、接收记录。",
            "{site} reported an inspection while the records have it at {first_site}; it was neither sent nor received.",
        ),
        remedy=(
            "核查检验原始记录与实物，查处虚假检验报告。",
            "Check the agency's raw records and the cylinder; act on a false report.",
        ),
        innocent=(
            "送检与接收扫码均漏扫或晚传。",
            "Both the shipment and the receipt were missed, or are late.",
        ),
        settles=(
            "检验机构的收样登记与检验录像。",
            "The agency's intake register and the video of the test.",
        ),
    ),
)
