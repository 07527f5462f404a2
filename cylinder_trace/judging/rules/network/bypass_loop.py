"""Finds depots that deliver and take back cylinders that no station sees between (绕行).

Why it matters: a depot whose bottles never pass a station fills them itself, by decanting.
Example: within 14 days five cylinders return to one depot and leave it again, none seen at a station.
Source: 城镇燃气管理条例 art. 18; thresholds bypass_loop.*. One alert a depot and episode of such days.
"""

from collections.abc import Iterator
from datetime import date

import networkx as nx

from cylinder_trace.judging.circulation import (
    day_of,
    edges_as_facts,
    episodes,
    in_order,
    round_trips,
    seen_ms,
)
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import NetworkRule, Wording


def find(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, _as_of_ms: int) -> Iterator[Finding]:
    trips = sorted(round_trips(graph, site, reference), key=in_order)
    if not trips:
        return
    last_ms = seen_ms(trips[-1][1])
    enough = reference.number("bypass_loop.cylinders", last_ms)
    window = int(reference.number("bypass_loop.window_days", last_ms))
    for episode in episodes(trips, enough, window):
        facts: dict[str, Fact] = {
            "depot": site,
            "cylinders": len({cylinder_id for cylinder_id, _ in episode}),
            "edges": edges_as_facts(episode),
        }
        day = date.fromordinal(day_of(episode[0][1])).isoformat()
        evidence = tuple(leg.arrive_event or "" for _, leg in episode)
        yield Finding(RULE.name, site, day, seen_ms(episode[-1][1]), site, evidence, facts)


RULE = NetworkRule(
    name="bypass_loop",
    severity=1,
    laws=("城镇燃气管理条例.18", "上海市燃气管理条例.44"),
    waits_for_late_scans=False,
    find=find,
    words=Wording(
        title=(
            "绕行流转",
            "Circulates without passing a station",
        ),
        fact=(
            "{depot} 有 {cylinders} 只气瓶回收后未经任何充装站即再次配送。",
            "{cylinders} cylinders came back to {depot} and left it again without being seen at a station.",
        ),
        remedy=(
            "对该配送点突击检查，查找倒灌设备，核对进销台账。",
            "Inspect the depot unannounced; look for decanting; compare its books.",
        ),
        innocent=(
            "同一配送车辆整段时间未扫码。",
            "One courier's truck was not scanned for the whole time.",
        ),
        settles=(
            "这些气瓶在充装站的充装记录。",
            "Records of fills of these cylinders at a station.",
        ),
    ),
)
