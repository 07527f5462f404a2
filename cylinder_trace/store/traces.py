"""Where things went and came from: the cylinders a station filled, and those that are at a site, each with its way."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from cylinder_trace.judging.state import Leg, State
from cylinder_trace.judging.tracing import Filled, Whereabouts, last_fill, whereabouts
from cylinder_trace.store import codes, cylinders, ledger
from cylinder_trace.store.database import chunked
from cylinder_trace.store.tables import cylinder, event, leg


class Found(NamedTuple):
    """A page of what was found, and how many there are in all; without a known fill `whereabouts` has none."""

    total: int
    whereabouts: list[Whereabouts]


def filled_at(
    connection: Connection, station: str, from_ms: int, to_ms: int, limit: int, offset: int
) -> Found:
    """Every fill of a station in a time, the end left out, oldest first, and where its cylinder is now."""
    when = (event.c.site_id == station, event.c.occurred_ms >= from_ms, event.c.occurred_ms < to_ms)
    which = (*when, event.c.kind == "fill")
    total = connection.scalar(select(func.count()).select_from(event).where(*which)) or 0
    columns = (event.c.event_id, event.c.code, event.c.occurred_ms)
    page = select(*columns).where(*which).order_by(event.c.occurred_ms, event.c.event_id)
    rows = connection.execute(page.limit(limit).offset(offset)).all()
    void = ledger.void_among(connection, [row.event_id for row in rows])
    roots = codes.roots_of(connection, {row.code for row in rows})
    fills = [
        Filled(roots[row.code], row.event_id, station, row.occurred_ms)
        for row in rows
        if row.event_id not in void
    ]
    return Found(total, _traced(connection, fills))


def present_at(connection: Connection, site: str, limit: int, offset: int) -> Found:
    """Every cylinder that is at a site now, by its id, and its way from the fill whose gas it holds."""
    here = cylinder.c.site_id == site
    total = connection.scalar(select(func.count()).select_from(cylinder).where(here)) or 0
    page = select(cylinder.c.cylinder_id).where(here).order_by(cylinder.c.cylinder_id)
    ids = list(connection.scalars(page.limit(limit).offset(offset)))
    states = cylinders.read_all(connection, ids)
    # One of which no fill is known shows its whole way.
    fills = [
        last_fill(state) or Filled(state.cylinder_id, "", "", -(2**62)) for state in states.values() if state
    ]
    return Found(total, _traced(connection, fills, states))


def _traced(
    connection: Connection, fills: list[Filled], states: Mapping[str, State | None] | None = None
) -> list[Whereabouts]:
    ids = {one.cylinder_id for one in fills}
    known = states or cylinders.read_all(connection, ids)
    legs = _legs_of(connection, ids)
    return [
        whereabouts(one, state, legs[one.cylinder_id])
        for one in fills
        if (state := known.get(one.cylinder_id))
    ]


def _legs_of(connection: Connection, cylinder_ids: Iterable[str]) -> dict[str, list[Leg]]:
    found: dict[str, list[Leg]] = defaultdict(list)
    columns = (leg.c.cylinder_id, *(leg.c[name] for name in Leg.__struct_fields__))
    for some in chunked(sorted(cylinder_ids)):
        statement = select(*columns).where(leg.c.cylinder_id.in_(some)).order_by(leg.c.cylinder_id, leg.c.no)
        for row in connection.execute(statement):
            found[row[0]].append(Leg(*tuple(row)[1:]))
    return found
