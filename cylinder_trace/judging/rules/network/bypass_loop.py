"""Finds depots that deliver and take back cylinders that no station sees between (绕行).

Why it matters: a depot whose bottles never pass a station fills them itself, by decanting.
Example: within 14 days five cylinders return to one depot and leave it again, none seen at a station.
Source: 城镇燃气管理条例 art. 18; thresholds bypass_loop.*. One alert a depot and episode of such days.
"""

from collections.abc import Iterator
from datetime import date

import networkx as nx

from cylinder_trace.judging.circulation import edges_as_facts, round_trips
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import NetworkRule, Wording
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import Leg

Carried = tuple[str, Leg]


def find(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference) -> Iterator[Finding]:
    trips = sorted(round_trips(graph, site, reference), key=_when)
    for episode in _episodes(trips, reference):
        first = episode[0][1]
        cylinders = sorted({cylinder_id for cylinder_id, _ in episode})
        facts: dict[str, Fact] = {
            "depot": site,
            "cylinders": len(cylinders),
            "edges": edges_as_facts(episode),
        }
        day = date.fromordinal(local_day(first.arrived_ms or 0)).isoformat()
        evidence = tuple(leg.arrive_event or "" for _, leg in episode)
        yield Finding(RULE.name, site, day, episode[-1][1].arrived_ms or 0, site, evidence, facts)


def _episodes(trips: list[Carried], reference: Reference) -> Iterator[list[Carried]]:
    """Runs of trips in which every trip lies in a window with enough cylinders; each run starts an episode."""
    if not trips:
        return
    last_ms = trips[-1][1].arrived_ms or 0
    enough = reference.number("bypass_loop.cylinders", last_ms)
    window = int(reference.number("bypass_loop.window_days", last_ms))
    days = [local_day(leg.arrived_ms or 0) for _, leg in trips]
    member = [False] * len(trips)
    start = 0
    for end, day in enumerate(days):
        while days[start] <= day - window:
            start += 1
        if len({cylinder_id for cylinder_id, _ in trips[start : end + 1]}) >= enough:
            member[start : end + 1] = [True] * (end + 1 - start)
    run: list[Carried] = []
    for position, trip in enumerate(trips):
        if member[position] and (not run or days[position] - local_day(run[-1][1].arrived_ms or 0) < window):
            run.append(trip)
            continue
        if run:
            yield run
        run = [trip] if member[position] else []
    if run:
        yield run


def _when(carried: Carried) -> tuple[int, str]:
    return carried[1].arrived_ms or 0, carried[1].arrive_event or ""


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
