"""Finds districts, or the city itself, of which nobody can be told (无人可通知).

Why it matters: what is found there reaches nobody.
Example: a district's only mailbox refuses every mail.
Source: none; there is no threshold. An address is reachable unless the last that was sent to it is a dead letter.
"""

from collections.abc import Iterator

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.system_rule import SystemRule, SystemState, about


def find(state: SystemState, _reference: Reference) -> Iterator[Finding]:
    for one in state.reaches:
        if not one.reachable:
            yield about(RULE.name, one.district, one.since_ms, district=one.district, addresses=one.addresses)


def fingerprint_of(district: str) -> str:
    """The alert about a district."""
    return about(RULE.name, district, 0).fingerprint


RULE = SystemRule(
    name="no_recipient",
    severity=1,
    laws=(),
    find=find,
    words=Wording(
        title=("无人可通知", "Nobody can be told"),
        fact=(
            "{district} 登记的收件地址共 {addresses} 个，没有一个可以送达。",
            "Of the {addresses} addresses named for {district} none can be reached.",
        ),
        remedy=(
            "用 cylinder-trace recipient add 登记可以送达的地址，再重发退信。",
            "Name an address that works with cylinder-trace recipient add, then send the dead letters again.",
        ),
        innocent=(
            "新设区尚未登记收件人，或邮箱刚刚更换。",
            "A new district has named nobody yet, or its mailbox was just changed.",
        ),
        settles=("发往新地址的一封邮件是否送达。", "Whether a mail to the new address arrives."),
    ),
)
