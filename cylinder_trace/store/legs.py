"""Legs: custody from one site to the next, and which sites' networks have to be looked at again."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from cylinder_trace.judging.state import Leg
from cylinder_trace.store.database import chunked, put
from cylinder_trace.store.tables import leg, touched_site

_COLUMNS = [leg.c[name] for name in Leg._fields]


def save(connection: Connection, cylinder_id: str, legs: Sequence[Leg], *, anew: bool) -> set[str]:
    """Remember legs; `anew` replaces all that were known. Gives the sites whose network has to be looked at again."""
    sites: set[str] = set()
    if anew:
        sites |= {
            site for one in of_cylinder(connection, cylinder_id) for site in (one.from_site, one.to_site)
        }
        connection.execute(delete(leg).where(leg.c.cylinder_id == cylinder_id))
    latest = {one.no: one for one in legs}
    rows = [
        {"cylinder_id": cylinder_id} | {name: getattr(one, name) for name in Leg._fields}
        for one in latest.values()
    ]
    put(connection, leg, rows)
    return sites | {site for one in legs for site in (one.from_site, one.to_site)}


def of_cylinder(connection: Connection, cylinder_id: str) -> list[Leg]:
    """A cylinder's legs in order."""
    statement = select(*_COLUMNS).where(leg.c.cylinder_id == cylinder_id).order_by(leg.c.no)
    return [Leg(*row) for row in connection.execute(statement)]


def suspicious_around(connection: Connection, site_id: str) -> list[tuple[str, Leg]]:
    """Deliveries from a site without a fill or out of area, and the returns to it of the same cylinders."""
    marked = select(leg.c.cylinder_id, *_COLUMNS)
    marked = marked.where(leg.c.from_site == site_id, or_(leg.c.decanted, leg.c.outside))
    found = [(row[0], Leg(*row[1:])) for row in connection.execute(marked)]
    for some in chunked(sorted({cylinder_id for cylinder_id, _ in found})):
        back = select(leg.c.cylinder_id, *_COLUMNS)
        back = back.where(
            leg.c.cylinder_id.in_(some), leg.c.to_site == site_id, leg.c.kind.in_(("return", "gap"))
        )
        found += [(row[0], Leg(*row[1:])) for row in connection.execute(back)]
    return found


def touched(connection: Connection, limit: int) -> list[str]:
    """Sites whose legs changed since they were last looked at, taken off the list."""
    statement = select(touched_site.c.site_id).order_by(touched_site.c.site_id).limit(limit)
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(skip_locked=True)
    sites = [row.site_id for row in connection.execute(statement)]
    for some in chunked(sites):
        connection.execute(delete(touched_site).where(touched_site.c.site_id.in_(some)))
    return sites


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
