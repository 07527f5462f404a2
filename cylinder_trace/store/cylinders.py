"""Cylinders: the state each has been folded to, and which of them have to be judged again."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Select, String, bindparam, collate, delete, func, or_, select, update

from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import State
from cylinder_trace.store import codes, tries
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import add_missing, chunked, put
from cylinder_trace.store.tables import code_link, cylinder, event, pending, rejudge


def _at_gun() -> Select[str]:
    code = bindparam("scanned", type_=String)
    bound_to, its = code_link.alias(), select(code_link.c.code).where(code_link.c.parent == code)
    not_first = select(code_link.c.code).where(code_link.c.code == code)
    further = select(bound_to.c.code).where(bound_to.c.parent.in_(its.correlate(None)))
    waiting = select(pending.c.event_id).where(
        or_(pending.c.code == code, pending.c.code.in_(its.correlate(None)))
    )
    unclear = [one.correlate(None).exists() for one in (not_first, further, waiting)]
    return select(cylinder.c.state).where(cylinder.c.cylinder_id == code, *(~one for one in unclear))


_AT_GUN = _at_gun()
"""Made once: making it takes as long as asking."""


_CHANGED = select(rejudge.c.cylinder_id).where(rejudge.c.not_before_ms <= bindparam("as_of_ms"))
_CHANGED = _CHANGED.order_by(rejudge.c.cylinder_id).limit(bindparam("most"))
# One that could not be judged is on the list of those to be told anew, and waits there.
_WOKEN = select(cylinder.c.cylinder_id).where(
    cylinder.c.wake_ms < bindparam("as_of_ms"),
    cylinder.c.cylinder_id.not_in(select(rejudge.c.cylinder_id)),
)
_WOKEN = _WOKEN.order_by(cylinder.c.wake_ms).limit(bindparam("most"))


def lock(connection: Connection, cylinder_ids: Iterable[str]) -> dict[str, State | None]:
    """The states of these cylinders, locked until the transaction ends; new cylinders begin empty.

    None for a state that another version of this program kept, or that is torn.
    """
    wanted = sorted(set(cylinder_ids))
    fresh = [{"cylinder_id": one, "state": State(one).saved(), "last_ms": 0} for one in wanted]
    states: dict[str, State | None] = {}
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


def save(connection: Connection, states: Sequence[State], now_ms: int) -> None:
    """Remember the states, and that they were judged now."""
    rows = [
        {
            "cylinder_id": state.cylinder_id,
            "state": state.saved(),
            "last_ms": state.last_ms,
            "wake_ms": state.wake_ms,
            "owner_id": state.owner,
            "site_id": state.loc,
            "term_day": None if state.out else state.term_day,
            "seen_day": _last_seen_day(state),
            "changed_ms": now_ms,
        }
        for state in states
    ]
    put(connection, cylinder, rows)


def _last_seen_day(state: State) -> int | None:
    """The day of its last scan, else of its registration; None for what is scrapped, which nobody looks for."""
    if state.status == "scrapped":
        return None
    # Before the first scan `seen_ms` lies in the far future.
    ms = state.seen_ms if state.seen_ms <= state.last_ms else state.registered_ms
    return None if ms is None else local_day(ms)


def judged_at(connection: Connection, as_of_ms: int, clock_ms: int) -> None:
    """What was judged for another moment than that of the clock changed when the clock says it did."""
    connection.execute(update(cylinder).where(cylinder.c.changed_ms == as_of_ms).values(changed_ms=clock_ms))


def forget(connection: Connection, cylinder_ids: Iterable[str]) -> None:
    """Codes turned out to be another cylinder's: drop their states, and the wish to have them told anew."""
    for some in chunked(sorted(cylinder_ids)):
        connection.execute(delete(cylinder).where(cylinder.c.cylinder_id.in_(some)))
        connection.execute(delete(rejudge).where(rejudge.c.cylinder_id.in_(some)))


def read(connection: Connection, cylinder_id: str) -> State | None:
    """The state a cylinder was judged to; None where there is none that can be read."""
    text = connection.scalar(select(cylinder.c.state).where(cylinder.c.cylinder_id == cylinder_id))
    return None if text is None else State.restored(text)


def read_at_gun(connection: Connection, code: str) -> State | None:
    """The state of the cylinder that this code is the first of, in one question; None where that is not enough.

    Not enough where events wait to be judged, or codes were bound to codes that were bound. An operator waits for it
    with the cylinder in hand, and nearly every one is answered here.
    """
    text = connection.scalar(_AT_GUN, {"scanned": code})
    return None if text is None else State.restored(text)


def read_all(connection: Connection, cylinder_ids: Iterable[str]) -> dict[str, State | None]:
    """The states several cylinders were judged to."""
    found: dict[str, State | None] = {}
    for some in chunked(list(cylinder_ids)):
        statement = select(cylinder.c.cylinder_id, cylinder.c.state).where(cylinder.c.cylinder_id.in_(some))
        found |= {row.cylinder_id: State.restored(row.state) for row in connection.execute(statement)}
    return found


def due(connection: Connection, as_of_ms: int, limit: int) -> list[str]:
    """Cylinders that wake by then or whose reference data changed."""
    asked = {"as_of_ms": as_of_ms, "most": limit}
    ids = [one for statement in (_CHANGED, _WOKEN) for one in connection.scalars(statement, asked)]
    return list(dict.fromkeys(ids))[:limit]


def ask_again(connection: Connection, cylinder_ids: Iterable[str], because: str | None) -> None:
    """Have these cylinders told anew at the next sweep, `because` of an event where it was one."""
    for some in chunked(sorted(set(cylinder_ids))):
        add_missing(connection, rejudge, [{"cylinder_id": one, "because": because} for one in some])


def asked_again(connection: Connection, cylinder_ids: Iterable[str]) -> dict[str, str | None]:
    """Take these cylinders off the list of those to be told anew; gives the ones that were on it, and why."""
    taken: dict[str, str | None] = {}
    for some in chunked(list(cylinder_ids)):
        where = rejudge.c.cylinder_id.in_(some)
        taken |= {row.cylinder_id: row.because for row in connection.execute(select(rejudge).where(where))}
        connection.execute(delete(rejudge).where(where))
    return taken


def put_off(connection: Connection, cylinder_id: str, now_ms: int, error: str) -> None:
    """The cylinder could not be judged: it is told anew later."""
    ask_again(connection, [cylinder_id], None)
    tries.put_off(connection, rejudge, cylinder_id, now_ms, error)


def of_owners(connection: Connection, owner_ids: Iterable[str]) -> set[str]:
    """The cylinders that these firms own today."""
    found: set[str] = set()
    for some in chunked(list(owner_ids)):
        found |= set(connection.scalars(select(cylinder.c.cylinder_id).where(cylinder.c.owner_id.in_(some))))
    return found


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
        event.c.code.in_(codes.codes_of(connection, cylinder_id)), event.c.site_id == scope.id
    )
    return connection.execute(seen.limit(1)).first() is not None
