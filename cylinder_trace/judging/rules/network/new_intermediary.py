"""Finds places that begin to pass cylinders on though it is not their business (新增中间点).

Why it matters: who buys and sells bottles without a licence checks, insures and answers for nothing.
Example: a customer ships three cylinders to others in a week; a depot takes in five cylinders a week of a firm with
which its own has no filling agreement.
Source: 城镇燃气管理条例 art. 18, 上海市燃气管理条例 art. 27; thresholds new_intermediary.*. One alert a place and episode
of such weeks, and one for each place of another firm that it takes from.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

import networkx as nx

from cylinder_trace.judging.circulation import (
    MOST_EDGES_NAMED,
    Carried,
    day_of,
    edges_as_facts,
    episodes,
    into,
    out_of,
    seen_ms,
    shown_by,
)
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.neighbourhood import Flow
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import NetworkRule, Wording
from cylinder_trace.judging.scan import day_start_ms
from cylinder_trace.judging.state import Leg

WEEK_DAYS = 7


def find(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, _as_of_ms: int) -> Iterator[Finding]:
    if must_not_pass_on(site, reference):
        passed = [one for one in out_of(graph, site) if _is_passed_on(one[1], site, reference)]
        yield from _found(site, "", passed, "new_intermediary.customer_cylinders_per_week", reference)
        return
    others = of_other_firms(site, reference)
    by_origin: dict[str, list[Carried]] = defaultdict(list)
    for one in into(graph, site):
        if one[1].from_site in others and _is_strange(one[1], reference):
            by_origin[one[1].from_site].append(one)
    for origin, its in sorted(by_origin.items()):
        yield from _found(site, f"{origin}:", its, "new_intermediary.cylinders_per_week", reference)


def _found(
    site: str, between: str, legs: list[Carried], threshold: str, reference: Reference
) -> Iterator[Finding]:
    if not legs:
        return
    enough = reference.number(threshold, seen_ms(legs[-1][1]))
    for episode in episodes(legs, enough, WEEK_DAYS):
        facts: dict[str, Fact] = {
            "site": site,
            "cylinders": len({cylinder_id for cylinder_id, _ in episode}),
            "places": len({leg.from_site if between else leg.to_site for _, leg in episode}),
            "edges": edges_as_facts(episode),
        }
        day = date.fromordinal(day_of(episode[0][1])).isoformat()
        evidence = tuple(shown_by(leg) for _, leg in episode[:MOST_EDGES_NAMED])
        yield Finding(RULE.name, site, f"{between}{day}", seen_ms(episode[0][1]), site, evidence, facts)


def must_not_pass_on(site: str, reference: Reference) -> bool:
    """Whether a site is a customer, or one that nobody registered."""
    return site in reference.customers or site not in reference.sites


def _is_passed_on(leg: Leg, site: str, reference: Reference) -> bool:
    """Sent to another user or dealer; what goes to be filled, inspected or scrapped is on its way back."""
    if leg.kind not in {"ship", "deliver"} or leg.to_site == site:
        return False
    record = reference.sites.get(leg.to_site)
    return record is None or record.type in {"customer", "depot", "vehicle"}


def of_other_firms(site: str, reference: Reference) -> set[str]:
    """The stations and depots that another firm than a site's runs; none for a site that no firm runs."""
    record = reference.sites.get(site)
    if (
        record is None
        or record.owner_id is None
        or record.type not in {"filling_station", "depot", "vehicle"}
    ):
        return set()
    places = reference.stations | reference.depots
    return {one for one in places if reference.sites[one].owner_id not in {None, record.owner_id}}


def busy_days(flows: Iterable[Flow], reference: Reference) -> set[int]:
    """Of what came from one site of a firm that is not linked, the days that lie in a week with enough of it."""
    counts: dict[int, int] = defaultdict(int)
    for origin, goal, day, n in flows:
        if not _are_linked(origin, goal, day_start_ms(day), reference):
            counts[day] += n
    busy: set[int] = set()
    for day in counts:
        week = [one for one in range(day - WEEK_DAYS + 1, day + 1) if one in counts]
        enough = reference.number("new_intermediary.cylinders_per_week", day_start_ms(day))
        if sum(counts[one] for one in week) >= enough:
            busy.update(week)
    return busy


def _is_strange(leg: Leg, reference: Reference) -> bool:
    """Come to a firm that neither owns the cylinder nor has an agreement with the one it comes from."""
    at_ms = seen_ms(leg)
    goal = reference.owner_of_site(leg.to_site, at_ms)
    if leg.kind == "gap" or leg.owner is None or leg.owner == goal:
        return False
    return not _are_linked(leg.from_site, leg.to_site, day_start_ms(day_of(leg)), reference)


def _are_linked(site: str, goal: str, at_ms: int, reference: Reference) -> bool:
    """Whether one firm runs both sites, or one of the two firms may have its cylinders filled by the other."""
    one, other = reference.owner_of_site(site, at_ms), reference.owner_of_site(goal, at_ms)
    if one == other or one is None or other is None:
        return True
    return any(
        {owner, reference.owner_of_site(station, at_ms)} == {one, other}
        and reference.has_agreement(owner, station, at_ms)
        for owner, station in reference.agreements
        if owner in {one, other}
    )


RULE = NetworkRule(
    name="new_intermediary",
    severity=2,
    laws=("城镇燃气管理条例.18", "上海市燃气管理条例.27"),
    find=find,
    words=Wording(
        title=(
            "新增中间点",
            "A place that begins to pass cylinders on",
        ),
        fact=(
            "{site} 中转 {cylinders} 只气瓶，涉及 {places} 个与其并无业务关系的地点。",
            "{site} passed {cylinders} cylinders between places it has no business with ({places}).",
        ),
        remedy=(
            "现场查明该点的经营许可与气瓶来源去向；无证经营的依法查处。",
            "Find out on site what licence the place has and where its cylinders come from and go to.",
        ),
        innocent=(
            "新许可的配送点尚未登记，或委托协议尚未录入。",
            "A newly licensed depot that is not registered yet, or an agreement that was not entered.",
        ),
        settles=(
            "该点的登记信息或双方的委托协议。",
            "The register's entry for the place, or the agreement of the two firms.",
        ),
    ),
)
