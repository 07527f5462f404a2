"""How far each device has been heard: what it scanned after that may still be on the way."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from cylinder_trace.store.ledger import Entry
from cylinder_trace.store.tables import device_heard


def last_seq(connection: Connection, device_id: str) -> int:
    """The highest number that a device is known to have given; 0 where none was heard."""
    asked = select(device_heard.c.last_seq).where(device_heard.c.device_id == device_id)
    return connection.scalar(asked) or 0


def note(connection: Connection, entries: Iterable[Entry]) -> None:
    """Remember the latest of what was recorded now of each device; an earlier scan that comes late changes nothing."""
    latest: dict[str, dict[str, Any]] = {}
    for entry in sorted(entries, key=lambda one: (one.occurred_ms, one.event_id)):
        if entry.device_id is None or entry.site_id is None or entry.device_seq is None:
            continue
        before = latest.get(entry.device_id)
        latest[entry.device_id] = {
            "device_id": entry.device_id,
            "site_id": entry.site_id,
            "last_seq": max(entry.device_seq, before["last_seq"] if before else 0),
            "last_occurred_ms": entry.occurred_ms,
            "last_received_ms": max(entry.received_ms, before["last_received_ms"] if before else 0),
        }
    if not latest:
        return
    is_postgresql = connection.dialect.name == "postgresql"
    insert = (postgresql.insert if is_postgresql else sqlite.insert)(device_heard)
    known, sent = device_heard.c, insert.excluded
    greatest = func.greatest if is_postgresql else func.max
    changes: dict[str, Any] = {
        name: greatest(known[name], sent[name])
        for name in ("last_seq", "last_occurred_ms", "last_received_ms")
    }
    is_later = sent.last_occurred_ms >= known.last_occurred_ms
    changes["site_id"] = case((is_later, sent.site_id), else_=known.site_id)
    # In one order, because two batches may tell of the same devices.
    rows = [latest[device] for device in sorted(latest)]
    connection.execute(insert.on_conflict_do_update(index_elements=["device_id"], set_=changes), rows)
