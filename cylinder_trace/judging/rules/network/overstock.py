"""Finds customers that hold more gas than their place may store (囤瓶).

Why it matters: bottles beyond what a kitchen or store room was approved for turn a leak into a disaster.
Example: a restaurant that may store 100 kg has had nine 14.9 kg bottles for more than a day.
Source: 安全生产法 art. 41; thresholds overstock.*; the limit is the site's own, as of the time. Full and empty bottles
count alike. A stay that nobody saw end counts no longer than anybody saw it. One alert for each time above the limit.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import networkx as nx

from cylinder_trace.judging.circulation import Carried, edges_as_facts, in_order, into, out_of
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import NetworkRule, Wording
from cylinder_trace.judging.scan import HOUR_MS, day_start_ms
from cylinder_trace.judging.state import Leg


class _Stay(NamedTuple):
    """One cylinder at the place; `until_ms` None where it still is there."""

    carried: Carried
    from_ms: int
    until_ms: int | None
    gas_g: int


class _Stock(NamedTuple):
    """What is held as of a moment: how much, where that is too much since when, and brought by what."""

    kg: float
    limit_kg: float
    since_ms: int
    held: list[Carried]
    carried_above: Leg


def find(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int) -> Iterator[Finding]:
    stock = _too_much(_stays(graph, site, reference), site, reference, as_of_ms)
    if stock is None or _long_enough_ms(stock, reference) >= as_of_ms:
        return
    facts: dict[str, Fact] = {
        "customer": site,
        "kg": round(stock.kg, 1),
        "limit_kg": stock.limit_kg,
        "cylinders": len(stock.held),
        "edges": edges_as_facts(stock.held),
    }
    first = stock.carried_above.arrive_event or ""
    others = [leg.arrive_event or "" for _, leg in stock.held]
    evidence = tuple(dict.fromkeys([first, *others]))
    yield Finding(RULE.name, site, first, stock.since_ms, site, evidence, facts)


def wake(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int) -> int | None:
    """When it has been too much for long enough, and when what is dated ahead of the moment comes to be."""
    stays = _stays(graph, site, reference)
    ahead = [ms - 1 for stay in stays for ms in (stay.from_ms, stay.until_ms or 0) if ms > as_of_ms]
    record = reference.sites.get(site)
    if stays and record and record.valid_from:  # another limit may hold from a day on
        ahead.append(day_start_ms(record.valid_from.toordinal()) - 1)
    stock = _too_much(stays, site, reference, as_of_ms)
    if stock is not None:
        ahead.append(_long_enough_ms(stock, reference))
    return min((ms for ms in ahead if ms >= as_of_ms), default=None)


def _long_enough_ms(stock: _Stock, reference: Reference) -> int:
    return stock.since_ms + int(reference.number("overstock.after_h", stock.since_ms) * HOUR_MS)


def _stays(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference) -> list[_Stay]:
    if site not in reference.customers:
        return []
    legs: dict[str, list[Leg]] = defaultdict(list)
    for cylinder_id, leg in {*into(graph, site), *out_of(graph, site)}:
        legs[cylinder_id].append(leg)
    return [stay for cylinder_id, its in legs.items() for stay in _of_cylinder(cylinder_id, its, site)]


def _of_cylinder(cylinder_id: str, legs: list[Leg], site: str) -> Iterator[_Stay]:
    came: Leg | None = None
    for leg in sorted(legs, key=lambda one: one.no):
        if came is not None and leg.from_site == site:
            # Where it was seen elsewhere one day, it left at nobody knows when: as far as anyone saw, at once.
            left_ms = came.arrived_ms if leg.kind == "gap" else leg.departed_ms
            yield _Stay(
                (cylinder_id, came), came.arrived_ms or 0, left_ms or came.arrived_ms, came.gas_g or 0
            )
            came = None
        if leg.to_site == site and leg.arrived_ms is not None:
            came = leg
    if came is not None:
        yield _Stay((cylinder_id, came), came.arrived_ms or 0, None, came.gas_g or 0)


def _too_much(stays: list[_Stay], site: str, reference: Reference, as_of_ms: int) -> _Stock | None:
    """What is too much as of a moment, and since when without a break; None where it is not."""
    limit_kg = _limit_kg(site, reference, as_of_ms)
    if limit_kg is None:
        return None
    change_g: dict[int, int] = defaultdict(int)
    for stay in stays:
        change_g[stay.from_ms] += stay.gas_g
        if stay.until_ms is not None:
            change_g[stay.until_ms] -= stay.gas_g
    held_g, since_ms = 0, None
    for at_ms in sorted(ms for ms in change_g if ms <= as_of_ms):
        held_g += change_g[at_ms]
        limit_then_kg = _limit_kg(site, reference, at_ms)
        if limit_then_kg is None or held_g <= limit_then_kg * 1000:
            since_ms = None
        elif since_ms is None:
            since_ms = at_ms
    if held_g <= limit_kg * 1000:
        return None
    if since_ms is None:  # the limit came down on what was there
        since_ms = _in_force_ms(site, reference, as_of_ms)
    there = [
        stay
        for stay in stays
        if stay.from_ms <= as_of_ms and (stay.until_ms is None or stay.until_ms > as_of_ms)
    ]
    held = sorted((stay.carried for stay in there), key=in_order)
    above = [stay for stay in stays if stay.from_ms <= since_ms]
    last = max(above, key=lambda stay: in_order(stay.carried)).carried[1]
    return _Stock(held_g / 1000, limit_kg, since_ms, held, last)


def _limit_kg(site: str, reference: Reference, at_ms: int) -> float | None:
    record = reference.site(site, at_ms)
    return record.storage_limit_kg if record else None


def _in_force_ms(site: str, reference: Reference, at_ms: int) -> int:
    record = reference.site(site, at_ms)
    return day_start_ms(record.valid_from.toordinal()) if record and record.valid_from else at_ms


RULE = NetworkRule(
    name="overstock",
    severity=2,
    laws=("安全生产法.41",),
    waits_for_late_scans=True,
    condition=True,
    find=find,
    wake=wake,
    words=Wording(
        title=(
            "囤瓶",
            "More gas than the place may store",
        ),
        fact=(
            "{customer} 存有 {cylinders} 只气瓶，合计 {kg} kg，超过其存放限量 {limit_kg} kg。",
            "{customer} holds {cylinders} cylinders, {kg} kg in all; it may store {limit_kg} kg.",
        ),
        remedy=(
            "上门清点，当日收回超量气瓶；确需更多的，按要求另设气瓶间。",
            "Count on site, take back what is too much the same day; who needs more builds a proper bottle room.",
        ),
        innocent=(
            "空瓶已回收而未扫码。",
            "Empties were collected and not scanned.",
        ),
        settles=(
            "现场清点的瓶数，或漏扫气瓶的下一次扫码。",
            "A count on site, or the next scan of the cylinders that were missed.",
        ),
    ),
)
