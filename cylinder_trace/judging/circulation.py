"""From legs to graphs: one cylinder's trail, and the single movements around a site.

A node is a site with its type, name, district and owner; an edge is a leg, with the cylinder that made it. A graph of
single legs is built for one trail or one site at a time; what the whole city moves is counted, see `neighbourhood`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import networkx as nx

from cylinder_trace.judging.finding import Fact
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import Leg

MOST_EDGES_NAMED = 50
"""Legs listed in one finding; the count is always whole."""

Carried = tuple[str, Leg]
"""A cylinder and one of its legs."""


def movements(
    legs: Iterable[Carried],
    reference: Reference,
    ruled_out: Collection[str] = (),
    counts: tuple[Mapping[int, int], Mapping[int, int]] | None = None,
) -> "nx.MultiDiGraph[str]":
    """A multigraph of single legs: edge data `cylinder_id` and `leg`; node data as `describe` gives them.

    `ruled_out` are the rules that find nothing here, and for which legs may be missing. `counts` are what
    `counted_by_day` is to say of the site that the graph is about, where not all of its legs are in it.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(ruled_out=frozenset(ruled_out), counts=counts)
    for cylinder_id, leg in legs:
        graph.add_edge(leg.from_site, leg.to_site, cylinder_id=cylinder_id, leg=leg)
    describe(graph, reference)
    return graph


def trail(legs: Iterable[Leg], reference: Reference) -> "nx.MultiDiGraph[str]":
    """One cylinder's way: an edge for each leg, with its `no` and whether it is a `gap`, which nobody scanned."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for leg in legs:
        graph.add_edge(leg.from_site, leg.to_site, key=leg.no, leg=leg, no=leg.no, gap=leg.gap)
    describe(graph, reference)
    return graph


def round_trips(graph: "nx.MultiDiGraph[str]", depot: str, reference: Reference) -> Iterator[Carried]:
    """Deliveries from `depot` without a fill, of cylinders that came back to it from a place that fills nothing."""
    if depot not in graph or depot in reference.stations:
        return
    came_back = {
        cylinder_id for cylinder_id, leg in into(graph, depot) if leg.from_site not in reference.stations
    }
    for cylinder_id, leg in out_of(graph, depot):
        if leg.decanted and leg.to_site not in reference.stations and cylinder_id in came_back:
            yield cylinder_id, leg


def out_of(graph: "nx.MultiDiGraph[str]", site: str) -> list[Carried]:
    """The legs of a graph that begin at a site, in the order they happened."""
    edges = graph.out_edges(site, data=True) if site in graph else ()
    return sorted(((edge["cylinder_id"], edge["leg"]) for _, _, edge in edges), key=in_order)


def into(graph: "nx.MultiDiGraph[str]", site: str) -> list[Carried]:
    """The legs of a graph that end at a site, in the order they happened."""
    edges = graph.in_edges(site, data=True) if site in graph else ()
    return sorted(((edge["cylinder_id"], edge["leg"]) for _, _, edge in edges), key=in_order)


def counted_by_day(graph: "nx.MultiDiGraph[str]", site: str) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """How many legs came to a site on each day, and how many left it."""
    known: tuple[Mapping[int, int], Mapping[int, int]] | None = graph.graph.get("counts")
    if known is not None:
        return known
    came, left = (
        Counter(day_of(leg) for _, leg in legs) for legs in (into(graph, site), out_of(graph, site))
    )
    return came, left


def seen_ms(leg: Leg) -> int:
    """When it arrived or, where nobody has seen that, departed."""
    return leg.arrived_ms if leg.arrived_ms is not None else leg.departed_ms or 0


def day_of(leg: Leg) -> int:
    """The local day a leg counts for."""
    return local_day(seen_ms(leg))


def shown_by(leg: Leg) -> str:
    """The event that shows a leg: its arrival or, where nobody has seen that, its departure."""
    return leg.arrive_event or leg.depart_event or ""


def in_order(carried: Carried) -> tuple[int, str, str, int]:
    """Sorts legs of several cylinders in the order they happened, always the same."""
    cylinder_id, leg = carried
    return seen_ms(leg), shown_by(leg), cylinder_id, leg.no


def episodes(carried: Sequence[Carried], enough: float, window_days: int) -> Iterator[list[Carried]]:
    """Runs of legs, given in order, in which each lies in a window of days with enough distinct cylinders."""
    days = [day_of(leg) for _, leg in carried]
    member = [False] * len(carried)
    start = 0
    for end, day in enumerate(days):
        while days[start] <= day - window_days:
            start += 1
        if len({cylinder_id for cylinder_id, _ in carried[start : end + 1]}) >= enough:
            member[start : end + 1] = [True] * (end + 1 - start)
    run: list[Carried] = []
    for one, day, is_member in zip(carried, days, member, strict=True):
        if run and not (is_member and day - day_of(run[-1][1]) < window_days):
            yield run
            run = []
        if is_member:
            run.append(one)
    if run:
        yield run


def edges_as_facts(legs: Iterable[Carried]) -> Fact:
    """The legs that show a finding: cylinder, from, to and both event ids each."""
    return [
        [cylinder_id, leg.from_site, leg.to_site, leg.depart_event or "", leg.arrive_event or ""]
        for cylinder_id, leg in list(legs)[:MOST_EDGES_NAMED]
    ]


def describe(graph: "nx.Graph[str]", reference: Reference) -> None:
    """Give every node its `type`, `name`, `district` and `owner` as the register has them."""
    for node, data in graph.nodes(data=True):
        record = reference.sites.get(node)
        data["type"] = record.type if record else "unknown"
        data["name"] = record.name if record else node
        data["district"] = record.district if record else None
        data["owner"] = record.owner_id if record else None
