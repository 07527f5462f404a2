"""Which cylinders a station's snapshot tells of: those of its firm, and those that have been at the station."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, false, or_, select, union

from cylinder_trace.judging.state import State
from cylinder_trace.store.database import chunked
from cylinder_trace.store.tables import cylinder, event, leg, pending


@dataclass(frozen=True, slots=True)
class Kept:
    """A cylinder's state as it is kept, and when it was last judged. None for a state that has to be told anew."""

    cylinder_id: str
    state: State | None
    changed_ms: int


def all_of(connection: Connection, site: str, owner: str | None, after: str, limit: int) -> list[Kept]:
    """The station's cylinders whose id comes after this one, in the order of their ids."""
    owned = select(cylinder.c.cylinder_id).where(cylinder.c.owner_id == owner, cylinder.c.cylinder_id > after)
    theirs = union(
        *([] if owner is None else [owned]),
        select(cylinder.c.cylinder_id).where(cylinder.c.site_id == site, cylinder.c.cylinder_id > after),
        select(leg.c.cylinder_id).where(leg.c.from_site == site, leg.c.cylinder_id > after),
        select(leg.c.cylinder_id).where(leg.c.to_site == site, leg.c.cylinder_id > after),
    ).subquery()
    ids = select(theirs.c.cylinder_id).order_by(theirs.c.cylinder_id).limit(limit).subquery()
    found = _kept().join(ids, ids.c.cylinder_id == cylinder.c.cylinder_id)
    return _read(connection, found.order_by(cylinder.c.cylinder_id))


def changed(
    connection: Connection, site: str, owner: str | None, since_ms: int, after: str, limit: int
) -> list[Kept]:
    """Those judged since, after that cylinder of that moment; in the order of when they were judged."""
    found = _kept().where(_later(since_ms, after), _is_theirs(site, owner))
    return _read(connection, found.order_by(cylinder.c.changed_ms, cylinder.c.cylinder_id).limit(limit))


def gone(
    connection: Connection, site: str, owner: str | None, since_ms: int, until_ms: int, limit: int
) -> list[str]:
    """Cylinders judged in that time that the firm owned once, owns no more, and that never were at the station."""
    if owner is None:
        return []
    papers = event.c.kind.in_(["register", "update", "transfer"])
    found = (
        select(cylinder.c.cylinder_id)
        .join(event, event.c.code == cylinder.c.cylinder_id)
        .where(cylinder.c.changed_ms.between(since_ms, until_ms), ~_is_theirs(site, owner))
        .where(papers, event.c.body.contains(f'"{owner}"', autoescape=True))
    )
    return list(connection.scalars(found.distinct().order_by(cylinder.c.cylinder_id).limit(limit)))


def not_judged(connection: Connection, codes: Iterable[str]) -> set[str]:
    """Those of the codes with events that no judge has judged yet."""
    waiting: set[str] = set()
    for some in chunked(sorted(codes)):
        waiting |= set(connection.scalars(select(pending.c.code).where(pending.c.code.in_(some))))
    return waiting


def _kept() -> Select[Any]:
    return select(cylinder.c.cylinder_id, cylinder.c.state, cylinder.c.changed_ms)


def _read(connection: Connection, statement: Select[Any]) -> list[Kept]:
    return [
        Kept(row.cylinder_id, State.restored(row.state), row.changed_ms)
        for row in connection.execute(statement)
    ]


def _later(since_ms: int, after: str) -> ColumnElement[bool]:
    at_that_moment = and_(cylinder.c.changed_ms == since_ms, cylinder.c.cylinder_id > after)
    # Said twice, because only the plain comparison finds its way through the index.
    return and_(cylinder.c.changed_ms >= since_ms, or_(cylinder.c.changed_ms > since_ms, at_that_moment))


def _is_theirs(site: str, owner: str | None) -> ColumnElement[bool]:
    been_there = select(leg.c.no).where(
        leg.c.cylinder_id == cylinder.c.cylinder_id, or_(leg.c.from_site == site, leg.c.to_site == site)
    )
    owned = false() if owner is None else and_(cylinder.c.owner_id.is_not(None), cylinder.c.owner_id == owner)
    here = and_(cylinder.c.site_id.is_not(None), cylinder.c.site_id == site)
    # Never NULL: what it denies is asked for as well.
    return or_(owned, here, been_there.exists())
