"""Flows: how many movements went from one site to another on a local day, kept up to date with the legs."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Integer, Row, cast, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cylinder_trace.judging.circulation import day_of
from cylinder_trace.judging.neighbourhood import Flow, Stream
from cylinder_trace.judging.scan import DAY_MS, day_start_ms
from cylinder_trace.judging.state import Leg
from cylinder_trace.store.database import KEYS_AT_ONCE, any_of, chunked
from cylinder_trace.store.tables import flow, leg

Key = tuple[str, str, int]
"""From, to, and the local day (`date.toordinal`) it arrived or, where nobody saw that, departed."""


LAST_DAY = date.max.toordinal()


def key_of(one: Leg) -> Key:
    """The flow that a leg is counted in."""
    return one.from_site, one.to_site, day_of(one)


def add(connection: Connection, changes: Counter[Key]) -> None:
    """Add to the flows, or take off: in one order, so that two judges wait for each other but never dead-lock."""
    rows = [
        {"from_site": origin, "to_site": goal, "day": day, "n": n}
        for (origin, goal, day), n in sorted(changes.items())
        if n
    ]
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    insert = make(flow)
    added = {"n": flow.c.n + insert.excluded.n}
    keys = [column.name for column in flow.primary_key]
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=added), rows)
    fewer = [key for key, n in sorted(changes.items()) if n < 0]
    for some in chunked(fewer, KEYS_AT_ONCE):
        connection.execute(delete(flow).where(any_of(tuple(flow.primary_key), some), flow.c.n == 0))


def from_sites(connection: Connection, sites: Iterable[str], first_day: int) -> list[Flow]:
    """What left these sites since a day; a row for each day."""
    found: list[Flow] = []
    for some in chunked(sorted(set(sites))):
        statement = select(flow).where(flow.c.from_site.in_(some), flow.c.day >= first_day)
        found += [Flow(*row) for row in connection.execute(statement)]
    return found


def around(
    connection: Connection, site: str, hops: int, first_day: int, last_day: int = LAST_DAY
) -> list[Stream]:
    """All that moved in a window of days within so many hops of a site, in either direction; each pair of sites once."""
    found: dict[tuple[str, str], Stream] = {}
    known, frontier = {site}, {site}
    for _ in range(hops):
        for column in (flow.c.from_site, flow.c.to_site):
            for one in _streams(connection, column, frontier, first_day, last_day):
                found[one.from_site, one.to_site] = one
        frontier = {end for pair in found for end in pair} - known
        known |= frontier
    return list(found.values())


def _streams(
    connection: Connection, column: Column[Any], sites: Iterable[str], first_day: int, last_day: int
) -> Iterator[Stream]:
    pair = (flow.c.from_site, flow.c.to_site)
    total = (cast(func.sum(flow.c.n), Integer), func.min(flow.c.day), func.max(flow.c.day))
    for some in chunked(sorted(set(sites))):
        statement = select(*pair, *total).where(column.in_(some), flow.c.day.between(first_day, last_day))
        for row in connection.execute(statement.group_by(*pair)):
            yield Stream(*row)


def ever_to(connection: Connection, goal: str, origins: Iterable[str]) -> list[Flow]:
    """What ever went to a site from any of others; a row for each day."""
    found: list[Flow] = []
    for some in chunked(sorted(set(origins))):
        statement = select(flow).where(flow.c.from_site.in_(some), flow.c.to_site == goal)
        found += [Flow(*row) for row in connection.execute(statement)]
    return found


def since(connection: Connection, origin: str, goals: Iterable[str], first_day: int) -> list[Flow]:
    """What went from a site to any of others since a day; a row for each day."""
    found: list[Flow] = []
    for some in chunked(sorted(set(goals))):
        pairs = (flow.c.from_site == origin, flow.c.to_site.in_(some))
        found += [
            Flow(*row) for row in connection.execute(select(flow).where(*pairs, flow.c.day >= first_day))
        ]
    return found


def by_day(
    connection: Connection, sites: Iterable[str], first_day: int
) -> dict[str, tuple[dict[int, int], dict[int, int]]]:
    """For each site, how much came and how much left on each day from one on."""
    found: dict[str, tuple[dict[int, int], dict[int, int]]] = {site: ({}, {}) for site in sites}
    for which, column in enumerate((flow.c.to_site, flow.c.from_site)):
        for some in chunked(sorted(found)):
            statement = select(column, flow.c.day, func.sum(flow.c.n)).group_by(column, flow.c.day)
            for site, day, n in connection.execute(
                statement.where(column.in_(some), flow.c.day >= first_day)
            ):
                found[site][which][day] = int(n)
    return found


def supplied(connection: Connection, origin: str, first_day: int, fewest: float) -> list[str]:
    """The sites to which at least so many went from one, from a day on."""
    statement = select(flow.c.to_site).where(flow.c.from_site == origin, flow.c.day >= first_day)
    statement = statement.group_by(flow.c.to_site).having(func.sum(flow.c.n) >= fewest)
    return list(connection.scalars(statement))


def suppliers(connection: Connection, sites: Collection[str], first_day: int) -> set[str]:
    """The sites from which anything came to these since a day."""
    found: set[str] = set()
    for some in chunked(sorted(sites)):
        statement = select(flow.c.from_site).where(flow.c.to_site.in_(some), flow.c.day >= first_day)
        found |= set(connection.scalars(statement.distinct()))
    return found


def sites(connection: Connection) -> list[str]:
    """Every site that anything ever went to or from."""
    origins = select(flow.c.from_site.label("site")).distinct()
    goals = select(flow.c.to_site.label("site")).distinct()
    return sorted(connection.scalars(origins.union(goals)))


def at_odds(connection: Connection) -> Iterator[str]:
    """Flows that are not what the legs add up to, in words."""
    at_ms = func.coalesce(leg.c.arrived_ms, leg.c.departed_ms)
    # `//` is a whole number on both databases, as `local_day` reckons.
    moved = select(
        leg.c.from_site, leg.c.to_site, ((at_ms - day_start_ms(0)) // DAY_MS).label("day")
    ).subquery()
    keys = (moved.c.from_site, moved.c.to_site, moved.c.day)
    made = select(*keys, func.count().label("n")).group_by(*keys)
    kept = select(flow.c.from_site, flow.c.to_site, flow.c.day, flow.c.n)
    for row in connection.execute(made.except_(kept)):
        yield f"flow {_named(row)}: its legs make it {row.n}, which is not what is kept"
    for row in connection.execute(kept.except_(made)):
        yield f"flow {_named(row)}: it is kept as {row.n}, which is not what its legs make it"


def _named(row: Row[Any]) -> str:
    return f"{row.from_site} to {row.to_site} on day {row.day}"
