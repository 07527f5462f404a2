"""Finds checks, fills and inspections by a person without a certificate in force (无证作业).

Why it matters: whoever fills has to know what must not be filled; the law lets only certified people do it.
Example: certificate through 31 March, fills on 1 April. A person the staff register does not know counts too, where it
knows others of that site. Source: 特种设备安全法 art. 86. One alert a person, site and month.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan, local_day
from cylinder_trace.judging.state import State


def find(_before: State, scan: Scan, reference: Reference) -> Finding | None:
    operator, at_ms = scan.operator, scan.at_ms
    if operator is None or scan.site is None or at_ms < reference.certified_until_ms.get(operator, 0):
        return None
    person = reference.person(operator, at_ms)
    if person is None:
        if not reference.is_staffed(scan.site):
            return None
        zh, en = "不在该单位人员名册中", "is not in the staff register of the site"
    elif person.certificate_no is None:
        zh, en = "没有作业人员证", "has no certificate"
    else:
        until = person.certificate_valid_until
        day = local_day(at_ms)
        if until is None or day <= until.toordinal():
            return None
        zh, en = f"作业人员证有效期至 {until}", f"had a certificate through {until}"
    month = date.fromordinal(local_day(at_ms)).isoformat()[:7]
    facts: dict[str, Fact] = {"operator": operator, "site": scan.site, "why_zh": zh, "why_en": en}
    anchor = f"{operator}:{month}"
    return Finding(RULE.name, scan.site, anchor, at_ms, scan.site, (scan.event_id,), facts)


RULE = CylinderRule(
    name="uncertified_operator",
    severity=2,
    laws=("特种设备安全法.86",),
    kinds=frozenset(["fill_check", "fill", "post_check", "inspect"]),
    find=find,
    at_gun="ASK",
    do_at_gun=(
        "不要自己充装，换持证人员操作；证件已换新的，请站长更新人员名册后再核验。",
        "Do not fill it yourself; let a certified colleague do it. If yours was renewed, have the manager enter it.",
    ),
    words=Wording(
        title=(
            "无证作业",
            "Work without a certificate",
        ),
        fact=(
            "{site} 的人员 {operator} {why_zh}，仍从事充装、检查或检验。",
            "Person {operator} of {site} {why_en}, and yet checked, filled or inspected.",
        ),
        remedy=(
            "责令停止该人员作业，核查其作业记录。",
            "Have this person stop; go through the records of the work.",
        ),
        innocent=(
            "换证或新聘人员信息录入较晚。",
            "The renewal, or the new colleague, was entered late.",
        ),
        settles=(
            "该人员作业当日有效的证件。",
            "A certificate in force on that day.",
        ),
    ),
)
