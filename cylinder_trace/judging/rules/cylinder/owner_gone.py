"""Finds fills and deliveries of cylinders whose owner's licence has ended (产权单位许可失效).

Why it matters: nobody inspects or answers for the cylinders of a firm that is gone, and they go on circulating.
Example: the firm's licence ended on 31 March; its cylinder is filled on 1 April. Transferred to another firm: lawful.
Source: 上海市燃气管理条例 art. 27. One alert an owner and licence.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan, local_day
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    owner = before.owner
    firm = reference.owner(owner, scan.at_ms) if owner else None
    if firm is None or owner is None or (until := firm.licence_valid_until) is None:
        return None
    if local_day(scan.at_ms) <= until.toordinal():
        return None
    facts: dict[str, Fact] = {"owner": owner, "ended": until.isoformat()}
    return Finding(RULE.name, owner, until.isoformat(), scan.at_ms, scan.site, (scan.event_id,), facts)


RULE = CylinderRule(
    name="owner_gone",
    severity=2,
    laws=("上海市燃气管理条例.27",),
    kinds=frozenset(["fill", "deliver"]),
    find=find,
    at_gun="ASK",
    do_at_gun=(
        "先不要充装，放到一边；告诉站长，由站长核实该瓶现归谁、能否充装。",
        "Do not fill yet, set it aside; ask the manager whose it is now and whether it may be filled.",
    ),
    words=Wording(
        title=(
            "产权单位许可失效",
            "Its owner has no licence any more",
        ),
        fact=(
            "产权单位 {owner} 的许可于 {ended} 失效，其气瓶仍在充装、配送。",
            "The licence of its owner {owner} ended on {ended}; its cylinders are still filled and delivered.",
        ),
        remedy=(
            "停止充装其气瓶，督促办理产权转移或收回处置。",
            "Stop filling its cylinders; have them transferred, or collected.",
        ),
        innocent=(
            "资产已由其他企业收购，转移登记尚在办理。",
            "Another firm bought them and the transfer is pending.",
        ),
        settles=(
            "产权转移登记文件，或续期的许可证。",
            "The document of the transfer, or the renewed licence.",
        ),
    ),
)
