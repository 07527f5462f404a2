"""The ledger: events in, never changed, never removed; and what still has to be judged."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, text

from cylinder_trace.judging.scan import Scan, overruled
from cylinder_trace.store import tries
from cylinder_trace.store.database import chunked
from cylinder_trace.store.tables import correction, event, pending


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on record. `body` is its canonical JSON text, `leaf_hash` 32 bytes."""

    event_id: str
    kind: str
    code: str | None
    site_id: str | None
    operator_id: str | None
    device_id: str | None
    device_seq: int | None
    occurred_ms: int
    received_ms: int
    body: str
    leaf_hash: bytes

    @property
    def scan(self) -> Scan:
        """The event of a cylinder as the judge sees it."""
        assert self.code is not None
        return Scan.read(self.body, self.occurred_ms, self.received_ms, self.code)

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
    "INSERT INTO event (event_id, kind, code, site_id, operator_id, device_id, device_seq, occurred_ms,"
    " received_ms, body, leaf_hash)"
    " SELECT event_id, kind, code, site_id, operator_id, device_id, device_seq, occurred_ms, received_ms, body,"
    " decode(leaf_hash, 'hex') FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS sent(event_id text, kind text,"
    " code text, site_id text, operator_id text, device_id text, device_seq bigint, occurred_ms bigint,"
    " received_ms bigint, body text, leaf_hash text) ORDER BY event_id ON CONFLICT (event_id) DO NOTHING RETURNING event_id"
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
        # One writer at a time: what is not there now is not there when we insert.
        known: set[str] = set()
        for some in chunked([entry.event_id for entry in entries]):
            known |= set(connection.scalars(select(event.c.event_id).where(event.c.event_id.in_(some))))
        fresh = [row for row in rows if row["event_id"] not in known]
        recorded = {row["event_id"] for row in fresh}
        if fresh:
            connection.execute(insert(event), fresh)
    new = [entry for entry in entries if entry.event_id in recorded]
    if new:
        work = [{name: getattr(entry, name) for name in ("event_id", "code", "received_ms")} for entry in new]
        connection.execute(insert(pending), work)
    # Noted together with the event: of two judges, one of the correction and one of what it corrects, the later
    # one to begin finds the other's event, whatever the order.
    corrections = [
        {"event_id": entry.event_id, "corrects": entry.message["corrects"]}
        for entry in new
        if entry.kind == "correct"
    ]
    if corrections:
        connection.execute(insert(correction), corrections)
    return recorded


def of_codes(connection: Connection, codes: Iterable[str]) -> list[Entry]:
    """All events that carry any of these codes, in the order they happened."""
    entries: list[Entry] = []
    for some in chunked(list(codes)):
        entries += [
            Entry(*row) for row in connection.execute(select(*_COLUMNS).where(event.c.code.in_(some)))
        ]
    return sorted(entries, key=lambda entry: (entry.occurred_ms, entry.event_id))


def by_cylinder(
    connection: Connection, codes: Mapping[str, Iterable[str]], besides: Collection[str]
) -> dict[str, list[Entry]]:
    """The events of several cylinders that are judged already, and those `besides`; `codes` are the codes of each.

    What waits for another judge is left out: told now, it would come late when that judge is there.
    """
    cylinder_of = {code: cylinder_id for cylinder_id, its in codes.items() for code in its}
    found: dict[str, list[Entry]] = defaultdict(list)
    waits = pending.c.event_id.is_not(None).label("waits")
    statement = select(*_COLUMNS, waits).outerjoin(pending, pending.c.event_id == event.c.event_id)
    for some in chunked(list(cylinder_of)):
        for *fields, is_waiting in connection.execute(statement.where(event.c.code.in_(some))):
            entry = Entry(*fields)
            if not is_waiting or entry.event_id in besides:
                found[cylinder_of[entry.code or ""]].append(entry)
    return found


def corrections_of(connection: Connection, event_ids: Iterable[str]) -> dict[str, str]:
    """The corrections of these events, the corrections of those, and so on: the id of each with the id it corrects."""
    found: dict[str, str] = {}
    newest = list(event_ids)
    while newest:
        following: dict[str, str] = {}
        for some in chunked(newest):
            rows = connection.execute(select(correction).where(correction.c.corrects.in_(some)))
            following |= {row.event_id: row.corrects for row in rows if row.event_id not in found}
        found |= following
        newest = list(following)
    return found


def corrections_kept(connection: Connection, event_ids: Sequence[str]) -> dict[str, str]:
    """Those of the events that are kept as corrections, with what they correct."""
    found: dict[str, str] = {}
    for some in chunked(list(event_ids)):
        rows = connection.execute(select(correction).where(correction.c.event_id.in_(some)))
        found |= {row.event_id: row.corrects for row in rows}
    return found


def void_among(connection: Connection, event_ids: Iterable[str]) -> set[str]:
    """Those of the events, and of their corrections, that a correction declares wrong."""
    corrections = corrections_of(connection, event_ids)
    return overruled(corrections) if corrections else set()


def corrected_by(connection: Connection, corrections: Iterable[Entry]) -> dict[str, Entry]:
    """What each correction is about in the end: the event on record that it, or a chain of corrections, leads to.

    A correction whose event is not on record yet is left out; it counts when that event comes.
    """
    at = {entry.event_id: entry.message["corrects"] for entry in corrections}
    found: dict[str, Entry] = {}
    seen: dict[str, set[str]] = {event_id: {event_id} for event_id in at}
    while at:
        known = on_record(connection, sorted(set(at.values())))
        following: dict[str, str] = {}
        for event_id, target_id in at.items():
            target = known.get(target_id)
            if target is not None and target.kind != "correct":
                found[event_id] = target
            elif target is not None and target_id not in seen[event_id]:
                seen[event_id].add(target_id)
                following[event_id] = target.message["corrects"]
        at = following
    return found


