"""The single legs around a site that a rule over the network may ask for, and no others.

A site where much goes on has hundreds of thousands of legs; what is read follows what is odd among them, and what
happened in the window that a rule looks at.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import networkx as nx
from sqlalchemy import ColumnElement, Connection, and_, or_, select, text

from cylinder_trace.judging.circulation import Carried, day_of, movements
from cylinder_trace.judging.neighbourhood import Flow
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules.network import hoarding, new_intermediary, overstock, sink_source
from cylinder_trace.judging.scan import day_start_ms, local_day
from cylinder_trace.judging.state import Leg
from cylinder_trace.store import flows
from cylinder_trace.store.database import chunked, fetched
from cylinder_trace.store.tables import cylinder, leg, touched_site

EVER_MS = 250_000_000_000_000
"""In the year 9892: nothing that is known by now changes after that."""

_COLUMNS = (leg.c.cylinder_id, *(leg.c[name] for name in Leg.__struct_fields__))
_MARKED = text("(leg.decanted OR leg.outside)")
"""In the words of the index that holds these few legs."""


def around(
    connection: Connection, sites: Sequence[str], reference: Reference, as_of_ms: int
) -> "dict[str, nx.MultiDiGraph[str]]":
    """By site, a graph of the legs that the rules ask for as of a moment."""
    found: dict[str, dict[tuple[str, int], Carried]] = {site: {} for site in sites}
    asking: dict[str, set[str]] = {site: set() for site in sites}

    def note(site: str, legs: Iterable[Carried], rule: str | None = None) -> None:
        found[site].update({(cylinder_id, one.no): (cylinder_id, one) for cylinder_id, one in legs})
        asking[site] |= {rule} if rule else set()

    for site, its in _marked(connection, sites).items():
        note(site, its)
    passing = [site for site in sites if new_intermediary.must_not_pass_on(site, reference)]
    for carried in _passed_on(connection, passing):
        note(carried[1].from_site, [carried])
    customers = [site for site in sites if site in reference.customers]
    for site in _overfull(connection, customers, reference, as_of_ms):
        note(site, _all_of(connection, site), overstock.RULE.name)
    others = [site for site in sites if site not in reference.customers]
    first_day = local_day(as_of_ms) - sink_source.window_days(reference, as_of_ms) + 1
    counts = flows.by_day(connection, others, first_day)
    for site, (came, left) in counts.items():
        if sink_source.needs_legs(came, left, reference, as_of_ms):
            note(site, _since(connection, leg.c.to_site, [site], first_day))
            note(site, _since(connection, leg.c.from_site, [site], first_day))
    for site in others:
        note(site, _from_other_firms(connection, site, reference))
        if legs := _hoarded(connection, site, reference, as_of_ms):
            note(site, legs, hoarding.RULE.name)
    nobody_asks = {overstock.RULE.name, hoarding.RULE.name}
    return {
        site: movements(its.values(), reference, nobody_asks - asking[site], counts.get(site, ({}, {})))
        for site, its in found.items()
    }


def suppliers(connection: Connection, sites: Iterable[str], reference: Reference, as_of_ms: int) -> set[str]:
    """Who brought anything to the customers among these sites of late: how they stand depends on these, too."""
    customers = [site for site in sites if site in reference.customers]
    first_day = local_day(as_of_ms) - hoarding.terms(reference, as_of_ms).window_days + 1
    return flows.suppliers(connection, customers, first_day) - reference.customers


def judged_sites(connection: Connection) -> dict[str, int]:
    """Every site whose network was looked at, with a moment as of which it still looks so.

    Those whose legs changed since, or whose time has come, are left out.
    """
    due = {row.site_id: row.due_ms for row in connection.execute(select(touched_site))}
    return {site: due.get(site, EVER_MS) for site in flows.sites(connection) if due.get(site) != 0}


def _marked(connection: Connection, sites: Sequence[str]) -> dict[str, list[Carried]]:
    """Deliveries without a fill or out of area, and how the same cylinders had come to where they began."""
    found: dict[str, list[Carried]] = defaultdict(list)
    for some in chunked(sorted(sites)):
        for cylinder_id, one in _read(connection, leg.c.from_site.in_(some), _MARKED):
            found[one.from_site].append((cylinder_id, one))
    carried = {(cylinder_id, site) for site, its in found.items() for cylinder_id, one in its if one.decanted}
    for some in chunked(sorted({cylinder_id for cylinder_id, _ in carried})):
        for cylinder_id, one in _read(connection, leg.c.cylinder_id.in_(some)):
            if (cylinder_id, one.to_site) in carried:
                found[one.to_site].append((cylinder_id, one))
    return found


def _passed_on(connection: Connection, sites: Sequence[str]) -> list[Carried]:
    return [
        carried
        for some in chunked(sorted(sites))
        for carried in _read(connection, leg.c.from_site.in_(some), leg.c.kind.in_(["ship", "deliver"]))
    ]


def _overfull(connection: Connection, sites: Sequence[str], reference: Reference, as_of_ms: int) -> list[str]:
    """The customers that hold more by now than they may, before looking at how and since when."""
    limits = {
        site: record.storage_limit_kg
        for site in sites
        if (record := reference.site(site, as_of_ms)) and record.storage_limit_kg is not None
    }
    held: dict[str, str] = {}
    for some in chunked(sorted(limits)):
        statement = select(cylinder.c.cylinder_id, cylinder.c.site_id).where(cylinder.c.site_id.in_(some))
        held |= dict(fetched(connection, statement))
    gas_g: dict[str, int] = {}
    for some in chunked(sorted(held)):
        columns = (leg.c.cylinder_id, leg.c.to_site, leg.c.gas_g)
        statement = select(*columns).where(leg.c.cylinder_id.in_(some), leg.c.gas_g.is_not(None))
        for cylinder_id, site, its_g in fetched(connection, statement):
            if held[cylinder_id] == site and its_g > gas_g.get(cylinder_id, 0):
                gas_g[cylinder_id] = its_g
    stock_g: dict[str, int] = defaultdict(int)
    for cylinder_id, its_g in gas_g.items():
        stock_g[held[cylinder_id]] += its_g
    return [site for site, limit_kg in limits.items() if stock_g[site] > limit_kg * 1000]


def _from_other_firms(connection: Connection, site: str, reference: Reference) -> list[Carried]:
    """What came from sites of firms that have nothing to do with this one, in weeks when that was much."""
    days: dict[str, list[Flow]] = defaultdict(list)
    for one in flows.ever_to(connection, site, new_intermediary.of_other_firms(site, reference)):
        days[one.from_site].append(one)
    found: list[Carried] = []
    for origin, its in days.items():
        if which := new_intermediary.busy_days(its, reference):
            from_ms, to_ms = day_start_ms(min(which)), day_start_ms(max(which) + 1)
            seen = or_(leg.c.arrived_ms.between(from_ms, to_ms), leg.c.arrived_ms.is_(None))
            between = _read(connection, leg.c.to_site == site, leg.c.from_site == origin, seen)
            found += [(cylinder_id, one) for cylinder_id, one in between if day_of(one) in which]
    return found


def _hoarded(connection: Connection, site: str, reference: Reference, as_of_ms: int) -> list[Carried]:
    """What went to, and left, customers that may pile up what this site brings them."""
    terms, today = hoarding.terms(reference, as_of_ms), local_day(as_of_ms)
    first_day = today - terms.window_days + 1
    supplied = flows.supplied(connection, site, first_day, terms.cylinders_each)
    customers = [one for one in supplied if one in reference.customers]
    if len(customers) < terms.customers:
        return []
    brought = flows.since(connection, site, customers, first_day)
    if not hoarding.may_be(brought, flows.from_sites(connection, customers, first_day), terms, today):
        return []
    came = _since(connection, leg.c.to_site, customers, first_day)
    left = _since(connection, leg.c.from_site, customers, first_day)
    return [one for one in came if one[1].from_site == site] + left


def _since(connection: Connection, column: Any, sites: Collection[str], first_day: int) -> list[Carried]:
    from_ms = day_start_ms(first_day)
    seen = or_(leg.c.arrived_ms >= from_ms, and_(leg.c.arrived_ms.is_(None), leg.c.departed_ms >= from_ms))
    return [
        carried for some in chunked(sorted(sites)) for carried in _read(connection, column.in_(some), seen)
    ]


def _all_of(connection: Connection, site: str) -> list[Carried]:
    return _read(connection, leg.c.from_site == site) + _read(connection, leg.c.to_site == site)


def _read(connection: Connection, *which: "ColumnElement[bool] | Any") -> list[Carried]:
    # A flag comes as 0 or 1 from SQLite, which is as good.
    return [(row[0], Leg(*row[1:])) for row in fetched(connection, select(*_COLUMNS).where(*which))]
