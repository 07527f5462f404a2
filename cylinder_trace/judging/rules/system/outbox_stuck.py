"""Finds messages that wait in the outbox for too long (发件箱积压).

Why it matters: an alert that lies in the outbox has told nobody.
Example: the mail server has refused connections for two hours.
Source: threshold outbox_stuck.wait_min. One alert a channel; it ends when nothing old waits any more.
"""

from collections.abc import Iterator

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import MINUTE_MS
from cylinder_trace.judging.system_rule import SystemRule, SystemState, about, local


def find(state: SystemState, reference: Reference) -> Iterator[Finding]:
    longest_ms = reference.number("outbox_stuck.wait_min", state.at_ms) * MINUTE_MS
    for one in state.backlogs:
        if state.at_ms - one.since_ms > longest_ms:
            yield about(
                RULE.name,
                one.channel,
                one.since_ms,
                channel=one.channel,
                number=one.number,
                since=local(one.since_ms),
                answer=one.answer or None,
            )


RULE = SystemRule(
    name="outbox_stuck",
    severity=2,
    laws=(),
    find=find,
    words=Wording(
        title=("发件箱积压", "The outbox is stuck"),
        fact=(
            "{channel} 通道有 {number} 件待发，最早自 {since} 起；最近的答复：{answer}。",
            "{number} messages wait for the channel {channel}, the oldest since {since}; the last answer to it: {answer}.",
        ),
        remedy=(
            "按答复检查邮件服务器或消息平台的地址、口令、证书；恢复后自动补发。",
            "Check the server's address, password and certificate by its answer; what waits is sent as soon as it serves.",
        ),
        innocent=(
            "对方服务器维护或限流。",
            "The other server is maintained, or takes only so many at a time.",
        ),
        settles=("从服务器上手工连接对方端口的结果。", "What comes of connecting to that server by hand."),
    ),
)
