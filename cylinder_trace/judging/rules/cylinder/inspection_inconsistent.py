"""Finds an inspection that can not be right: its term too long, its date ahead, its place or order impossible (检验信息矛盾).

Why it matters: every later fill rests on that date.
Example: an LPG bottle passed on 10 May 2026 with a term to 2034 (48 months allowed); passed by a depot, or by a
place that nobody registered; passed after it was
scrapped; passed before the agency received it. Such a term counts as far as the tables allow; one by no agency not at all.
Source: 特种设备安全法 art. 40; law/inspection.toml.
"""

from datetime import date

from cylinder_trace.judging import validity
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import MINUTE_MS, Scan, local_day
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    evidence: tuple[str, ...] = (scan.event_id,)
    if scan.kind == "receive":
        if before.inspected_ms is None:
            return None
        why = _before_receipt(before, scan, reference)
    elif scan.result == "pass":
        why = _inconsistent(before, scan, reference)
    else:
        return None
    if why is None:
        return None
    facts: dict[str, Fact] = {"why_zh": why[0], "why_en": why[1]}
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, scan.site, evidence, facts)


def _inconsistent(before: State, scan: Scan, reference: Reference) -> tuple[str, str] | None:
    if before.status == "scrapped":
        return "该瓶已报废", "it had been scrapped"
    if validity.is_ahead(scan, reference):
        return "检验日期晚于接收时间", "it is dated later than it was received by the server"
    if scan.site not in reference.sites:
        return "录入单位不在名录中", "the site that entered it is on no register"
    if not validity.counts(before, scan, reference):
        return "录入单位不是检验机构", "the site that entered it is no inspection agency"
    until, day = scan.valid_until_day, local_day(scan.at_ms)
    longest = validity.longest_term_day(before, day, scan.at_ms, reference)
    if until is not None and longest is not None and until > longest:
        given, most = (date.fromordinal(one).isoformat() for one in (until, longest))
        return (
            f"有效期至 {given}，按检验周期最长至 {most}",
            f"its term is {given}; the interval allows {most}",
        )
    return None


def _before_receipt(before: State, scan: Scan, reference: Reference) -> tuple[str, str] | None:
    leg, inspected_ms = before.open_leg, before.inspected_ms
    if leg is None or inspected_ms is None or leg.departed_ms is None or before.inspected_at != scan.to_site:
        return None
    tolerance_ms = reference.number("impossible_order.clock_tolerance_min", scan.at_ms) * MINUTE_MS
    if inspected_ms <= leg.departed_ms or scan.at_ms - inspected_ms <= tolerance_ms:
        return None
    return "检验早于该机构接收", "it was inspected before the agency received it"


RULE = CylinderRule(
    name="inspection_inconsistent",
    severity=1,
    laws=(
        "特种设备安全法.40",
        "特种设备安全法.84",
    ),
    kinds=frozenset(["inspect", "receive"]),
    find=find,
    words=Wording(
        title=(
            "检验信息矛盾",
            "An inspection that can not be right",
        ),
        fact=(
            "检验信息自相矛盾：{why_zh}。",
            "The inspection contradicts itself: {why_en}.",
        ),
        remedy=(
            "责令更正检验信息，核查检验机构；该瓶重新检验前停用。",
            "Have it corrected; look into the agency; keep the cylinder out of use until inspected again.",
        ),
        innocent=(
            "日期录入错误，或设备时钟不准。",
            "A date was mistyped, or a clock was wrong.",
        ),
        settles=(
            "检验报告原件。",
            "The inspection report itself.",
        ),
    ),
)
