"""Finds places where cylinders keep coming and do not leave, or keep leaving and never came (只进不出 / 只出不进).

Why it matters: cylinders that vanish are filled, cut up or sold where nobody looks; those from nowhere were never seen.
Example: in four weeks a depot has taken in eighty cylinders and given out three.
Source: 上海市燃气管理条例 art. 27; thresholds sink_source.*. One alert a place and way; it ends when the balance comes
back or the weeks have passed.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import networkx as nx

from cylinder_trace.judging.circulation import (
    MOST_EDGES_NAMED,
    Carried,
    day_of,
    edges_as_facts,
    into,
    out_of,
    seen_ms,
    shown_by,
)
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.neighbourhood import is_lopsided
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import NetworkRule, Wording
from cylinder_trace.judging.scan import day_start_ms, local_day

_ENDS_OF_THE_WAY = frozenset({"customer", "scrap_yard", "manufacturer", "inspection_agency"})
_WORDS = {"sink": ("只进不出", "and kept nearly all"), "source": ("只出不进", "without having got them")}


def find(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int) -> Iterator[Finding]:
    today = local_day(as_of_ms)
    came, left = _in_window(graph, site, reference, as_of_ms)
    came = [one for one in came if day_of(one[1]) <= today]
    left = [one for one in left if day_of(one[1]) <= today]
    latest_start = today - int(reference.number("sink_source.least_days", as_of_ms)) + 1
    ways: tuple[tuple[Literal["sink", "source"], list[Carried], list[Carried]], ...] = (
        ("sink", came, left),
        ("source", left, came),
    )
    for way, much, little in ways:
        for start in sorted({day_of(leg) for _, leg in (*much, *little)}):
            if start > latest_start:
                break
            many = [one for one in much if day_of(one[1]) >= start]
            few = [one for one in little if day_of(one[1]) >= start]
            if _is_lopsided(len(many), len(few), reference, as_of_ms):
                yield _finding(site, way, many, few, start)
                break


def wake(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int) -> int | None:
    """Midnight, as long as it is or may come to be so by time alone."""
    came, left = (_counted(legs) for legs in _in_window(graph, site, reference, as_of_ms))
    if may_be(came, left, reference, as_of_ms):
        return day_start_ms(local_day(as_of_ms) + 1) - 1
    return None


def may_be(came: Mapping[int, int], left: Mapping[int, int], reference: Reference, as_of_ms: int) -> bool:
    """Whether counts by day say that it is so, or may come to be by time alone; they begin with the window."""
    if max({*came, *left}, default=0) > local_day(as_of_ms):  # dated ahead of the moment: anything may come
        return True
    total_came = total_left = 0
    for day in sorted({*came, *left}, reverse=True):
        total_came += came.get(day, 0)
        total_left += left.get(day, 0)
        if _is_lopsided(total_came, total_left, reference, as_of_ms):
            return True
        if _is_lopsided(total_left, total_came, reference, as_of_ms):
            return True
    return False


def window_days(reference: Reference, as_of_ms: int) -> int:
    """How many days are looked at, up to today."""
    return int(reference.number("sink_source.window_days", as_of_ms))


def _in_window(
    graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int
) -> tuple[list[Carried], list[Carried]]:
    """What came and what left since the window began, whatever is dated ahead of the moment included."""
    record = reference.sites.get(site)
    if record is not None and record.type in _ENDS_OF_THE_WAY:
        return [], []
    first_day = local_day(as_of_ms) - window_days(reference, as_of_ms) + 1
    came, left = (
        [one for one in legs if day_of(one[1]) >= first_day]
        for legs in (into(graph, site), out_of(graph, site))
    )
    return came, left


def _counted(legs: list[Carried]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for _, leg in legs:
        counts[day_of(leg)] = counts.get(day_of(leg), 0) + 1
    return counts


def _is_lopsided(many: int, few: int, reference: Reference, as_of_ms: int) -> bool:
    fewest = reference.number("sink_source.cylinders", as_of_ms)
    return is_lopsided(many, few, fewest, reference.number("sink_source.other_share", as_of_ms))


def _finding(
    site: str, way: Literal["sink", "source"], many: list[Carried], few: list[Carried], start: int
) -> Finding:
    came, left = (many, few) if way == "sink" else (few, many)
    zh, en = _WORDS[way]
    facts: dict[str, Fact] = {
        "site": site,
        "way_zh": zh,
        "way_en": en,
        "came": len(came),
        "left": len(left),
        "days": day_of(many[-1][1]) - start + 1,
        "edges": edges_as_facts(many),
    }
    evidence = tuple(shown_by(leg) for _, leg in many[:MOST_EDGES_NAMED])
    return Finding(RULE.name, site, way, seen_ms(many[0][1]), site, evidence, facts)


RULE = NetworkRule(
    name="sink_source",
    severity=3,
    laws=("上海市燃气管理条例.27",),
    waits_for_late_scans=True,
    condition=True,
    find=find,
    wake=wake,
    words=Wording(
        title=(
            "只进不出或只出不进",
            "Cylinders vanish here, or come from nowhere",
        ),
        fact=(
            "{site} {days} 天内进 {came} 只、出 {left} 只气瓶，{way_zh}。",
            "In {days} days {site} took in {came} cylinders and gave out {left} ({way_en}).",
        ),
        remedy=(
            "盘点该点库存，核对进销台账，查明气瓶去向或来源。",
            "Count its stock, compare its books, and find out where the cylinders went or came from.",
        ),
        innocent=(
            "新开业备货、停业清库，或一侧的扫码设备故障。",
            "A new place that stocks up, one that closes, or a scanner that failed on one side.",
        ),
        settles=(
            "一次盘点的瓶数。",
            "A count of its stock.",
        ),
    ),
)
