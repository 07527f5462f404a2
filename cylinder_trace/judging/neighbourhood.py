"""What moves between sites, counted by day: a site's neighbourhood, and what its shape tells.

City-wide graphs hold these counts only. Nothing here opens an alert: these are the pictures and lists that an
inspector looks at; the rules over the network rest on single legs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import networkx as nx

from cylinder_trace.judging.circulation import describe
from cylinder_trace.judging.reference import Reference

_SEED = 20_260_101
"""Of the search for communities: the same flows give the same communities."""


class Flow(NamedTuple):
    """So many movements from one site to another on one local day."""

    from_site: str
    to_site: str
    day: int
    n: int


class Stream(NamedTuple):
    """All that moved from one site to another in a window of days: how much, first and last when."""

    from_site: str
    to_site: str
    n: int
    first_day: int
    last_day: int


class Balance(NamedTuple):
    """What came to a site and left it in a window, and what that leaves."""

    site: str
    came: int
    left: int

    @property
    def net(self) -> int:
        """More came than left by so many."""
        return self.came - self.left


def site_graph(streams: Iterable[Stream], reference: Reference) -> "nx.DiGraph[str]":
    """One edge for each pair of sites: `n` movements, `first_day` and `last_day`; nodes as `describe` gives them."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for origin, goal, n, first_day, last_day in streams:
        graph.add_edge(origin, goal, n=n, first_day=first_day, last_day=last_day)
    describe(graph, reference)
    return graph


def balances(graph: "nx.DiGraph[str]") -> list[Balance]:
    """Every site's balance, the most uneven first."""
    found = [
        Balance(site, graph.in_degree(site, weight="n"), graph.out_degree(site, weight="n")) for site in graph
    ]
    return sorted(found, key=lambda one: (-abs(one.net), one.site))


def sinks_and_sources(
    graph: "nx.DiGraph[str]", fewest: int, other_share: float
) -> tuple[list[Balance], list[Balance]]:
    """Sites, customers aside, where much came and next to nothing left, and the other way round."""
    sinks, sources = [], []
    for one in balances(graph):
        if graph.nodes[one.site]["type"] != "customer":
            if is_lopsided(one.came, one.left, fewest, other_share):
                sinks.append(one)
            elif is_lopsided(one.left, one.came, fewest, other_share):
                sources.append(one)
    return sinks, sources


def is_lopsided(many: int, few: int, fewest: float, other_share: float) -> bool:
    """Whether one way goes much, and the other way next to nothing of that."""
    return many >= fewest and few <= other_share * many


def owners_graph(graph: "nx.DiGraph[str]") -> "nx.Graph[str]":
    """The firms, with what moved between their sites in either direction as `n`; movements within a firm are a loop."""
    firms: nx.Graph[str] = nx.Graph()
    for origin, goal, edge in graph.edges(data=True):
        one, other = graph.nodes[origin]["owner"], graph.nodes[goal]["owner"]
        if one is not None and other is not None:
            before = firms.edges[one, other]["n"] if firms.has_edge(one, other) else 0
            firms.add_edge(one, other, n=before + edge["n"])
    return firms


def communities(firms: "nx.Graph[str]") -> list[list[str]]:
    """Firms that move cylinders among themselves more than with others; the largest community first, names sorted."""
    ordered: nx.Graph[str] = nx.Graph()
    ordered.add_nodes_from(sorted(firms))
    ordered.add_edges_from(sorted((min(a, b), max(a, b), data) for a, b, data in firms.edges(data=True)))
    found = nx.community.louvain_communities(ordered, weight="n", seed=_SEED) if len(ordered) else []
    return sorted((sorted(one) for one in found), key=lambda one: (-len(one), one))


def edges_between_communities(
    graph: "nx.DiGraph[str]", groups: Iterable[Iterable[str]]
) -> list[tuple[str, str, int]]:
    """From, to and number of movements wherever they go from one community's site to another's, the most first."""
    group_of = {firm: number for number, group in enumerate(groups) for firm in group}
    found = []
    for origin, goal, edge in graph.edges(data=True):
        one, other = (group_of.get(graph.nodes[site]["owner"]) for site in (origin, goal))
        if one is not None and other is not None and one != other:
            found.append((origin, goal, int(edge["n"])))
    return sorted(found, key=lambda one: (-one[2], one[:2]))


def intermediaries(graph: "nx.DiGraph[str]") -> list[str]:
    """Customers and sites that nobody registered from which cylinders go on to others than who brings them."""
    found = []
    for site, data in graph.nodes(data=True):
        if data["type"] in {"customer", "unknown"}:
            brought = set(graph.predecessors(site))
            onwards = [
                goal
                for goal in graph.successors(site)
                if goal not in brought and graph.nodes[goal]["type"] in {"customer", "unknown", "vehicle"}
            ]
            if brought and onwards:
                found.append(site)
    return sorted(found)


def loops(graph: "nx.DiGraph[str]", longest: int = 3) -> Iterator[list[str]]:
    """Rings of two or, with `longest` 3, three sites that pass no filling station; each once, from its first name."""
    # Never `simple_cycles` on a city: neighbour sets are met instead, 80 times faster.
    others = {site for site, data in graph.nodes(data=True) if data["type"] != "filling_station"}
    after = {site: {goal for goal in graph.successors(site) if goal in others} for site in others}
    before: dict[str, set[str]] = defaultdict(set)
    for site, goals in after.items():
        for goal in goals:
            before[goal].add(site)
    for site in sorted(others):
        for goal in sorted(after[site]):
            if goal <= site:
                continue
            if site in after[goal]:
                yield [site, goal]
            if longest > 2:
                yield from (
                    [site, goal, third]
                    for third in sorted(after[goal] & before[site])
                    if third > site and third != goal
                )
