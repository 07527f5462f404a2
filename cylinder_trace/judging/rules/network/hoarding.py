"""Finds a supplier whose customers pile its cylinders up (用户群囤瓶).

Why it matters: bottles put away with friendly users are a secret store, or wait to be filled and sold again.
Example: within four weeks five customers of one depot have each got five cylinders and given none back.
Source: 上海市燃气管理条例 art. 27; thresholds hoarding.*. What a customer gave to anybody counts as given back. One alert a
firm and supplying place; it ends when the cylinders come back or the weeks have passed.
Where as much goes as comes, the last five movements of one customer in 32 are deliveries, by chance: of many customers
so many must pile up so much that chance does not explain it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp
from typing import NamedTuple

import networkx as nx

from cylinder_trace.judging.circulation import (
    MOST_EDGES_NAMED,
    Carried,
    day_of,
    edges_as_facts,
    out_of,
    seen_ms,
    shown_by,
)
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.neighbourhood import Flow, is_lopsided
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import NetworkRule, Wording
from cylinder_trace.judging.scan import day_start_ms, local_day


class Terms(NamedTuple):
    """So many customers that got so many cylinders each, and gave back no more than a share, within so many days.

    So many are there by chance with a probability below `chance`.
    """

    customers: int
    cylinders_each: int
    window_days: int
    given_back_share: float
    chance: float


def terms(reference: Reference, as_of_ms: int) -> Terms:
    """The terms as of a moment."""
    customers, each, days, share, chance = (
        reference.number(f"hoarding.{one}", as_of_ms) for one in Terms._fields
    )
    return Terms(int(customers), int(each), int(days), share, chance)


def find(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int) -> Iterator[Finding]:
    asked = terms(reference, as_of_ms)
    today = local_day(as_of_ms)
    brought_by_now, left_by_now = (
        [one for one in flows if one.day <= today] for flows in _moved(graph, site, reference, as_of_ms)
    )
    piling = piling_up(brought_by_now, left_by_now, asked)
    if not beyond_chance(piling, Counter(one.to_site for one in brought_by_now), asked):
        return
    legs = _legs(graph, site, piling, today - asked.window_days + 1)
    brought = [one for one in legs if one[1].from_site == site and day_of(one[1]) <= today]
    facts: dict[str, Fact] = {
        "site": site,
        "customers": len(piling),
        "cylinders": sum(piling.values()),
        "days": asked.window_days,
        "edges": edges_as_facts(brought),
    }
    evidence = tuple(shown_by(leg) for _, leg in brought[:MOST_EDGES_NAMED])
    firm = reference.owner_of_site(site, as_of_ms) or site
    yield Finding(RULE.name, firm, site, seen_ms(brought[0][1]), site, evidence, facts)


def wake(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int) -> int | None:
    """Midnight, as long as it is so or what is dated ahead of the moment may make it so."""
    today = local_day(as_of_ms)
    if may_be(*_moved(graph, site, reference, as_of_ms), terms(reference, as_of_ms), today):
        return day_start_ms(today + 1) - 1
    return None


def may_be(brought: Sequence[Flow], left: Sequence[Flow], asked: Terms, today: int) -> bool:
    """Whether flows since the window began say that it is so, or may come to be by time alone."""
    ahead = any(one.day > today for one in (*brought, *left))
    return ahead or len(piling_up(brought, left, asked)) >= asked.customers


def piling_up(brought: Iterable[Flow], left: Iterable[Flow], asked: Terms) -> dict[str, int]:
    """The customers that since some day got much from one supplier and gave anybody next to nothing, and how much more."""
    came: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    gone: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for _, customer, day, n in brought:
        came[customer][day] += n
    for customer, _, day, n in left:
        gone[customer][day] += n
    piling: dict[str, int] = {}
    for customer, days in came.items():
        got = gave = 0
        for day in sorted({*days, *gone[customer]}, reverse=True):
            got += days.get(day, 0)
            gave += gone[customer].get(day, 0)
            if is_lopsided(got, gave, asked.cylinders_each, asked.given_back_share):
                piling[customer] = max(piling.get(customer, 0), got - gave)
    return piling


def beyond_chance(piling: Mapping[str, int], got: Mapping[str, int], asked: Terms) -> bool:
    """Whether enough customers pile up, and at some height more of them than chance makes of those that got so much."""
    for each in range(asked.cylinders_each, max(piling.values(), default=0) + 1):
        many = sum(n >= each for n in piling.values())
        if many < asked.customers:
            return False
        by_chance = sum(n >= each for n in got.values()) / 2**each
        if _poisson_tail(many, by_chance) < asked.chance:
            return True
    return False


def _poisson_tail(many: int, mean: float) -> float:
    """The chance of so many or more where that many are expected."""
    term, below = exp(-mean), 0.0
    for number in range(many):
        below += term
        term *= mean / (number + 1)
    return 1 - below


def _moved(
    graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int
) -> tuple[list[Flow], list[Flow]]:
    """What the site brought to customers, and what left these, since the window began."""
    if site not in graph or site in reference.customers:
        return [], []
    first_day = local_day(as_of_ms) - terms(reference, as_of_ms).window_days + 1
    customers = {one for one in graph.successors(site) if one in reference.customers}
    moved = [
        Flow(leg.from_site, leg.to_site, day_of(leg), 1)
        for _, leg in _legs(graph, site, customers, first_day)
    ]
    return [one for one in moved if one.from_site == site], [one for one in moved if one.from_site != site]


def _legs(
    graph: "nx.MultiDiGraph[str]", site: str, customers: Iterable[str], first_day: int
) -> list[Carried]:
    """What the site brought to these customers, and all that left them, since a day; in order."""
    wanted = set(customers)
    legs = [one for one in out_of(graph, site) if one[1].to_site in wanted]
    legs += [one for customer in sorted(wanted) for one in out_of(graph, customer)]
    return [one for one in legs if day_of(one[1]) >= first_day]


RULE = NetworkRule(
    name="hoarding",
    severity=3,
    laws=("上海市燃气管理条例.27",),
    waits_for_late_scans=True,
    condition=True,
    find=find,
    wake=wake,
    words=Wording(
        title=(
            "用户群囤瓶",
            "Customers of one supplier pile cylinders up",
        ),
        fact=(
            "{site} 的 {customers} 个用户在 {days} 天内多收 {cylinders} 只气瓶而未交还。",
            "In {days} days {customers} customers of {site} got {cylinders} cylinders more than they gave back.",
        ),
        remedy=(
            "抽查这些用户的存瓶，要求供应单位说明并收回。",
            "Look at what these customers store; have the supplier explain and collect.",
        ),
        innocent=(
            "一条线路的回收扫码整段漏扫，或新用户集中开户。",
            "One round's returns were not scanned, or many new customers began.",
        ),
        settles=(
            "这些用户现场清点的瓶数。",
            "A count of the bottles at these customers.",
        ),
    ),
)
