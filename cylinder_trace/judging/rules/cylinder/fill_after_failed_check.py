"""Finds a fill after the station's last check of the cylinder had failed (检查不合格仍充装).

Why it matters: somebody saw that it must not be filled, and it was filled.
Example: checked and failed at 10:00, filled at 10:20. Checked again and passed at 10:10, by whichever clock: lawful.
A check at another station, passed or not, says nothing of it, nor one of another visit, longer ago than
no_precheck.before_h.
Source: 特种设备安全法 art. 49 and 85. A passed check up to no_precheck.clock_tolerance_min after the fill counts too.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    failed, failed_ms = next(
        ((event_id, at_ms) for site, event_id, at_ms in before.failed if site == scan.site), (None, 0)
    )
    if failed is None:
        return None
    if scan.at_ms - failed_ms > reference.fill_check_terms(scan.at_ms).before_ms:
        return None  # of another visit: what this one lacks is a check, and `no_precheck` says so
    evidence = (scan.event_id, failed)
    facts: dict[str, Fact] = {"site": scan.site}
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, scan.site, evidence, facts)


RULE = CylinderRule(
    name="fill_after_failed_check",
    severity=1,
    laws=(
        "特种设备安全法.49",
        "特种设备安全法.85",
    ),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "不要充装，放到不合格区；排除问题后重新检查并登记，合格后再核验。",
        "Do not fill; set it aside. When the fault is mended, check it anew, record the check and ask again.",
    ),
    words=Wording(
        title=(
            "检查不合格仍充装",
            "Filled after a failed check",
        ),
        fact=(
            "{site} 充装前检查不合格，未复检合格即充装。",
            "It failed the check before filling at {site} and was filled without passing another.",
        ),
        remedy=(
            "立即追回该瓶，查明放行人员，责令整改。",
            "Recall the cylinder; find who let it pass; order rectification.",
        ),
        innocent=(
            "复检合格的记录晚传。",
            "The record of a second, passed check is late.",
        ),
        settles=(
            "充装前复检的原始记录。",
            "The original record of the second check.",
        ),
    ),
)
