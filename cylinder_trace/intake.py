"""Walk 1: an event comes in. First it is recorded; then, in another transaction, it is judged.

Recording refuses only what can not be read or can not be true of its sender; what is unlawful is recorded and
judged. A judge that fails costs no record: the work stays listed as pending until some judge has done it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from cylinder_trace import stories
from cylinder_trace.contract.event import REFERENCE_KINDS, MalformedEvent, read_event, written
from cylinder_trace.contract.fields import epoch_ms, moment_of
from cylinder_trace.contract.leaf import canonical_bytes, leaf_hash_of
from cylinder_trace.contract.receipt import BatchReceipt, Receipt, Refusal, RefusalCode
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.store import alerts, heard, ledger, parties
from cylinder_trace.store.database import Database
from cylinder_trace.store.ledger import Entry

LARGEST_LEAD_MS = DAY_MS
OLDEST_SCAN_MS = 400 * DAY_MS


def record(
    database: Database,
    messages: Sequence[Any],
    received_at: datetime,
    device_id: str | None,
    site_id: str | None = None,
    *,
    is_office: bool = False,
    each_at: Sequence[datetime] | None = None,
) -> BatchReceipt:
    """Transaction 1: put the readable events of a batch on record and answer for each one, in order.

    `messages` are decoded JSON values or event models. `device_id` is the device that signed and `site_id` where it
    is enrolled; an office's device speaks for every site. No device means a trusted import. An event that is on
    record already gets its first receipt again, marked duplicate; the same id with other content is refused. One
    bad event never costs the good ones. `each_at` says when each was received, where a history is recorded in which
    they were not received at once.
    """
    received_ms = epoch_ms(received_at)
    sender = None if device_id is None else _Sender(device_id, None if is_office else site_id, is_office)
    moments = repeat(received_ms) if each_at is None else map(epoch_ms, each_at)
    read: list[Entry | Receipt] = [_read(*one, sender) for one in zip(messages, moments, strict=False)]
    with database.writing() as connection:
        if sender is not None and not is_office:
            read = _own_corrections(connection, read, sender)
        new: dict[str, Entry] = {}
        for one in read:
            if isinstance(one, Entry):
                new.setdefault(one.event_id, one)
        known = ledger.on_record(connection, list(new))
        fresh = [entry for event_id, entry in new.items() if event_id not in known]
        first = ledger.append(connection, fresh)
        heard.note(connection, [entry for entry in fresh if entry.event_id in first])
        # Read again only what another writer recorded a moment before; the others are as we wrote them.
        by_others = [entry.event_id for entry in fresh if entry.event_id not in first]
        stored = new | known | ledger.on_record(connection, by_others)
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
    """Transaction 2: judge events that wait, the oldest or `only` those; gives how many were judged.

    They are judged for the moment they were received: what fell due since is the sweep's, so that a backlog
    opens no alert that the next event of the backlog explains.
    """
    with database.writing() as connection:
        entries = ledger.taken(connection, now_ms, limit, only)
        if not entries:
            return 0
        corrected = ledger.corrected_by(connection, [one for one in entries if one.kind == "correct"])
        acts = {one.event_id: one for one in entries if one.kind in REFERENCE_KINDS}
        acts |= {one: target for one, target in corrected.items() if target.kind in REFERENCE_KINDS}
        if acts:
            parties.note_acts(connection, acts)
        scans = [one for one in entries if one.code is not None]
        wrong = {one: target for one, target in corrected.items() if target.code is not None}
        as_of_ms = min(now_ms, max(one.received_ms for one in entries))
        stories.move(connection, cache, scans, wrong, as_of_ms, now_ms)
        ledger.done(connection, entries)
    return len(entries)


@dataclass(frozen=True, slots=True)
class _Sender:
    """The device that signed; `site_id` is the only site it speaks for, None where it is not bound to one."""

    device_id: str
    site_id: str | None
    is_office: bool


def _read(message: Any, received_ms: int, sender: _Sender | None) -> Entry | Receipt:
    try:
        event = message if hasattr(message, "model_dump") else read_event(message)
    except MalformedEvent as error:
        said_id = message.get("event_id") if isinstance(message, dict) else None
        return _refused(said_id, "malformed", f"无法读取该记录：{'; '.join(error.problems)}", str(error))
    body = canonical_bytes(written(event))
    occurred_ms = epoch_ms(event.occurred_at)
    if sender is not None and (refused := _not_its_own(event, occurred_ms, received_ms, sender)):
        return refused
    return Entry(
        event_id=str(event.event_id),
        kind=event.kind,
        code=getattr(event, "code", None),
        site_id=event.site_id,
        operator_id=event.operator_id,
        device_id=event.device_id,
        device_seq=event.device_seq,
        occurred_ms=occurred_ms,
        received_ms=received_ms,
        body=body.decode(),
        leaf_hash=leaf_hash_of(body, moment_of(received_ms)),
    )


def _not_its_own(event: Any, occurred_ms: int, received_ms: int, sender: _Sender) -> Receipt | None:
    """Why an event is not one that its sender can speak for; None where it is."""
    event_id = str(event.event_id)
    if event.device_id != sender.device_id:
        zh = f"记录注明的设备 {event.device_id} 与签名设备 {sender.device_id} 不符。请用本机重新登记。"
        en = f"it names device {event.device_id} but {sender.device_id} signed it; send it from the device that made it"
        return _refused(event_id, "not_your_device", zh, en)
    # Only a scan must carry its device's count; an office may enter what took effect years ago.
    is_scan = type(event).model_fields["device_seq"].is_required()
    if not (is_scan or sender.is_office or event.kind == "correct"):
        zh = "登记、许可、报废等由管理部门的设备录入，本机只能登记扫码。"
        en = f"a {event.kind} is entered by an office's device; this one records scans"
        return _refused(event_id, "not_an_office", zh, en)
    if sender.site_id is not None and event.site_id not in {None, sender.site_id}:
        zh = f"本机登记在 {sender.site_id}，不能以 {event.site_id} 的名义登记。"
        en = f"this device is enrolled at {sender.site_id} and can not speak for {event.site_id}"
        return _refused(event_id, "not_your_site", zh, en)
    lead_ms = occurred_ms - received_ms
    if lead_ms > LARGEST_LEAD_MS or (is_scan and lead_ms < -OLDEST_SCAN_MS):
        now = moment_of(received_ms).isoformat()
        zh = f"发生时间 {event.occurred_at.isoformat()} 不可能属实，服务器时间为 {now}。请校准设备时钟后重新登记。"
        en = f"occurred_at {event.occurred_at.isoformat()} can not be true; the server has {now}. Set the clock"
        return _refused(event_id, "clock_implausible", zh, en)
    return None


def _own_corrections(
    connection: Connection, read: Sequence[Entry | Receipt], sender: _Sender
) -> list[Entry | Receipt]:
    """Refuse a station's corrections of what it did not record: they would silence another site's alert."""
    sent = {one.event_id: one for one in read if isinstance(one, Entry)}
    corrections = {one.event_id: one.message["corrects"] for one in sent.values() if one.kind == "correct"}
    targets = {**sent, **ledger.on_record(connection, sorted(set(corrections.values())))}
    answers: list[Entry | Receipt] = []
    for one in read:
        target = targets.get(corrections.get(one.event_id, "")) if isinstance(one, Entry) else None
        own = target is not None and target.site_id is not None and target.site_id == sender.site_id
        if isinstance(one, Entry) and one.kind == "correct" and not own:
            zh = "只能更正本站已登记的记录；其他更正请由管理部门录入。"
            en = "a station corrects what is on record from its own site; others are corrected by an office"
            answers.append(_refused(one.event_id, "not_your_event", zh, en))
        else:
            answers.append(one)
    return answers


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
