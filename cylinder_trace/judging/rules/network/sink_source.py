"""Finds places where cylinders keep coming and do not leave, or keep leaving and never came (只进不出 / 只出不进).

Why it matters: cylinders that vanish are filled, cut up or sold where nobody looks; those from nowhere were never seen.
Example: in four weeks a depot has taken in eighty cylinders and given out three.
A place that is new on the register has some weeks to take in its stock.
Source: 上海市燃气管理条例 art. 27; thresholds sink_source.*. One alert a place and way; it ends when the balance comes
back or the weeks have passed.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import networkx as nx

from cylinder_trace.judging.circulation import (
    MOST_EDGES_NAMED,
    counted_by_day,
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

Way = Literal["sink", "source"]
Counts = Mapping[int, int]
_ENDS_OF_THE_WAY = frozenset({"customer", "scrap_yard", "manufacturer", "inspection_agency"})
_WORDS = {"sink": ("只进不出", "and kept nearly all"), "source": ("只出不进", "without having got them")}


def find(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int) -> Iterator[Finding]:
    today = local_day(as_of_ms)
    came, left = (
        {day: n for day, n in one.items() if day <= today}
        for one in _counts(graph, site, reference, as_of_ms)
    )
    latest_start = today - _least_days(reference, as_of_ms) + 1
    ways: tuple[tuple[Way, Counts, Counts], ...] = (("sink", came, left), ("source", left, came))
    for way, many, few in ways:
        starts = _lopsided_since(many, few, reference, as_of_ms)
        if starts and starts[0] <= latest_start:
            yield _finding(graph, site, way, starts[0], today)


def wake(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int) -> int | None:
    """Midnight while it is so; before, the midnight from which it will have lasted long enough."""
    today = local_day(as_of_ms)
    came, left = _counts(graph, site, reference, as_of_ms)
    if max({*came, *left}, default=0) > today:  # dated ahead of the moment: anything may come
        return day_start_ms(today + 1) - 1
    starts = [
        start
        for many, few in ((came, left), (left, came))
        for start in _lopsided_since(many, few, reference, as_of_ms)[:1]
    ]
    if not starts:
        return None
    return day_start_ms(max(today + 1, min(starts) + _least_days(reference, as_of_ms) - 1)) - 1


def needs_legs(came: Counts, left: Counts, reference: Reference, as_of_ms: int) -> bool:
    """Whether counts by day, which begin with the window, say that it is so; then the legs are asked for."""
    today = local_day(as_of_ms)
    if max({*came, *left}, default=0) > today:
        return True
    latest_start = today - _least_days(reference, as_of_ms) + 1
    starts = (_lopsided_since(*pair, reference, as_of_ms)[:1] for pair in ((came, left), (left, came)))
    return any(start <= latest_start for its in starts for start in its)


def _lopsided_since(many: Counts, few: Counts, reference: Reference, as_of_ms: int) -> list[int]:
    """The days since which much went one way and next to nothing the other, the earliest first."""
    fewest = reference.number("sink_source.cylinders", as_of_ms)
    share = reference.number("sink_source.other_share", as_of_ms)
    total_many = total_few = 0
    starts: list[int] = []
    for day in sorted({*many, *few}, reverse=True):
        total_many += many.get(day, 0)
        total_few += few.get(day, 0)
        if is_lopsided(total_many, total_few, fewest, share):
            starts.append(day)
    return starts[::-1]


def window_days(reference: Reference, as_of_ms: int) -> int:
    """How many days are looked at, up to today."""
    return int(reference.number("sink_source.window_days", as_of_ms))


def _least_days(reference: Reference, as_of_ms: int) -> int:
    return int(reference.number("sink_source.least_days", as_of_ms))


def _counts(
    graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int
) -> tuple[Counts, Counts]:
    """What came and what left by day since the window began, whatever is dated ahead of the moment included."""
    record = reference.sites.get(site)
    if record is not None and record.type in _ENDS_OF_THE_WAY:
        return {}, {}
    first_day = local_day(as_of_ms) - window_days(reference, as_of_ms) + 1
    opened_ms = reference.opened_ms(site)
    if opened_ms is not None:
        # A new place takes in its stock first.
        stocked = local_day(opened_ms) + int(reference.number("sink_source.stocking_days", as_of_ms))
        first_day = max(first_day, stocked)
    came, left = counted_by_day(graph, site)
    return (
        {day: n for day, n in came.items() if day >= first_day},
        {day: n for day, n in left.items() if day >= first_day},
    )


def _finding(graph: "nx.MultiDiGraph[str]", site: str, way: Way, start: int, today: int) -> Finding:
    came, left = (
        [one for one in legs if start <= day_of(one[1]) <= today]
        for legs in (into(graph, site), out_of(graph, site))
    )
    many = came if way == "sink" else left
    zh, en = _WORDS[way]
    facts: dict[str, Fact] = {
        "site": site,
        "way_zh": zh,
        "way_en": en,
        "came": len(came),
        "left": len(left),
        "days": today - start + 1,
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
