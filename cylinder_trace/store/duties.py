"""The records that stations owe: which there are, what is on record for them, who signed, and who is to be reminded."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, insert, select, update

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.handling.duties import (
    KINDS,
    AlertSeen,
    Ledgered,
    draft,
    due_ms,
    last_day_of,
    owes,
    periods_over,
    reminds_ms,
    sha256_of,
    text_of,
)
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import day_start_ms
from cylinder_trace.judging.tally import Tally
from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import add_missing
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import alert, duty_record, duty_signature, site_day, touched_day

LONGEST_REMARK = 2000
_MOST_PERIODS = 62
"""Periods made up for after a standstill: two months of days."""
_SMALLER = {"week": ("day",), "month": ("day", "week")}


class NotSigned(Exception):
    """A record could not be signed; `word` says why, for those who read it."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


@dataclass(frozen=True, slots=True)
class Record:
    """A record that a station owes; `content` is what was signed, with `sha256` of it, None while it is open."""

    site_id: str
    kind: str
    first_day: int
    district: str | None
    state: str
    version: int
    due_ms: int
    reminded: int
    signed_ms: int | None
    content: str | None
    sha256: str | None

    @property
    def signed(self) -> dict[str, Any] | None:
        """What was signed, read."""
        found: dict[str, Any] | None = json.loads(self.content) if self.content else None
        return found


_COLUMNS = (
    *(duty_record.c[name] for name in Record.__slots__[:8]),
    *(duty_signature.c[name] for name in Record.__slots__[8:]),
)


def _same(table: Table, site: str, kind: str, first_day: int) -> ColumnElement[bool]:
    return and_(table.c.site_id == site, table.c.kind == kind, table.c.first_day == first_day)


def _records() -> Select[Any]:
    signature = (
        (duty_signature.c.site_id == duty_record.c.site_id)
        & (duty_signature.c.kind == duty_record.c.kind)
        & (duty_signature.c.first_day == duty_record.c.first_day)
    )
    return select(*_COLUMNS).outerjoin(duty_signature, signature)


def within(statement: Any, scope: Scope) -> Any:
    """Only the records that a scope covers."""
    if scope.kind == "city":
        return statement
    if scope.kind == "district":
        return statement.where(duty_record.c.district == scope.id)
    return statement.where(duty_record.c.site_id == scope.id)


def note_owed(connection: Connection, reference: Reference, now_ms: int) -> int:
    """Put on record what stations owe for the periods that are over; gives how many records that made."""
    made = 0
    for kind in KINDS:
        latest = select(func.max(duty_record.c.first_day)).where(duty_record.c.kind == kind)
        over = list(periods_over(kind, connection.scalar(latest), reference, now_ms))
        for first_day in over[-_MOST_PERIODS:]:
            rows = _owed(connection, kind, first_day, reference, now_ms)
            add_missing(connection, duty_record, rows)
            made += len(rows)
    return made


def _owed(
    connection: Connection, kind: str, first_day: int, reference: Reference, now_ms: int
) -> list[dict[str, Any]]:
    days = site_day.c.day.between(first_day, last_day_of(kind, first_day))
    active = set(connection.scalars(select(site_day.c.site_id).where(days).distinct()))
    due = due_ms(kind, first_day, reference, now_ms)
    return [
        {
            "site_id": site,
            "kind": kind,
            "first_day": first_day,
            "district": reference.sites[site].district,
            "state": "open",
            "version": 0,
            "due_ms": due,
            "wake_ms": reminds_ms(due, 0, reference, now_ms),
            "reminded": 0,
        }
        for site in sorted(reference.stations)
        if owes(site, kind, first_day, reference, site in active)
    ]


def listed(
    connection: Connection,
    scope: Scope,
    state: str,
    limit: int,
    offset: int = 0,
    site: str | None = None,
    due_before_ms: int | None = None,
) -> tuple[int, list[Record]]:
    """The open or signed records of a scope: how many, and a page; the longest due first, of the signed the newest."""
    statement = within(_records(), scope).where(duty_record.c.state == state)
    if site:
        statement = statement.where(duty_record.c.site_id == site)
    if due_before_ms is not None:
        statement = statement.where(duty_record.c.due_ms <= due_before_ms)
    total = connection.scalar(select(func.count()).select_from(statement.subquery())) or 0
    due = duty_record.c.due_ms if state == "open" else duty_record.c.due_ms.desc()
    page = statement.order_by(due, duty_record.c.site_id, duty_record.c.kind).limit(limit).offset(offset)
    return total, [Record(*row) for row in connection.execute(page)]


def lacking(connection: Connection, scope: Scope, now_ms: int) -> list[tuple[str, int, int]]:
    """The stations of a scope that lack signed records whose term is over: how many, and since when; the worst first."""
    number, oldest = func.count(), func.min(duty_record.c.due_ms)
    statement = within(select(duty_record.c.site_id, number, oldest), scope)
    statement = statement.where(duty_record.c.state == "open", duty_record.c.due_ms <= now_ms)
    statement = statement.group_by(duty_record.c.site_id)
    return sorted((tuple(row) for row in connection.execute(statement)), key=lambda row: (-row[1], row[2]))


def one(connection: Connection, scope: Scope, site: str, kind: str, first_day: int) -> Record | None:
    """One record; None where there is none that the scope covers."""
    statement = within(_records(), scope).where(_same(duty_record, site, kind, first_day))
    row = connection.execute(statement).first()
    return Record(*row) if row else None


