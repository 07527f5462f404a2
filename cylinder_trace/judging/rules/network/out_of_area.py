"""Finds deliveries to districts the owner is not licensed to serve (跨区流动).

Why it matters: outside its area nobody inspects, collects or answers for a firm's cylinders.
Example: an owner licensed for 闵行 and 徐汇 delivers from one depot to a customer in 松江.
Source: 上海市燃气管理条例 art. 27. One alert an owner, depot, district and month.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import networkx as nx

from cylinder_trace.judging.circulation import edges_as_facts
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import NetworkRule, Wording
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import Leg


def find(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, _as_of_ms: int) -> Iterator[Finding]:
    groups: dict[tuple[str, str, str], list[tuple[str, Leg]]] = defaultdict(list)
    if site not in graph:
        return
    for _, goal, edge in graph.out_edges(site, data=True):
        leg: Leg = edge["leg"]
        record = reference.sites.get(goal)
        if leg.outside and leg.owner and record and leg.arrived_ms is not None:
            month = date.fromordinal(local_day(leg.arrived_ms)).strftime("%Y-%m")
            groups[leg.owner, record.district, month].append((edge["cylinder_id"], leg))
    for (owner, district, month), legs in sorted(groups.items()):
        legs.sort(key=lambda pair: (pair[1].arrived_ms or 0, pair[1].arrive_event or ""))
        facts: dict[str, Fact] = {
            "owner": owner,
            "district": district,
            "depot": site,
            "cylinders": len({cylinder_id for cylinder_id, _ in legs}),
            "edges": edges_as_facts(legs),
        }
        evidence = tuple(leg.arrive_event or "" for _, leg in legs)
        yield Finding(
            RULE.name,
            owner,
            f"{site}>{district}:{month}",
            legs[0][1].arrived_ms or 0,
            site,
            evidence,
            facts,
        )


RULE = NetworkRule(
    name="out_of_area",
    severity=2,
    laws=("上海市燃气管理条例.27",),
    find=find,
    words=Wording(
        title=(
            "跨区流动",
            "Delivered outside the owner's area",
        ),
        fact=(
            "{owner} 的 {cylinders} 只气瓶由 {depot} 配送至许可区域外的 {district}。",
            "{depot} delivered cylinders of {owner} ({cylinders}) to {district}, where it is not licensed.",
        ),
        remedy=(
            "核实跨区配送审批；无审批的责令召回并整改。",
            "Check for an approval; without one, order recall and rectification.",
        ),
        innocent=(
            "用户地址未更新，或位于区界街道。",
            "The customer's address is out of date, or lies on a border street.",
        ),
        settles=(
            "跨区配送审批文件或用户现址。",
            "The approval, or the customer's present address.",
        ),
    ),
)
