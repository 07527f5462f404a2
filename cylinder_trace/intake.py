"""Walk 1: an event comes in. First it is recorded; then, in another transaction, it is judged.

Recording refuses only what can not be read or can not be true of its sender; what is unlawful is recorded and
judged. A judge that fails costs no record: the work stays listed as pending until some judge has done it.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from cylinder_trace.contract.event import MalformedEvent, read_event, written
from cylinder_trace.contract.fields import epoch_ms, moment_of
from cylinder_trace.contract.leaf import canonical_bytes, leaf_hash
from cylinder_trace.contract.receipt import BatchReceipt, Receipt, Refusal, RefusalCode
from cylinder_trace.judging import story
from cylinder_trace.judging.scan import DAY_MS, Scan
from cylinder_trace.judging.state import State
from cylinder_trace.store import alerts, consequences, cylinders, ledger, legs, parties
from cylinder_trace.store.database import Database
from cylinder_trace.store.ledger import Entry

log = logging.getLogger(__name__)

LARGEST_LEAD_MS = DAY_MS
OLDEST_SCAN_MS = 400 * DAY_MS
_BINDING_LOCK = 7_270_001


def record(
    database: Database, messages: Sequence[Any], received_at: datetime, device_id: str | None
) -> BatchReceipt:
    """Transaction 1: put the readable events of a batch on record and answer for each one, in order.

    `messages` are decoded JSON values or event models. `device_id` is the device that signed, None for a trusted
    import. An event that is on record already gets its first receipt again, marked duplicate; the same id with
    other content is refused. One bad event never costs the good ones.
    """
    received_ms = epoch_ms(received_at)
    read: list[Entry | Receipt] = [_read(message, received_ms, device_id) for message in messages]
    new: dict[str, Entry] = {}
    for one in read:
        if isinstance(one, Entry):
            new.setdefault(one.event_id, one)
    with database.writing() as connection:
        known = ledger.on_record(connection, list(new))
        fresh = [entry for event_id, entry in new.items() if event_id not in known]
        first = ledger.append(connection, fresh)
        # Read again: another writer may have recorded one of them a moment before.
        stored = known | ledger.on_record(connection, [entry.event_id for entry in fresh])
        found = alerts.of_events(connection, list(known))
    receipts = []
    for one in read:
        if isinstance(one, Receipt):
            receipts.append(one)
            continue
        receipts.append(_receipt(one, stored[one.event_id], one.event_id in first, found))
        first.discard(one.event_id)
    tally = {
        status: sum(receipt.status == status for receipt in receipts)
        for status in ("stored", "duplicate", "refused")
    }
    return BatchReceipt(server_time=received_at, receipts=tuple(receipts), **tally)


def judge(
    database: Database,
    cache: parties.ReferenceCache,
    now_ms: int,
    limit: int = 5000,
    only: Sequence[str] | None = None,
) -> int:
    """Transaction 2: judge events that are on record and wait; gives how many were judged."""
    with database.writing() as connection:
        entries = ledger.waiting(connection, limit, only)
        if not entries:
            return 0
        acts = [entry for entry in entries if entry.code is None]
        if acts:
            # Before the list of those to be told anew grows: a judge with the old law may be taking it down.
            _lock_bindings(connection, exclusively=True)
            _ask_those_touched(connection, acts)
        scans = [entry.scan for entry in entries if entry.code is not None]
        judge_stories(connection, cache, scans, now_ms)
        ledger.done(connection, entries)
    return len(entries)


def judge_stories(
    connection: Connection,
    cache: parties.ReferenceCache,
    scans: Sequence[Scan],
    now_ms: int,
    wake: Sequence[str] = (),
) -> None:
    """Move the cylinders of these scans, and the woken ones, to where they stand now, and draw the consequences."""
    binding = any(cylinders.links_of(scan) for scan in scans)
    _lock_bindings(connection, exclusively=binding)
    reference = cache.read(connection)
    anew, merged = _bind(connection, scans) if binding else (set(), set())
    roots = cylinders.roots_of(connection, {scan.code for scan in scans})
    mine: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        mine[roots[scan.code]].append(scan)
    wanted = ({*mine, *anew, *cylinders.roots_of(connection, wake).values()}) - merged
    states = cylinders.lock(connection, wanted)
    # The woken too by the id they had: one that was merged meanwhile would stay on the list for ever.
    asked = cylinders.asked_again(connection, {*wanted, *wake})
    anew |= set(cylinders.roots_of(connection, asked).values())
    touched: set[str] = set()
    for cylinder_id in sorted(merged):
        touched |= legs.save(connection, cylinder_id, [], anew=True)
        cylinders.forget(connection, cylinder_id)
        because = scans[0].event_id if scans else None
        consequences.draw(
            connection, f"cylinder:{cylinder_id}", [], reference, now_ms, anew=True, because=because
        )
    moved: list[State] = []
    for cylinder_id, state in states.items():
        news = mine[cylinder_id]
        chapter = None if cylinder_id in anew else story.continued(state, news, reference, now_ms)
        whole = chapter is None
        if chapter is None:
            told = [
                entry.scan
                for entry in ledger.of_codes(connection, cylinders.codes_of(connection, cylinder_id))
            ]
            chapter = story.told(cylinder_id, told, reference, now_ms)
        if chapter.legs or whole:
            touched |= legs.save(connection, cylinder_id, chapter.legs, anew=whole)
        consequences.draw(
            connection,
            f"cylinder:{cylinder_id}",
            chapter.findings,
            reference,
            now_ms,
            anew=whole,
            because=news[0].event_id if news else None,
            cylinder_id=cylinder_id,
            at_site=chapter.state.loc,
        )
        moved.append(chapter.state)
    cylinders.save(connection, moved)
    # Last and in one order, because every judge marks the same few sites.
    legs.touch(connection, touched)


def _read(message: Any, received_ms: int, device_id: str | None) -> Entry | Receipt:
    try:
        event = message if hasattr(message, "model_dump") else read_event(message)
    except MalformedEvent as error:
        said_id = message.get("event_id") if isinstance(message, dict) else None
        return _refused(said_id, "malformed", f"无法读取该记录：{'; '.join(error.problems)}", str(error))
    body = written(event)
    occurred_ms = epoch_ms(event.occurred_at)
    if device_id is not None:
        if event.device_id != device_id:
            zh = f"记录注明的设备 {event.device_id} 与签名设备 {device_id} 不符。请用本机重新登记。"
            en = f"it names device {event.device_id} but {device_id} signed it; send it from the device that made it"
            return _refused(str(event.event_id), "not_your_device", zh, en)
        lead_ms = occurred_ms - received_ms
        # Only a scan must carry its device's count; an office may enter what took effect years ago.
        is_scan = type(event).model_fields["device_seq"].is_required()
        if lead_ms > LARGEST_LEAD_MS or (is_scan and lead_ms < -OLDEST_SCAN_MS):
            now = moment_of(received_ms).isoformat()
            zh = f"发生时间 {event.occurred_at.isoformat()} 不可能属实，服务器时间为 {now}。请校准设备时钟后重新登记。"
            en = f"occurred_at {event.occurred_at.isoformat()} can not be true; the server has {now}. Set the clock"
            return _refused(str(event.event_id), "clock_implausible", zh, en)
    return Entry(
        event_id=str(event.event_id),
        kind=event.kind,
        code=getattr(event, "code", None),
        site_id=event.site_id,
        device_id=event.device_id,
        device_seq=event.device_seq,
        occurred_ms=occurred_ms,
        received_ms=received_ms,
        body=canonical_bytes(body).decode(),
        leaf_hash=leaf_hash(body, moment_of(received_ms)),
    )


def _receipt(sent: Entry, stored: Entry, is_first: bool, found: dict[str, list[str]]) -> Receipt:
    if stored.body != sent.body:
        zh = "该记录编号已登记，但内容不同。更正请另发“更正”记录。"
        en = "this event_id is on record with other content; to change what was recorded send a correct event"
        return _refused(sent.event_id, "conflict", zh, en)
    return Receipt(
        event_id=UUID(stored.event_id),
        status="stored" if is_first else "duplicate",
        received_at=moment_of(stored.received_ms),
        leaf_hash=stored.leaf_hash.hex(),
        findings=tuple(sorted(set(found.get(stored.event_id, ())))),
    )


def _refused(event_id: Any, code: RefusalCode, zh: str, en: str) -> Receipt:
    try:
        known = UUID(str(event_id))
    except ValueError:
        known = None
    return Receipt(event_id=known, status="refused", refusal=Refusal(code=code, zh=zh, en=en))


def _ask_those_touched(connection: Connection, acts: Sequence[Entry]) -> None:
    """A licence, agreement or their correction changes what was lawful: the stories it touches are told anew."""
    parties.changed(connection)
    for act in acts:
        message = act.message
        if message["kind"] == "correct":
            corrected = ledger.on_record(connection, [message["corrects"]]).get(message["corrects"])
            if corrected is None or corrected.code is not None:
                continue
            message = corrected.message
        site = message.get("licensed_site_id") or message.get("station_id")
        if site is not None:
            codes = ledger.codes_seen_at(connection, site, _in_force_from_ms(message))
            cylinders.ask_again(connection, cylinders.roots_of(connection, codes).values())


def _in_force_from_ms(message: Mapping[str, Any]) -> int:
    if "valid_from" in message:
        # A day of Shanghai; a day early is harmless.
        return epoch_ms(datetime.combine(date.fromisoformat(message["valid_from"]), time(), UTC)) - DAY_MS
    return epoch_ms(datetime.fromisoformat(message["occurred_at"]))


def _bind(connection: Connection, scans: Sequence[Scan]) -> tuple[set[str], set[str]]:
    """Bind new codes; gives the cylinders to be told anew and those that turned out to be part of another."""
    named = {code for scan in scans for code in (scan.code, *cylinders.links_of(scan))}
    before = cylinders.roots_of(connection, named)
    moved: set[str] = set()
    for scan in sorted(scans, key=lambda one: one.key):
        moved |= cylinders.bind(connection, scan)
    after = cylinders.roots_of(connection, moved | set(before.values()))
    merged = {root for root in before.values() if after[root] != root}
    changed = {code for code in moved if before.get(code) != after[code]}
    anew = {after[code] for code in changed} | {after[root] for root in merged}
    return anew, merged


def _lock_bindings(connection: Connection, *, exclusively: bool) -> None:
    # Who binds codes must not meet a judge that still takes them for separate cylinders. SQLite has one writer anyway.
    if connection.dialect.name == "postgresql":
        shared = "" if exclusively else "_shared"
        connection.execute(text(f"SELECT pg_advisory_xact_lock{shared}({_BINDING_LOCK})"))
