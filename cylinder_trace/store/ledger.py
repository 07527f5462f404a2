"""The ledger: events in, never changed, never removed; and what still has to be judged."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text

from cylinder_trace.judging.scan import Scan
from cylinder_trace.store.database import add_missing, chunked
from cylinder_trace.store.tables import event, pending


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on record. `body` is its canonical JSON text, `leaf_hash` 32 bytes."""

    event_id: str
    kind: str
    code: str | None
    site_id: str | None
    device_id: str | None
    device_seq: int | None
    occurred_ms: int
    received_ms: int
    body: str
    leaf_hash: bytes

    @property
    def scan(self) -> Scan:
        """The event of a cylinder as the judge sees it."""
        return Scan.of(self.message, self.occurred_ms)

    @property
    def message(self) -> dict[str, Any]:
        """The event's JSON object."""
        message: dict[str, Any] = json.loads(self.body)
        return message


_COLUMNS = [event.c[name] for name in Entry.__slots__]


def on_record(connection: Connection, event_ids: Sequence[str]) -> dict[str, Entry]:
    """Those of the events that are in the ledger, by id."""
    found = {}
    for some in chunked(list(event_ids)):
        for row in connection.execute(select(*_COLUMNS).where(event.c.event_id.in_(some))):
            found[row.event_id] = Entry(*row)
    return found


_APPEND = text(
    "INSERT INTO event (event_id, kind, code, site_id, device_id, device_seq, occurred_ms, received_ms, body, leaf_hash)"
    " SELECT event_id, kind, code, site_id, device_id, device_seq, occurred_ms, received_ms, body,"
    " decode(leaf_hash, 'hex') FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS sent(event_id text, kind text,"
    " code text, site_id text, device_id text, device_seq bigint, occurred_ms bigint, received_ms bigint, body text,"
    " leaf_hash text) ORDER BY event_id ON CONFLICT (event_id) DO NOTHING RETURNING event_id"
)


def append(connection: Connection, entries: Sequence[Entry]) -> set[str]:
    """Record events and the work they make; gives the ids that were recorded now, not by another writer before."""
    if not entries:
        return set()
    rows = [{name: getattr(entry, name) for name in Entry.__slots__} for entry in entries]
    if connection.dialect.name == "postgresql":
        # One statement, in one order: it says which rows are ours, and two writers of one batch can not dead-lock.
        sent = json.dumps([row | {"leaf_hash": row["leaf_hash"].hex()} for row in rows])
        recorded = set(connection.scalars(_APPEND, {"rows": sent}))
    else:
        recorded = {entry.event_id for entry in entries} - set(
            on_record(connection, [e.event_id for e in entries])
        )
        add_missing(connection, event, rows)
    work = [
        {"event_id": entry.event_id, "code": entry.code, "received_ms": entry.received_ms}
        for entry in entries
        if entry.event_id in recorded
    ]
    if work:
        connection.execute(insert(pending), work)
    return recorded


def of_codes(connection: Connection, codes: Iterable[str]) -> list[Entry]:
    """All events that carry any of these codes, in the order they happened."""
    statement = select(*_COLUMNS).where(event.c.code.in_(list(codes)))
    rows = connection.execute(statement.order_by(event.c.occurred_ms, event.c.event_id))
    return [Entry(*row) for row in rows]


def of_kinds(connection: Connection, kinds: Sequence[str]) -> list[Entry]:
    """All events of these kinds that are about no cylinder."""
    statement = select(*_COLUMNS).where(event.c.kind.in_(kinds), event.c.code.is_(None))
    return [Entry(*row) for row in connection.execute(statement)]


def codes_seen_at(connection: Connection, site_id: str, from_ms: int) -> list[str]:
    """The codes scanned at a site since a moment: whose stories depend on what was lawful there."""
    statement = select(event.c.code).distinct()
    statement = statement.where(
        event.c.site_id == site_id, event.c.occurred_ms >= from_ms, event.c.code.is_not(None)
    )
    return [row.code for row in connection.execute(statement)]


def waiting(connection: Connection, limit: int, only: Sequence[str] | None = None) -> list[Entry]:
    """Events to be judged, oldest first; on PostgreSQL those another judge holds are passed over."""
    statement = select(*_COLUMNS).join(pending, pending.c.event_id == event.c.event_id)
    if only is not None:
        statement = statement.where(pending.c.event_id.in_(list(only)))
    statement = statement.order_by(pending.c.received_ms, pending.c.event_id).limit(limit)
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(of=pending, skip_locked=True)
    return [Entry(*row) for row in connection.execute(statement)]


def done(connection: Connection, entries: Iterable[Entry]) -> None:
    """The events are judged."""
    for some in chunked([entry.event_id for entry in entries]):
        connection.execute(delete(pending).where(pending.c.event_id.in_(some)))


def counts(connection: Connection) -> dict[str, int]:
    """How many events are on record, and how many wait to be judged."""
    return {
        "events": connection.scalar(select(func.count()).select_from(event)) or 0,
        "pending": connection.scalar(select(func.count()).select_from(pending)) or 0,
    }
