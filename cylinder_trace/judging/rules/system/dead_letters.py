"""Finds addresses to which messages were given up (退信).

Why it matters: a district that is not told does not act.
Example: an officer has left, and the mail server knows the mailbox no more.
Source: threshold dead_letters.keep_days, after which they are history. One alert an address; it ends when every dead letter
was sent again or let go.
"""

from collections.abc import Iterator

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.judging.system_rule import SystemRule, SystemState, about, local


def find(state: SystemState, reference: Reference) -> Iterator[Finding]:
    keep_ms = reference.number("dead_letters.keep_days", state.at_ms) * DAY_MS
    for one in state.dead_letters:
        if state.at_ms - one.since_ms <= keep_ms:
            yield about(
                RULE.name,
                one.address,
                one.since_ms,
                address=one.address,
                number=one.number,
                since=local(one.since_ms),
                answer=one.answer or None,
            )


RULE = SystemRule(
    name="dead_letters",
    severity=2,
    laws=(),
    find=find,
    words=Wording(
        title=("退信", "Dead letters"),
        fact=(
            "发往 {address} 的 {number} 件未能送达，最早 {since}；最后的答复：{answer}。",
            "{number} messages to {address} could not be delivered, the first of {since}; the last answer: {answer}.",
        ),
        remedy=(
            "核对地址；更正后在“发件箱”页重发，不再需要的予以作罢。",
            "Check the address; then send them again on the page of the outbox, or let them go.",
        ),
        innocent=(
            "人员调离、邮箱已满，或对方误判为垃圾邮件。",
            "Somebody left, a mailbox is full, or the mail was taken for spam.",
        ),
        settles=("最后的答复，或收件人是否收到。", "The last answer, or whether the addressee has it."),
    ),
)