def in_order(connection: Connection, batch: int = 2000) -> Iterator[list[Entry]]:
    """The whole ledger in the order it was recorded, a batch at a time."""
    after = 0
    while rows := connection.execute(
        select(event.c.seq, *_COLUMNS).where(event.c.seq > after).order_by(event.c.seq).limit(batch)
    ).all():
        yield [Entry(*fields) for _, *fields in rows]
        after = rows[-1].seq


def of_kinds(connection: Connection, kinds: Sequence[str]) -> list[Entry]:
    """All events of these kinds that are about no cylinder."""
    statement = select(*_COLUMNS).where(event.c.kind.in_(kinds), event.c.code.is_(None))
    return [Entry(*row) for row in connection.execute(statement)]


def codes_seen_at(connection: Connection, site_ids: Sequence[str], from_ms: int | None = None) -> set[str]:
    """The codes scanned at these sites since a moment, or ever: whose stories depend on what was lawful there."""
    found: set[str] = set()
    for some in chunked(list(site_ids)):
        statement = select(event.c.code).where(event.c.site_id.in_(some), event.c.code.is_not(None))
        if from_ms is not None:
            statement = statement.where(event.c.occurred_ms >= from_ms)
        found |= set(connection.scalars(statement.distinct()))
    return found


def codes_scanned_by(connection: Connection, operator_id: str, from_ms: int) -> set[str]:
    """The codes a person scanned since a moment."""
    # Without an index of its own: a certificate changes seldom, and every scan would pay for it.
    statement = select(event.c.code).where(event.c.operator_id == operator_id, event.c.code.is_not(None))
    return set(connection.scalars(statement.where(event.c.occurred_ms >= from_ms).distinct()))


def codes_made_with(connection: Connection, device_id: str, from_ms: int) -> tuple[set[str], set[str]]:
    """The codes that a device scanned since a moment, and those of the events that it ever corrected."""
    # Without an index of its own: a device is enrolled once, and as a rule before its first scan.
    made = select(event.c.code).where(event.c.device_id == device_id, event.c.code.is_not(None))
    scanned = set(connection.scalars(made.where(event.c.occurred_ms >= from_ms).distinct()))
    acts = select(event.c.event_id).where(event.c.device_id == device_id, event.c.kind == "correct")
    targets = select(correction.c.corrects).where(correction.c.event_id.in_(acts))
    wrong = select(event.c.code).where(event.c.event_id.in_(targets), event.c.code.is_not(None))
    return scanned, set(connection.scalars(wrong.distinct()))


def made_with(connection: Connection, event_ids: Iterable[str]) -> dict[str, str]:
    """The device of each of the events that was made with one."""
    found: dict[str, str] = {}
    for some in chunked(list(event_ids)):
        rows = select(event.c.event_id, event.c.device_id).where(
            event.c.event_id.in_(some), event.c.device_id.is_not(None)
        )
        found |= {one: device for one, device in connection.execute(rows)}
    return found


def fills_with(connection: Connection, gun: str, from_ms: int) -> set[tuple[str, str]]:
    """The codes that were filled with a gun since a moment, each with the site."""
    # Without an index of its own: a station seldom gets another gun, and every fill would pay for it.
    named = f'"gun_id":{json.dumps(gun, ensure_ascii=False)}'
    statement = select(event.c.code, event.c.site_id).where(
        event.c.kind == "fill", event.c.occurred_ms >= from_ms, event.c.body.contains(named, autoescape=True)
    )
    return {(row.code, row.site_id) for row in connection.execute(statement.distinct())}


def waiting(connection: Connection, now_ms: int, limit: int) -> list[str]:
    """The ids of the events that are to be judged now, oldest first."""
    return list(connection.scalars(_WAITING, {"now_ms": now_ms, "most": limit}))


def waiting_of(connection: Connection, codes: Sequence[str]) -> list[str]:
    """The ids of the events with these codes that no judge has judged yet."""
    return list(connection.scalars(select(pending.c.event_id).where(pending.c.code.in_(codes))))


def taken(connection: Connection, now_ms: int, limit: int, only: Sequence[str] | None = None) -> list[Entry]:
    """Events that wait to be judged, oldest first, or `only` those; on PostgreSQL those another judge holds are passed over."""
    statement = select(*_COLUMNS).join(pending, pending.c.event_id == event.c.event_id)
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(of=pending, skip_locked=True)
    if only is None:
        asked = {"now_ms": now_ms, "most": limit}
        return [Entry(*row) for row in connection.execute(_oldest_first(statement), asked)]
    entries: list[Entry] = []
    for some in chunked(list(only)):
        entries += [Entry(*row) for row in connection.execute(statement.where(pending.c.event_id.in_(some)))]
    return entries


def _oldest_first(statement: Select[Any]) -> Select[Any]:
    statement = statement.where(pending.c.not_before_ms <= bindparam("now_ms"))
    return statement.order_by(pending.c.received_ms, pending.c.event_id).limit(bindparam("most"))


_WAITING = _oldest_first(select(pending.c.event_id))
"""Made once: making it takes longer than asking."""


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


def put_off(connection: Connection, event_id: str, now_ms: int, error: str) -> None:
    """The event could not be judged: it is tried again later, and stands in nobody's way until then."""
    tries.put_off(connection, pending, event_id, now_ms, error)
