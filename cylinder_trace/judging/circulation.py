"""From legs to graphs: one cylinder's trail, and the movements around a site.

A node is a site with its type, name and district; an edge is a leg, with the cylinder that made it. City-wide
graphs hold aggregated edges only; a graph of single legs is built for one trail or one site at a time.
"""

from collections.abc import Iterable, Iterator

import networkx as nx

from cylinder_trace.judging.finding import Fact
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.state import Leg

MOST_EDGES_NAMED = 50
"""Legs listed in one finding; the count is always whole."""


def movements(legs: Iterable[tuple[str, Leg]], reference: Reference) -> "nx.MultiDiGraph[str]":
    """A multigraph of single legs: edge data `cylinder_id` and `leg`, node data `type`, `name`, `district`."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for cylinder_id, leg in legs:
        graph.add_edge(leg.from_site, leg.to_site, cylinder_id=cylinder_id, leg=leg)
    _describe(graph, reference)
    return graph


def site_graph(legs: Iterable[tuple[str, Leg]], reference: Reference) -> "nx.DiGraph[str]":
    """One edge per pair of sites: edge data `n` legs, `cylinders` distinct, `first_ms`, `last_ms`."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for cylinder_id, leg in legs:
        at_ms = leg.arrived_ms if leg.arrived_ms is not None else leg.departed_ms or 0
        if graph.has_edge(leg.from_site, leg.to_site):
            edge = graph.edges[leg.from_site, leg.to_site]
            edge["n"] += 1
            edge["cylinders"].add(cylinder_id)
            edge["first_ms"] = min(edge["first_ms"], at_ms)
            edge["last_ms"] = max(edge["last_ms"], at_ms)
        else:
            graph.add_edge(
                leg.from_site, leg.to_site, n=1, cylinders={cylinder_id}, first_ms=at_ms, last_ms=at_ms
            )
    _describe(graph, reference)
    return graph


def round_trips(graph: "nx.MultiDiGraph[str]", depot: str, reference: Reference) -> Iterator[tuple[str, Leg]]:
    """Deliveries from `depot` without a fill, of cylinders that came back to it from a place that fills nothing."""
    if depot not in graph or depot in reference.stations:
        return
    came_back = {
        edge["cylinder_id"]
        for origin, _, edge in graph.in_edges(depot, data=True)
        if origin not in reference.stations
    }
    for _, goal, edge in graph.out_edges(depot, data=True):
        if edge["leg"].decanted and goal not in reference.stations and edge["cylinder_id"] in came_back:
            yield edge["cylinder_id"], edge["leg"]


def edges_as_facts(legs: Iterable[tuple[str, Leg]]) -> Fact:
    """The legs that show a finding: cylinder, from, to and both event ids each."""
    return [
        [cylinder_id, leg.from_site, leg.to_site, leg.depart_event or "", leg.arrive_event or ""]
        for cylinder_id, leg in list(legs)[:MOST_EDGES_NAMED]
    ]


def _describe(graph: "nx.Graph[str]", reference: Reference) -> None:
    for node, data in graph.nodes(data=True):
        record = reference.sites.get(node)
        data["type"] = record.type if record else "unknown"
        data["name"] = record.name if record else node
        data["district"] = record.district if record else None
