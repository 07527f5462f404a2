"""Legs: custody from one site to the next, and which sites' networks have to be looked at again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from cylinder_trace.judging.state import Leg
from cylinder_trace.store import tries
from cylinder_trace.store.database import chunked, put
from cylinder_trace.store.tables import leg, touched_site

_COLUMNS = [leg.c[name] for name in Leg._fields]


def save(connection: Connection, legs: Mapping[str, Sequence[Leg]], anew: Collection[str]) -> set[str]:
    """Remember the legs of several cylinders; of those `anew` they replace all that were known.

    Gives the sites whose network has to be looked at again.
    """
    known: dict[str, dict[int, Leg]] = {cylinder_id: {} for cylinder_id in {*legs, *anew}}
    for some in chunked(sorted(anew)):
        whole = select(leg.c.cylinder_id, *_COLUMNS).where(leg.c.cylinder_id.in_(some))
        for cylinder_id, *fields in connection.execute(whole):
            one = Leg(*fields)
            known[cylinder_id][one.no] = one
    rows: list[dict[str, Any]] = []
    sites: set[str] = set()
    for cylinder_id, before in known.items():
        latest = {one.no: one for one in legs.get(cylinder_id, ())}
        for no in latest.keys() | before.keys():
            was, now = before.get(no), latest.get(no)
            if was == now:
                continue
            sites |= {site for one in (was, now) if one for site in (one.from_site, one.to_site)}
            if now is None:
                connection.execute(delete(leg).where(leg.c.cylinder_id == cylinder_id, leg.c.no == no))
            else:
                rows.append({"cylinder_id": cylinder_id, **now._asdict()})
    put(connection, leg, rows)
    return sites


def of_cylinder(connection: Connection, cylinder_id: str) -> list[Leg]:
    """A cylinder's legs in order."""
    statement = select(*_COLUMNS).where(leg.c.cylinder_id == cylinder_id).order_by(leg.c.no)
    return [Leg(*row) for row in connection.execute(statement)]


def suspicious_around(connection: Connection, site_id: str) -> list[tuple[str, Leg]]:
    """Deliveries from a site without a fill or out of area, and how the same cylinders had come to it."""
    marked = select(leg.c.cylinder_id, *_COLUMNS)
    marked = marked.where(leg.c.from_site == site_id, or_(leg.c.decanted, leg.c.outside))
    found = [(row[0], Leg(*row[1:])) for row in connection.execute(marked)]
    for some in chunked(sorted({cylinder_id for cylinder_id, _ in found})):
        back = select(leg.c.cylinder_id, *_COLUMNS)
        back = back.where(leg.c.cylinder_id.in_(some), leg.c.to_site == site_id)
        found += [(row[0], Leg(*row[1:])) for row in connection.execute(back)]
    return found


def cylinders_of(
    connection: Connection, site_ids: Iterable[str], owner_ids: Iterable[str], from_ms: int
) -> set[str]:
    """The cylinders that since a moment went to or from these sites, or that these firms owned then."""
    recent = or_(leg.c.arrived_ms >= from_ms, leg.c.departed_ms >= from_ms)
    found: set[str] = set()
    for column, ids in ((leg.c.from_site, site_ids), (leg.c.to_site, site_ids), (leg.c.owner, owner_ids)):
        for some in chunked(list(ids)):
            found |= set(
                connection.scalars(select(leg.c.cylinder_id).where(column.in_(some), recent).distinct())
            )
    return found


def origins_to(connection: Connection, site_ids: Iterable[str]) -> set[str]:
    """The sites from which anything went to these."""
    found: set[str] = set()
    for some in chunked(list(site_ids)):
        found |= set(connection.scalars(select(leg.c.from_site).where(leg.c.to_site.in_(some)).distinct()))
    return found


def judged_sites(connection: Connection) -> list[str]:
    """The sites whose network was looked at, or has to be, except those whose legs changed since."""
    marked = select(leg.c.from_site).where(or_(leg.c.decanted, leg.c.outside)).distinct()
    waiting = set(connection.scalars(select(touched_site.c.site_id)))
    return sorted(set(connection.scalars(marked)) - waiting)


def touched(connection: Connection, now_ms: int, limit: int) -> list[str]:
    """Sites whose legs changed since they were last looked at."""
    statement = select(touched_site.c.site_id).where(touched_site.c.not_before_ms <= now_ms)
    return list(connection.scalars(statement.order_by(touched_site.c.site_id).limit(limit)))


def take_off(connection: Connection, sites: Iterable[str]) -> None:
    """Take sites off the list: they are looked at now."""
    for some in chunked(sorted(sites)):
        connection.execute(delete(touched_site).where(touched_site.c.site_id.in_(some)))


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
        held = {"site_id": insert.excluded.site_id}
        connection.execute(insert.on_conflict_do_update(index_elements=["site_id"], set_=held), rows)


def count(connection: Connection) -> int:
    """How many legs are known."""
    return connection.scalar(select(func.count()).select_from(leg)) or 0
