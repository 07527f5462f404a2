"""Finds a rule that finds so much in a day that the rest of it waits for the digest (预警泛滥).

Why it matters: people who get too much read nothing, and a rule that goes wild hides what another says.
Example: the register of a firm was loaded without terms, and every fill of its cylinders is told.
Source: threshold notice.most_groups_a_day. One alert a rule; it ends when the digest has told of what was held back.
"""

from collections.abc import Iterator

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.system_rule import SystemRule, SystemState, about, local


def find(state: SystemState, _reference: Reference) -> Iterator[Finding]:
    for one in state.floods:
        if one.number:
            yield about(
                RULE.name,
                one.rule,
                one.since_ms,
                flooding=one.rule,
                number=one.number,
                told=local(one.digest_ms),
            )


RULE = SystemRule(
    name="alert_flood",
    severity=2,
    laws=(),
    find=find,
    words=Wording(
        title=("预警泛滥", "A flood of alerts"),
        fact=(
            "规则 {flooding} 当日预警过多，{number} 条不再单独发送，并入 {told} 的汇总。",
            "Rule {flooding} found too much in a day: {number} alerts are not sent by themselves but in the digest of {told}.",
        ),
        remedy=(
            "查看该规则的预警清单：先排除登记或时钟等数据问题，再逐站处置。",
            "Look at the list of its alerts: rule out a fault of the data first, then see to the sites one by one.",
        ),
        innocent=(
            "批量导入的登记数据有误，或规则阈值刚被调整。",
            "Register data loaded in bulk was wrong, or a threshold was just changed.",
        ),
        settles=("抽查三条预警的原始记录。", "The records behind three of the alerts."),
    ),
)
