"""The list of cylinders that nobody has seen for a year: who comes on it, who leaves it, and how they were settled."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, delete, func, insert, select, update

from cylinder_trace.judging.handling.idle import (
    LISTED,
    SEEN_AGAIN,
    SETTLEMENTS,
    TO_CHECK,
    idle_until_day,
)
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import chunked, put
from cylinder_trace.store.due_lists import owners_within
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import cylinder, idle_cylinder, idle_log, idle_looked

LONGEST_WHY = 500
_LOOKS_BACK_MS = HOUR_MS
"""A transaction that saved a cylinder may end later than one that looked for it: it is found the next time."""


class NotSettled(Exception):
    """A cylinder could not be settled; `word` says why, for those who read it."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


def bring_up(connection: Connection, reference: Reference, now_ms: int, most: int) -> tuple[int, int, bool]:
    """List some cylinders that have become idle, take off those seen again; gives both numbers, and whether all is done.

    It looks at what was judged since the last time, and at the days that have become a year old since then.
    """
    until_day = idle_until_day(reference, now_ms)
    looked = select(idle_looked.c.until_day, idle_looked.c.changed_ms)
    before = connection.execute(looked).first()
    # At the first time every day is looked at, and with it all that was judged until now.
    since_day, since_ms = before or (0, now_ms - _LOOKS_BACK_MS)
    left = _seen_again(connection, since_ms, until_day, now_ms, most)
    aged = _idle_among(connection, cylinder.c.seen_day > since_day, cylinder.c.seen_day, until_day, most)
    judged = _idle_among(connection, cylinder.c.changed_ms > since_ms, cylinder.c.changed_ms, until_day, most)
    come = list({row.cylinder_id: row for row in (*aged, *judged)}.values())
    _list(connection, come, reference, now_ms)
    all_aged, all_judged = len(aged) < most, left < most and len(judged) < most
    row = {
        "one": 1,
        "until_day": until_day if all_aged else aged[-1].seen_day - 1,
        "changed_ms": now_ms - _LOOKS_BACK_MS if all_judged else since_ms,
    }
    put(connection, idle_looked, [row])
    return len(come), left, all_aged and all_judged


def _idle_among(
    connection: Connection, which: ColumnElement[bool], order: Column[Any], until_day: int, most: int
) -> Sequence[Any]:
    """Of these cylinders some that are idle and not on the list yet."""
    columns = (cylinder.c.cylinder_id, cylinder.c.owner_id, cylinder.c.site_id, cylinder.c.seen_day)
    listed_already = select(idle_cylinder.c.cylinder_id)
    listed_already = listed_already.where(idle_cylinder.c.cylinder_id == cylinder.c.cylinder_id)
    statement = select(*columns).where(which, cylinder.c.seen_day <= until_day, ~listed_already.exists())
    return list(connection.execute(statement.order_by(order).limit(most)))


def _seen_again(connection: Connection, since_ms: int, until_day: int, now_ms: int, most: int) -> int:
    # What was scrapped on record has no such day any more, and is settled by that.
    is_seen = (cylinder.c.seen_day > until_day) | cylinder.c.seen_day.is_(None)
    statement = (
        select(cylinder.c.cylinder_id)
        .join(idle_cylinder, idle_cylinder.c.cylinder_id == cylinder.c.cylinder_id)
        .where(cylinder.c.changed_ms > since_ms, is_seen)
        .order_by(cylinder.c.changed_ms)
        .limit(most)
    )
    ids = list(connection.scalars(statement))
    _log(connection, [(one, SEEN_AGAIN, None, "") for one in ids], now_ms)
    for some in chunked(ids):
        connection.execute(delete(idle_cylinder).where(idle_cylinder.c.cylinder_id.in_(some)))
    return len(ids)


def _list(connection: Connection, come: Sequence[Any], reference: Reference, now_ms: int) -> None:
    rows = [
        {
            "cylinder_id": row.cylinder_id,
            "owner_id": row.owner_id,
            "district": _district(row.site_id, row.owner_id, reference),
            "site_id": row.site_id,
            "seen_day": row.seen_day,
            "state": TO_CHECK,
            "version": 0,
            "changed_ms": now_ms,
        }
        for row in come
    ]
    if rows:
        connection.execute(insert(idle_cylinder), rows)
    _log(connection, [(row["cylinder_id"], LISTED, None, "") for row in rows], now_ms)


