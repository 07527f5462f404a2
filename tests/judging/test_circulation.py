"""Graphs of movements: a trail with its gaps, and what the shape of a neighbourhood tells."""

from typing import Any

import pytest

from cylinder_trace.contract.master import OwnerRecord, SiteRecord
from cylinder_trace.judging import neighbourhood
from cylinder_trace.judging.circulation import counted_by_day, episodes, movements, trail
from cylinder_trace.judging.neighbourhood import Stream, site_graph
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, local_day
from cylinder_trace.judging.state import Leg
from cylinder_trace.law.tables import load
from tests.world import MONDAY_MS

DAY = local_day(MONDAY_MS)
TYPES: dict[str, Any] = {"s": "filling_station", "d": "depot", "c": "customer"}


@pytest.fixture(scope="module")
def reference() -> Reference:
    """Stations s1, s2, depots d1 to d4 and customers c1 to c4; the firm of each ends in its number."""
    records: list[Any] = [OwnerRecord(owner_id=f"f{number}", name=f"firm {number}") for number in range(1, 5)]
    for letter, kind in TYPES.items():
        for number in range(1, 5):
            owner = None if kind == "customer" else f"f{number}"
            records.append(
                SiteRecord(
                    site_id=f"{letter}{number}", name=f"{letter} {number}", type=kind, owner_id=owner,
                    district="310112",
                )
            )  # fmt: skip
    return Reference.of(load(), records, [])


def leg(no: int, origin: str, goal: str, day: int = 0, **fields: Any) -> Leg:
    at_ms = MONDAY_MS + day * DAY_MS
    whole: dict[str, Any] = {
        "no": no, "kind": "receive", "from_site": origin, "to_site": goal, "departed_ms": at_ms,
        "arrived_ms": at_ms, "depart_event": f"{no}-a", "arrive_event": f"{no}-b", "owner": "f1", "gas_g": 14_900,
        "gap": False, "decanted": False, "outside": False,
    }  # fmt: skip
    return Leg(**whole | fields)


def streams(*pairs: tuple[str, str, int]) -> list[Stream]:
    return [Stream(origin, goal, n, DAY, DAY) for origin, goal, n in pairs]


def test_a_trail_keeps_every_leg_and_marks_the_gaps(reference: Reference) -> None:
    way = [
        leg(0, "s1", "d1"),
        leg(1, "d1", "c1"),
        leg(2, "c1", "s1", gap=True, departed_ms=None),
        leg(3, "s1", "d1"),
    ]
    graph = trail(way, reference)
    assert [(a, b, edge["gap"]) for a, b, _, edge in sorted(graph.edges(keys=True, data=True), key=lambda e: e[2])] == [
        ("s1", "d1", False), ("d1", "c1", False), ("c1", "s1", True), ("s1", "d1", False),
    ]  # fmt: skip
    assert graph.nodes["d1"] == {"type": "depot", "name": "d 1", "district": "310112", "owner": "f1"}


def test_a_site_that_nobody_registered_is_a_node_of_unknown_type(reference: Reference) -> None:
    graph = site_graph(streams(("d1", "yard", 2)), reference)
    assert graph.nodes["yard"] == {"type": "unknown", "name": "yard", "district": None, "owner": None}


def test_balances_name_the_most_uneven_first(reference: Reference) -> None:
    graph = site_graph(streams(("s1", "d1", 9), ("d1", "c1", 4), ("c1", "d1", 3)), reference)
    assert [(one.site, one.came, one.left, one.net) for one in neighbourhood.balances(graph)] == [
        ("s1", 0, 9, -9), ("d1", 12, 4, 8), ("c1", 4, 3, 1),
    ]  # fmt: skip


def test_a_sink_takes_in_and_keeps_and_a_customer_is_none(reference: Reference) -> None:
    graph = site_graph(
        streams(("s1", "d1", 40), ("d1", "c1", 4), ("d2", "d3", 39), ("d3", "c2", 39)), reference
    )
    sinks, sources = neighbourhood.sinks_and_sources(graph, 30, 0.1)
    assert [one.site for one in sinks] == ["d1"]
    assert [one.site for one in sources] == ["s1", "d2"]


def test_loops_pass_no_station_and_come_once(reference: Reference) -> None:
    graph = site_graph(
        streams(
            ("d1", "c1", 1), ("c1", "d1", 1), ("d1", "s1", 1), ("s1", "d1", 1), ("d1", "d2", 1), ("d2", "d3", 1),
            ("d3", "d1", 1),
        ),
        reference,
    )  # fmt: skip
    assert list(neighbourhood.loops(graph)) == [["c1", "d1"], ["d1", "d2", "d3"]]


def test_firms_that_exchange_much_are_a_community_and_what_crosses_is_named(reference: Reference) -> None:
    pairs = [("d1", "s2", 50), ("d2", "s1", 50), ("d3", "s4", 50), ("d4", "s3", 50), ("d2", "d3", 2)]
    graph = site_graph(streams(*pairs), reference)
    groups = neighbourhood.communities(neighbourhood.owners_graph(graph))
    assert groups == [["f1", "f2"], ["f3", "f4"]]
    assert neighbourhood.edges_between_communities(graph, groups) == [("d2", "d3", 2)]
    assert (
        neighbourhood.communities(neighbourhood.owners_graph(site_graph(streams(*pairs[::-1]), reference)))
        == groups
    )


def test_a_customer_that_passes_on_what_it_got_is_an_intermediary(reference: Reference) -> None:
    back = ("c2", "d1", 1)
    graph = site_graph(streams(("d1", "c1", 3), ("c1", "c2", 3), ("d1", "c2", 1), back), reference)
    assert neighbourhood.intermediaries(graph) == ["c1"]


def test_an_episode_is_a_run_of_windows_with_enough_cylinders() -> None:
    days = (0, 1, 2, 20, 21, 40, 41, 42)
    carried = [(f"b{number}", leg(number, "c1", "c2", day)) for number, day in enumerate(days)]
    assert [[one for one, _ in run] for run in episodes(carried, 3, 7)] == [
        ["b0", "b1", "b2"],
        ["b5", "b6", "b7"],
    ]
    assert list(episodes([("b0", one) for _, one in carried], 3, 7)) == []


def test_what_a_graph_is_told_of_its_counts_goes_before_the_legs_it_has(reference: Reference) -> None:
    graph = movements([("b", leg(0, "s1", "d1")), ("b", leg(1, "d1", "c1", 1))], reference)
    assert counted_by_day(graph, "d1") == ({DAY: 1}, {DAY + 1: 1})
    assert counted_by_day(movements([], reference, counts=({DAY: 7}, {})), "d1") == ({DAY: 7}, {})
