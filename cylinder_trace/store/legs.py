"""Legs: custody from one site to the next, and which sites' networks have to be looked at again."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Result, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cylinder_trace.judging.state import Leg
from cylinder_trace.store import flows, tries
from cylinder_trace.store.database import KEYS_AT_ONCE, any_of, chunked, put
from cylinder_trace.store.tables import leg, touched_site

_COLUMNS = [leg.c[name] for name in Leg.__struct_fields__]


_TOUCHED = select(touched_site.c.site_id).where(touched_site.c.not_before_ms <= bindparam("now_ms"))
_TOUCHED = _TOUCHED.where(touched_site.c.due_ms < bindparam("now_ms"))
_TOUCHED = _TOUCHED.order_by(touched_site.c.site_id).limit(bindparam("most"))


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed with the legs that were saved: the sites whose network has to be looked at again, and the flows."""

    sites: set[str]
    flows: Counter[flows.Key]


def save(connection: Connection, legs: Mapping[str, Sequence[Leg]], anew: Collection[str]) -> Changes:
    """Remember the legs of several cylinders; of those `anew` they replace all that were known.

    What it gives is to be handed to `settle` at the end of the transaction.
    """
    known: dict[str, dict[int, Leg]] = {cylinder_id: {} for cylinder_id in {*legs, *anew}}
    whole = select(leg.c.cylinder_id, *_COLUMNS)
    for some in chunked(sorted(anew)):
        _note(known, connection.execute(whole.where(leg.c.cylinder_id.in_(some))))
    # A story that goes on adds legs; only the one under way, which was shipped before, it may change.
    under_way = [
        (cylinder_id, its[0].no)
        for cylinder_id, its in legs.items()
        if cylinder_id not in anew and its and its[0].depart_event != its[0].arrive_event
    ]
    for keys in chunked(sorted(under_way), KEYS_AT_ONCE):
        _note(known, connection.execute(whole.where(any_of((leg.c.cylinder_id, leg.c.no), keys))))
    rows: list[dict[str, Any]] = []
    changes = Changes(set(), Counter())
    for cylinder_id, before in known.items():
        latest = {one.no: one for one in legs.get(cylinder_id, ())}
        for no in latest.keys() | before.keys():
            was, now = before.get(no), latest.get(no)
            if was == now:
                continue
            for one, n in ((was, -1), (now, 1)):
                if one is not None:
                    changes.sites.update((one.from_site, one.to_site))
                    changes.flows[flows.key_of(one)] += n
            if now is None:
                connection.execute(delete(leg).where(leg.c.cylinder_id == cylinder_id, leg.c.no == no))
            else:
                rows.append({"cylinder_id": cylinder_id, **asdict(now)})
    put(connection, leg, rows)
    return changes


def settle(connection: Connection, changes: Changes) -> None:
    """Bring the flows up to date and have the sites looked at: last in a transaction, for every judge comes here."""
    flows.add(connection, changes.flows)
    touch(connection, changes.sites)


def of_cylinder(connection: Connection, cylinder_id: str) -> list[Leg]:
    """A cylinder's legs in order."""
    statement = select(*_COLUMNS).where(leg.c.cylinder_id == cylinder_id).order_by(leg.c.no)
    return [Leg(*row) for row in connection.execute(statement)]


def cylinders_of(
    connection: Connection, site_ids: Iterable[str], owner_ids: Iterable[str], from_ms: int
) -> set[str]:
    """The cylinders that since a moment went to or from these sites, or that these firms owned then."""
    arrived = leg.c.arrived_ms >= from_ms
    # Each by itself, so that an index answers both.
    under_way = leg.c.arrived_ms.is_(None) & (leg.c.departed_ms >= from_ms)
    found: set[str] = set()
    for column, ids in ((leg.c.from_site, site_ids), (leg.c.to_site, site_ids), (leg.c.owner, owner_ids)):
        for some in chunked(list(ids)):
            for recent in (arrived, under_way):
                which = select(leg.c.cylinder_id).where(column.in_(some), recent).distinct()
                found |= set(connection.scalars(which))
    return found


def ends_of(connection: Connection, site_ids: Iterable[str]) -> set[str]:
    """The sites from which anything went to these, or to which anything went from them."""
    found: set[str] = set()
    for here, there in ((leg.c.to_site, leg.c.from_site), (leg.c.from_site, leg.c.to_site)):
        for some in chunked(list(site_ids)):
            found |= set(connection.scalars(select(there).where(here.in_(some)).distinct()))
    return found


def touched(connection: Connection, now_ms: int, limit: int) -> list[str]:
    """Sites whose legs changed since they were last looked at, or whose time has come."""
    return list(connection.scalars(_TOUCHED, {"now_ms": now_ms, "most": limit}))


def looked_at(connection: Connection, again_ms: Mapping[str, int | None]) -> None:
    """Take sites off the list that `touch` put there; one with a time is looked at again once that has passed."""
    for some in chunked(sorted(site for site, due_ms in again_ms.items() if due_ms is None)):
        connection.execute(delete(touched_site).where(touched_site.c.site_id.in_(some)))
    waits = {"attempts": 0, "not_before_ms": 0, "error": None}
    for site, due_ms in sorted(again_ms.items()):
        if due_ms is not None:
            wait = update(touched_site).where(touched_site.c.site_id == site)
            connection.execute(wait.values(due_ms=due_ms, **waits))


def put_off(connection: Connection, site: str, now_ms: int, error: str) -> None:
    """The network around a site could not be judged: it is looked at again later."""
    tries.put_off(connection, touched_site, site, now_ms, error)


def touch(connection: Connection, sites: Iterable[str]) -> None:
    """Have the network around these sites looked at again."""
    rows = [{"site_id": site} for site in sorted(set(sites))]
    if rows:
        # Not "do nothing": the row must be held, or a sweep under way takes it off without having seen our legs.
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        insert = make(touched_site)
        held = {"due_ms": 0}
        connection.execute(insert.on_conflict_do_update(index_elements=["site_id"], set_=held), rows)


def _note(known: dict[str, dict[int, Leg]], rows: Result[Any]) -> None:
    for row in rows:
        one = Leg(*tuple(row)[1:])
        known[row[0]][one.no] = one


def count(connection: Connection) -> int:
    """How many legs are known."""
    return connection.scalar(select(func.count()).select_from(leg)) or 0
