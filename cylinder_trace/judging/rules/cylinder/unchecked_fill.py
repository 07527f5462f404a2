"""Finds fills whose amount nobody can check: LPG without a weight, a bottle of unknown size, a gas of no table (无法核验的充装).

Why it matters: an overfilled bottle is not found where the fill says a pressure only, or the register no model and volume.
Example: a station reports its LPG by pressure. One alert a station and month for missing weights, one a bottle for what the
register lacks, one a station and word for a gas that the tables do not know.
Source: 特种设备安全法 art. 49; law/lpg_models.toml and law/media.toml.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan, local_day
from cylinder_trace.judging.state import State

_WEIGHED = frozenset({"lpg_bottle", "dme_bottle"})
"""Filled by weight only."""


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    site = scan.site or ""
    if scan.medium is not None and not reference.knows_medium(scan.medium):
        why = f"介质代码 {scan.medium} 不在介质表中", f"the tables know no gas {scan.medium}"
        return _found(site, f"medium:{scan.medium}", scan, why)
    if before.cylinder_class not in _WEIGHED:
        return None
    if not scan.net_g and scan.gross_g is None:
        month = date.fromordinal(local_day(scan.at_ms)).isoformat()[:7]
        return _found(site, f"unweighed:{month}", scan, ("未记录重量", "no weight is recorded"))
    if before.allowed_g is None and before.cylinder_class == "lpg_bottle":
        why = "登记信息无可识别的型号或容积", "the register has no known model and no volume of it"
        return _found(before.cylinder_id, "register", scan, why)
    return None


def _found(subject: str, anchor: str, scan: Scan, why: tuple[str, str]) -> Finding:
    facts: dict[str, Fact] = {"site": scan.site, "why_zh": why[0], "why_en": why[1]}
    return Finding(RULE.name, subject, anchor, scan.at_ms, scan.site, (scan.event_id,), facts)


RULE = CylinderRule(
    name="unchecked_fill",
    severity=2,
    laws=("特种设备安全法.49", "TSG07-2019.D2.1"),
    kinds=frozenset(["fill"]),
    find=find,
    words=Wording(
        title=("充装量无法核验", "A fill that can not be checked"),
        fact=(
            "{site} 的充装无法核验是否超装：{why_zh}。",
            "Whether it was overfilled at {site} can not be checked: {why_en}.",
        ),
        remedy=(
            "责令逐瓶称重并如实记录，补全气瓶登记，介质用表中代码。",
            "Have every bottle weighed and recorded, the register completed, and gases named as in the tables.",
        ),
        innocent=(
            "秤与系统未联网；登记信息录入不全；介质表尚缺该气体。",
            "The scale is not connected; the entry is incomplete; the tables lack the gas.",
        ),
        settles=("秤的原始记录与气瓶钢印。", "The scale's own record and the stamp on the bottle."),
    ),
)