def drafted(
    connection: Connection, site: str, kind: str, first_day: int, reference: Reference
) -> dict[str, Any]:
    """The draft of a record, from what is on record by now."""
    return draft(kind, site, first_day, _on_record(connection, site, kind, first_day), reference)


def is_judged(connection: Connection, site: str, kind: str, first_day: int) -> bool:
    """Whether none of the period's days waits to be looked at."""
    days = touched_day.c.day.between(first_day, last_day_of(kind, first_day))
    waiting = select(touched_day.c.day).where(touched_day.c.site_id == site, days)
    return connection.execute(waiting.limit(1)).first() is None


def _on_record(connection: Connection, site: str, kind: str, first_day: int) -> Ledgered:
    last_day = last_day_of(kind, first_day)
    days = list(range(first_day, last_day + 1))
    tallies = select(site_day.c.day, site_day.c.tally)
    tallies = tallies.where(site_day.c.day.in_(days), site_day.c.site_id == site)
    columns = (alert.c[name] for name in AlertSeen.__slots__)
    within_ms = (alert.c.at_ms >= day_start_ms(first_day)) & (alert.c.at_ms < day_start_ms(last_day + 1))
    seen = select(*columns).where(alert.c.site_id == site, within_ms)
    unsigned = []
    for smaller in _SMALLER.get(kind, ()):
        lack = select(duty_record.c.first_day).where(
            duty_record.c.site_id == site,
            duty_record.c.kind == smaller,
            duty_record.c.first_day.between(first_day, last_day),
            duty_record.c.state == "open",
        )
        unsigned += [f"{smaller}:{day}" for day in connection.scalars(lack.order_by(duty_record.c.first_day))]
    return Ledgered(
        {day: Tally.restored(text) for day, text in connection.execute(tallies)},
        [AlertSeen(*row) for row in connection.execute(seen)],
        unsigned,
    )


def sign(
    connection: Connection,
    person: Person,
    record: Record,
    seen_sha256: str,
    remark: str,
    reference: Reference,
    now_ms: int,
    seen_version: int | None = None,
) -> str:
    """Freeze a record's draft under a person's name; gives the hash of what was signed.

    `seen_version` is that of the page that was read, where the record has been read anew since.

    Raises NotSigned where somebody was quicker, or the draft is another by now than the one that was read.
    """
    if person.role != "manager" or person.scope.id != record.site_id:
        raise NotSigned("not_yours")
    key = record.site_id, record.kind, record.first_day
    version = record.version if seen_version is None else seen_version
    # First, so that of two people who sign at once the second finds it signed and not merely changed.
    taken = _same(duty_record, *key) & (duty_record.c.version == version)
    values = {"state": "signed", "version": version + 1, "wake_ms": None}
    changed = connection.execute(
        update(duty_record).where(taken, duty_record.c.state == "open").values(values)
    )
    if changed.rowcount != 1:
        raise NotSigned("quicker")
    said = drafted(connection, *key, reference)
    if sha256_of(text_of(said)) != seen_sha256:
        raise NotSigned("changed")
    signer = KINDS[record.kind].signer
    content = text_of(
        {
            "record": said,
            "remark": remark[:LONGEST_REMARK],
            "signed": {
                "username": person.username,
                "name": person.name,
                "as": signer.zh,
                "at": moment_of(now_ms).astimezone(SHANGHAI).isoformat(),
            },
        }
    )
    row = dict(zip(("site_id", "kind", "first_day"), key, strict=True))
    row |= {"signed_ms": now_ms, "username": person.username, "content": content}
    connection.execute(insert(duty_signature).values(**row, sha256=sha256_of(content)))
    return sha256_of(content)


def to_remind(connection: Connection, now_ms: int, limit: int) -> list[Record]:
    """The open records whose reminder is due, the longest first; taken by nobody else until the transaction ends."""
    statement = select(duty_record).where(duty_record.c.wake_ms <= now_ms)
    statement = statement.order_by(duty_record.c.wake_ms, duty_record.c.site_id).limit(limit)
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(skip_locked=True)
    names = Record.__slots__[:8]
    rows = connection.execute(statement).mappings()
    return [
        Record(**{name: row[name] for name in names}, signed_ms=None, content=None, sha256=None)
        for row in rows
    ]


def reminded(connection: Connection, records: Sequence[Record], reference: Reference, now_ms: int) -> None:
    """Note that of these records somebody was reminded, and when the next is."""
    for record in records:
        stage = record.reminded + 1
        wake_ms = reminds_ms(record.due_ms, stage, reference, now_ms)
        which = _same(duty_record, record.site_id, record.kind, record.first_day)
        values = {"reminded": stage, "wake_ms": wake_ms}
        connection.execute(update(duty_record).where(which, duty_record.c.state == "open").values(values))


def put_off(connection: Connection, records: Sequence[Record], until_ms: int) -> None:
    """Nobody could be reminded of these records: that is tried again later."""
    for record in records:
        which = _same(duty_record, record.site_id, record.kind, record.first_day)
        connection.execute(update(duty_record).where(which).values(wake_ms=until_ms))


def at_odds(connection: Connection) -> Iterator[str]:
    """Signed records whose content is not what was hashed when they were signed, in words."""
    for row in connection.execute(select(duty_signature).execution_options(yield_per=1000)):
        if sha256_of(row.content) != row.sha256:
            yield f"{row.kind} record {row.first_day} of {row.site_id}: its content is not what was signed"
