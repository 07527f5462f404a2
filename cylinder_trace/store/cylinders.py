"""Cylinders: which codes are one cylinder, and the state each has been folded to."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, collate, delete, func, select

from cylinder_trace.contract.code import parse_code
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import add_missing, chunked, put
from cylinder_trace.store.tables import code_link, cylinder, event, rejudge


def links_of(scan: Scan) -> list[str]:
    """The further codes that an event binds to the cylinder it was scanned on."""
    codes = [scan.new_code] if scan.new_code else []
    if scan.master:
        codes += [parse_code(alias["code"]).text for alias in scan.master.get("codes", ())]
    return [code for code in codes if code != scan.code]


def bind(connection: Connection, scan: Scan) -> set[str]:
    """Bind the event's further codes; gives the codes whose cylinder may have changed.

    The binding that happened first stands, so that the order of arrival does not matter.
    """
    moved: set[str] = set()
    for code in links_of(scan):
        known = connection.execute(select(code_link).where(code_link.c.code == code)).first()
        if known is not None and (known.bound_ms, known.event_id) <= scan.key:
            continue
        row = {"code": code, "parent": scan.code, "bound_ms": scan.at_ms, "event_id": scan.event_id}
        put(connection, code_link, [row])
        moved |= {code, scan.code} | ({known.parent} if known else set())
    return moved


def root_of(connection: Connection, code: str) -> str:
    """The cylinder's internal id: the code from which all its other codes were bound."""
    return roots_of(connection, [code])[code]


def roots_of(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """The cylinder id of each code; a code bound to no other is its own."""
    roots = {code: code for code in codes}
    seen: dict[str, list[str]] = {code: [code] for code in roots}
    growing = set(roots)
    while growing:
        parents: dict[str, str] = {}
        for some in chunked(sorted({roots[code] for code in growing})):
            statement = select(code_link.c.code, code_link.c.parent).where(code_link.c.code.in_(some))
            parents.update({row.code: row.parent for row in connection.execute(statement)})
        still = set()
        for code in growing:
            parent = parents.get(roots[code])
            if parent is None:
                continue
            if parent in seen[code]:  # two codes bound to each other: the smaller one is the root, for either
                roots[code] = min(seen[code][seen[code].index(parent) :])
                continue
            seen[code].append(parent)
            roots[code] = parent
            still.add(code)
        growing = still
    return roots


def codes_of(connection: Connection, cylinder_id: str) -> list[str]:
    """All codes of a cylinder, its id first."""
    codes, newest = [cylinder_id], [cylinder_id]
    while newest:
        statement = select(code_link.c.code).where(code_link.c.parent.in_(newest)).order_by(code_link.c.code)
        newest = [row.code for row in connection.execute(statement) if row.code not in codes]
        codes += newest
    return codes


def lock(connection: Connection, cylinder_ids: Iterable[str]) -> dict[str, State]:
    """The states of these cylinders, locked until the transaction ends; new cylinders begin empty."""
    wanted = sorted(set(cylinder_ids))
    fresh = [{"cylinder_id": one, "state": State(one).saved(), "last_ms": 0} for one in wanted]
    states: dict[str, State] = {}
    for some in chunked(fresh):
        add_missing(connection, cylinder, some)
    # Locked in one order by everybody, so that two judges wait for each other but never dead-lock.
    for some in chunked(wanted):
        statement = select(cylinder.c.cylinder_id, cylinder.c.state).where(cylinder.c.cylinder_id.in_(some))
        if connection.dialect.name == "postgresql":
            # Python's order, whatever the database's collation.
            statement = statement.order_by(collate(cylinder.c.cylinder_id, "C")).with_for_update()
        for row in connection.execute(statement):
            states[row.cylinder_id] = State.restored(row.state)
    return states


def save(connection: Connection, states: Sequence[State]) -> None:
    """Remember the states."""
    rows = [
        {
            "cylinder_id": state.cylinder_id,
            "state": state.saved(),
            "last_ms": state.last_ms,
            "wake_ms": state.wake_ms,
            "owner_id": state.owner,
            "site_id": state.loc,
        }
        for state in states
    ]
    put(connection, cylinder, rows)


def forget(connection: Connection, cylinder_id: str) -> None:
    """A code turned out to be another cylinder's: drop its state, and the wish to have it told anew."""
    connection.execute(delete(cylinder).where(cylinder.c.cylinder_id == cylinder_id))
    connection.execute(delete(rejudge).where(rejudge.c.cylinder_id == cylinder_id))


def read(connection: Connection, cylinder_id: str) -> State | None:
    """The state of a cylinder; None where no event of it is known."""
    text = connection.scalar(select(cylinder.c.state).where(cylinder.c.cylinder_id == cylinder_id))
    return None if text is None else State.restored(text)


def due(connection: Connection, as_of_ms: int, limit: int) -> list[str]:
    """Cylinders that wake by then or whose reference data changed."""
    woken = select(cylinder.c.cylinder_id).where(cylinder.c.wake_ms < as_of_ms).order_by(cylinder.c.wake_ms)
    changed = select(rejudge.c.cylinder_id).order_by(rejudge.c.cylinder_id)
    ids = [
        row.cylinder_id
        for statement in (changed, woken)
        for row in connection.execute(statement.limit(limit))
    ]
    return list(dict.fromkeys(ids))[:limit]


def ask_again(connection: Connection, cylinder_ids: Iterable[str]) -> None:
    """Have these cylinders told anew at the next sweep."""
    rows = [{"cylinder_id": one} for one in sorted(set(cylinder_ids))]
    for start in range(0, len(rows), 500):
        add_missing(connection, rejudge, rows[start : start + 500])


def asked_again(connection: Connection, cylinder_ids: Iterable[str]) -> set[str]:
    """Take these cylinders off the list of those to be told anew; gives the ones that were on it."""
    taken: set[str] = set()
    for some in chunked(list(cylinder_ids)):
        where = rejudge.c.cylinder_id.in_(some)
        taken |= {row.cylinder_id for row in connection.execute(select(rejudge.c.cylinder_id).where(where))}
        connection.execute(delete(rejudge).where(where))
    return taken


def all_ids(connection: Connection) -> list[str]:
    """Every cylinder, by its id."""
    return list(connection.scalars(select(cylinder.c.cylinder_id).order_by(cylinder.c.cylinder_id)))


def count(connection: Connection) -> int:
    """How many cylinders are known."""
    return connection.scalar(select(func.count()).select_from(cylinder)) or 0


def may_see(connection: Connection, scope: Scope, cylinder_id: str) -> bool:
    """Whether a scope covers a cylinder: a regulator sees all, a station those that were scanned there."""
    if scope.kind != "station":
        return True
    seen = select(event.c.seq).where(
        event.c.code.in_(codes_of(connection, cylinder_id)), event.c.site_id == scope.id
    )
    return connection.execute(seen.limit(1)).first() is not None
