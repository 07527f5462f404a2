"""Finds every time a person let a fill go on although the verdict at the gun was not PASS (人工放行).

Why it matters: a verdict that can be waved away unseen protects nobody; one that can never be, stops lawful work.
Example: the verdict asks about a second fill, and the shift leader lets it go on because the return scan was missed.
Source: 特种设备安全法 art. 49. It is no offence by itself: what the fill was is found by the rules of the fill.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, _reference: Reference) -> Finding:
    from cylinder_trace.judging.rules import RULES  # which lists this rule too

    # A station's scanner may name a rule of its own, such as that its snapshot was too old: it stands as it is.
    titles = [RULES[one].words.title if one in RULES else (one, one) for one in scan.rules]
    facts: dict[str, Fact] = {
        "rules": list(scan.rules),
        "rules_zh": "、".join(zh for zh, _ in titles),
        "rules_en": "; ".join(en for _, en in titles),
        "reason": scan.reason,
        "approved_by": scan.approved_by,
        "operator": scan.operator,
    }
    return Finding.at_scan(RULE.name, before.cylinder_id, scan, facts)


RULE = CylinderRule(
    name="override_used",
    severity=2,
    laws=("特种设备安全法.49",),
    kinds=frozenset(["override"]),
    find=find,
    words=Wording(
        title=(
            "人工放行",
            "A verdict was overridden",
        ),
        fact=(
            "{approved_by} 放行“{rules_zh}”，原因：{reason}。",
            "{approved_by} overrode “{rules_en}”; reason: {reason}.",
        ),
        remedy=(
            "核实放行原因是否属实；不属实的，按被放行的事项处理，并约谈放行人。",
            "Check whether the reason is true; if not, act on what was overridden, and speak to who let it go.",
        ),
        innocent=(
            "漏扫或晚传使系统误判，现场核对后放行。",
            "A scan was missed or came late, and a person looked at the cylinder and let it go.",
        ),
        settles=(
            "现场核对的照片、秤重记录，或补传的扫码。",
            "A photograph or scale record made on the spot, or the scan that came late.",
        ),
    ),
)
