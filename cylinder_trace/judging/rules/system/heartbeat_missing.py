"""Finds addresses that the daily sign of life has not reached (心跳缺失).

Why it matters: on a quiet day nothing else proves that an alert would arrive.
Example: the heartbeat of nine o'clock still lies in the outbox at noon.
Source: threshold heartbeat_missing.grace_h. One alert an address; it ends when a heartbeat is taken again.
"""

from collections.abc import Iterator

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.judging.system_rule import SystemRule, SystemState, about, local


def find(state: SystemState, reference: Reference) -> Iterator[Finding]:
    grace_ms = reference.number("heartbeat_missing.grace_h", state.at_ms) * HOUR_MS
    for one in state.heartbeats:
        if not one.is_sent and state.at_ms - one.made_ms > grace_ms:
            yield about(RULE.name, one.address, one.made_ms, address=one.address, since=local(one.made_ms))


RULE = SystemRule(
    name="heartbeat_missing",
    severity=1,
    laws=(),
    find=find,
    words=Wording(
        title=("心跳缺失", "The heartbeat is missing"),
        fact=(
            "{since} 的心跳邮件至今没有送达 {address}。",
            "The heartbeat of {since} has not reached {address}.",
        ),
        remedy=(
            "按“发件箱”页上的答复排查邮件服务器与地址。",
            "Look at the answers on the page of the outbox, and check the mail server and the address.",
        ),
        innocent=("邮件服务器短暂故障。", "The mail server was away for a while."),
        settles=("发件箱中心跳一行的最后答复。", "The last answer to the heartbeat in the outbox."),
    ),
)
