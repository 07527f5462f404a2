"""Finds a fill with another medium than the cylinder is registered for (错装).

Why it matters: the wrong gas in a cylinder has killed welders, divers and patients.
Example: an oxygen cylinder filled with argon. After a registered change of medium it is lawful.
Source: 特种设备安全法 art. 49: filling stations check before and must not fill non-compliant cylinders.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, _reference: Reference) -> Finding | None:
    if before.medium is None or scan.medium is None or scan.medium == before.medium:
        return None
    facts: dict[str, Fact] = {"registered": before.medium, "filled": scan.medium}
    return Finding.at_scan(RULE.name, before.cylinder_id, scan, facts)


RULE = CylinderRule(
    name="medium_mismatch",
    severity=1,
    laws=("特种设备安全法.49", "特种设备安全法.85"),
    kinds=frozenset(["fill"]),
    find=find,
    at_gun="STOP",
    do_at_gun=(
        "不要充装；核对瓶身颜色和字样，换到对应介质的枪，不能确定的交站长。",
        "Do not fill; compare colour and lettering, take it to the gun of its gas, or hand it to the manager.",
    ),
    words=Wording(
        title=(
            "错装介质",
            "Filled with the wrong medium",
        ),
        fact=(
            "登记介质 {registered}，实际充装 {filled}。",
            "Registered for {registered}, filled with {filled}.",
        ),
        remedy=(
            "立即追回该瓶并作标识，由有资质单位处置余气，查明原因。",
            "Recall and mark the cylinder; have the gas removed by a qualified firm; find the cause.",
        ),
        innocent=(
            "依法变更介质但尚未登记。",
            "A lawful change of medium was not yet recorded.",
        ),
        settles=(
            "介质变更登记文件。",
            "The document that registers the change of medium.",
        ),
    ),
)