def _district(site: str | None, owner: str | None, reference: Reference) -> str | None:
    """The district where it stood last; without a place that of its firm's first one."""
    record = reference.sites.get(site) if site else None
    if record is not None:
        return record.district
    districts = reference.owners[owner].districts if owner in reference.owners else ()
    return districts[0] if districts else None


def listed(
    connection: Connection,
    scope: Scope,
    reference: Reference,
    state: str,
    limit: int,
    offset: int = 0,
    owner: str | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """Idle cylinders of a scope in one state of settlement: how many, and a page, the longest unseen first."""
    statement = _within(select(idle_cylinder), scope, reference).where(idle_cylinder.c.state == state)
    if owner:
        statement = statement.where(idle_cylinder.c.owner_id == owner)
    total = connection.scalar(select(func.count()).select_from(statement.subquery())) or 0
    page = statement.order_by(idle_cylinder.c.seen_day, idle_cylinder.c.cylinder_id)
    rows = connection.execute(page.limit(limit).offset(offset)).mappings()
    found = [dict(row) for row in rows]
    last = _last_entries(connection, [row["cylinder_id"] for row in found])
    return total, [row | {"last": last.get(row["cylinder_id"])} for row in found]


def all_of(
    connection: Connection, scope: Scope, reference: Reference, state: str, most: int
) -> Iterator[dict[str, Any]]:
    """The same as a stream without what was said, at most so many."""
    statement = _within(select(idle_cylinder), scope, reference).where(idle_cylinder.c.state == state)
    statement = statement.order_by(idle_cylinder.c.seen_day, idle_cylinder.c.cylinder_id).limit(most)
    for row in connection.execute(statement.execution_options(yield_per=1000)).mappings():
        yield dict(row)


def counts(connection: Connection, scope: Scope, reference: Reference) -> dict[str, int]:
    """The idle cylinders of a scope by state of settlement."""
    statement = _within(select(idle_cylinder.c.state, func.count()), scope, reference)
    found = {state: number for state, number in connection.execute(statement.group_by(idle_cylinder.c.state))}
    return {state: found.get(state, 0) for state in SETTLEMENTS}


def settle(
    connection: Connection,
    person: Person,
    reference: Reference,
    chosen: Mapping[str, int],
    state: str,
    why: str,
    now_ms: int,
) -> None:
    """Settle cylinders, each as it was seen in its version. Raises NotSettled, and then none of them is settled."""
    if state not in SETTLEMENTS or person.role == "operator":
        raise NotSettled("not_yours")
    if not why.strip():
        raise NotSettled("no_reason")
    for cylinder_id, version in sorted(chosen.items()):
        seen = (idle_cylinder.c.cylinder_id == cylinder_id) & (idle_cylinder.c.version == version)
        values = {"state": state, "version": version + 1, "changed_ms": now_ms}
        changed = connection.execute(
            _within(update(idle_cylinder), person.scope, reference).where(seen).values(values)
        )
        if changed.rowcount != 1:
            raise NotSettled("quicker")
    entries = [(one, state, person.username, why.strip()[:LONGEST_WHY]) for one in sorted(chosen)]
    _log(connection, entries, now_ms)


def log_of(connection: Connection, cylinder_id: str) -> list[dict[str, Any]]:
    """All that was said of a cylinder as an idle one, in order."""
    statement = select(idle_log).where(idle_log.c.cylinder_id == cylinder_id).order_by(idle_log.c.no)
    return [dict(row) for row in connection.execute(statement).mappings()]


def _last_entries(connection: Connection, ids: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for some in chunked(ids):
        statement = select(idle_log).where(idle_log.c.cylinder_id.in_(some)).order_by(idle_log.c.no)
        found |= {row["cylinder_id"]: dict(row) for row in connection.execute(statement).mappings()}
    return found


def _log(connection: Connection, entries: Iterable[tuple[str, str, str | None, str]], now_ms: int) -> None:
    entries = list(entries)
    last = _last_entries(connection, [one for one, *_ in entries])
    rows = [
        {
            "cylinder_id": one,
            "no": last[one]["no"] + 1 if one in last else 0,
            "at_ms": now_ms,
            "who": who,
            "became": became,
            "why": why,
        }
        for one, became, who, why in entries
    ]
    if rows:
        connection.execute(insert(idle_log), rows)


def _within(statement: Any, scope: Scope, reference: Reference) -> Any:
    if scope.kind == "city":
        return statement
    if scope.kind == "district":
        return statement.where(idle_cylinder.c.district == scope.id)
    return statement.where(idle_cylinder.c.owner_id.in_(owners_within(reference, scope)))
