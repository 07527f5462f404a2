"""What the system knows of its own health: its jobs, its outbox, who can be told, its signs of life."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from cylinder_trace.judging.handling.routing import EVERYWHERE
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules.system import no_recipient
from cylinder_trace.judging.scan import MINUTE_MS
from cylinder_trace.judging.system_rule import (
    Backlog,
    DeadLetters,
    Flood,
    Heartbeat,
    JobState,
    Reach,
    SnapshotFetch,
    SystemState,
)
from cylinder_trace.store import recipients, work
from cylinder_trace.store.database import put
from cylinder_trace.store.tables import alert, device, notice, outbox, pending, snapshot_fetch

UNIT = "system"
"""The unit of judging that shows what is found in the system itself."""
HEARTBEAT = "heartbeat-"
"""A sign of life has this and its day as its group."""
_NOTED_EVERY_MS = 10 * MINUTE_MS


def state(connection: Connection, reference: Reference, now_ms: int) -> SystemState:
    """All of it, as it stands."""
    dead = _dead_letters(connection)
    return SystemState(
        now_ms,
        _jobs(connection),
        _backlogs(connection),
        tuple(one for one, _ in dead.values()),
        _reaches(connection, reference, {address: last for address, (_, last) in dead.items()}, now_ms),
        _heartbeats(connection),
        _snapshots(connection),
        _floods(connection),
    )


def is_posted(connection: Connection, group_key: str) -> bool:
    """Whether anything of this group was ever put into the outbox."""
    return (
        connection.scalar(select(outbox.c.mail_id).where(outbox.c.group_key == group_key).limit(1))
        is not None
    )


def numbers(connection: Connection) -> dict[str, int]:
    """What a sign of life tells: open alerts, records to be judged, and what waits in the outbox or is dead."""
    asked = {
        "open": select(func.count()).select_from(alert).where(alert.c.status == "open"),
        "pending": select(func.count()).select_from(pending),
        "waiting": select(func.count()).select_from(outbox).where(outbox.c.state == "waiting"),
        "dead": select(func.count()).select_from(outbox).where(outbox.c.state == "dead"),
    }
    return {name: connection.scalar(statement) or 0 for name, statement in asked.items()}


def note_fetch(connection: Connection, device_id: str, site_id: str, now_ms: int) -> None:
    """A station's device fetched its snapshot."""
    put(connection, snapshot_fetch, [{"device_id": device_id, "site_id": site_id, "fetched_ms": now_ms}])


def was_just_noted(connection: Connection, device_id: str, now_ms: int) -> bool:
    """Whether a fetch of this device was noted minutes ago: a snapshot is fetched in many pages."""
    noted = select(snapshot_fetch.c.fetched_ms).where(snapshot_fetch.c.device_id == device_id)
    return (connection.scalar(noted) or 0) > now_ms - _NOTED_EVERY_MS


def _jobs(connection: Connection) -> tuple[JobState, ...]:
    return tuple(
        JobState(row["job"], row["next_run_ms"], row["last_success_ms"], row["last_error"] is not None)
        for row in work.jobs(connection)
        if row["next_run_ms"] is not None
    )


def _backlogs(connection: Connection) -> tuple[Backlog, ...]:
    waits = outbox.c.state == "waiting"
    columns = (outbox.c.channel, func.count(), func.min(outbox.c.created_ms))
    found = []
    for channel, number, since_ms in connection.execute(
        select(*columns).where(waits).group_by(outbox.c.channel)
    ):
        answered = select(outbox.c.last_answer).where(waits, outbox.c.channel == channel)
        answered = answered.where(outbox.c.last_answer.is_not(None)).order_by(outbox.c.created_ms).limit(1)
        found.append(Backlog(channel, number, since_ms, connection.scalar(answered) or ""))
    return tuple(found)


def _dead_letters(connection: Connection) -> dict[str, tuple[DeadLetters, int]]:
    """By address, with the number of the last."""
    columns = (outbox.c.recipient, outbox.c.mail_id, outbox.c.created_ms, outbox.c.last_answer)
    rows = defaultdict(list)
    for row in connection.execute(
        select(*columns).where(outbox.c.state == "dead").order_by(outbox.c.mail_id)
    ):
        rows[row.recipient].append(row)
    return {
        address: (
            DeadLetters(
                address, len(its), min(row.created_ms for row in its), (its[-1].last_answer or "")[:200]
            ),
            its[-1].mail_id,
        )
        for address, its in rows.items()
    }


def _reaches(
    connection: Connection, reference: Reference, dead: Mapping[str, int], now_ms: int
) -> tuple[Reach, ...]:
    named: dict[str, set[str]] = defaultdict(set)
    for one in recipients.everyone(connection):
        if one.district != EVERYWHERE or recipients.is_fallback(one):
            named[one.district].add(one.address)
    gone = {address for address, last in dead.items() if not _was_sent_since(connection, address, last)}
    found = []
    for district in sorted(
        {EVERYWHERE, *(site.district for site in reference.sites.values() if site.district)}
    ):
        addresses = named.get(district) or named[EVERYWHERE]
        reachable = len(addresses - gone)
        # Since when nobody can be told is what the alert has said since it was opened: it must not move with the clock.
        since_ms = now_ms if reachable else _standing_since(connection, district) or now_ms
        found.append(Reach(district, len(addresses), reachable, since_ms))
    return tuple(found)


def _standing_since(connection: Connection, district: str) -> int | None:
    of_district = no_recipient.fingerprint_of(district)
    standing = select(alert.c.at_ms).where(alert.c.fingerprint == of_district, alert.c.status == "open")
    return connection.scalar(standing)


def _was_sent_since(connection: Connection, address: str, mail_id: int) -> bool:
    later = (outbox.c.mail_id > mail_id) & (outbox.c.recipient == address) & (outbox.c.state == "sent")
    return connection.scalar(select(outbox.c.mail_id).where(later).limit(1)) is not None


def _heartbeats(connection: Connection) -> tuple[Heartbeat, ...]:
    # A character after `-` ends the range, so that the index on the group finds it.
    of_heart = outbox.c.group_key.between(HEARTBEAT, f"{HEARTBEAT[:-1]}.")
    last = connection.scalar(select(func.max(outbox.c.group_key)).where(of_heart))
    if last is None:
        return ()
    columns = (outbox.c.recipient, outbox.c.created_ms, outbox.c.state)
    rows = connection.execute(select(*columns).where(outbox.c.group_key == last).order_by(outbox.c.recipient))
    # Let go is a person's word that this address need not beat today.
    return tuple(Heartbeat(row.recipient, row.created_ms, row.state in {"sent", "let_go"}) for row in rows)


def _snapshots(connection: Connection) -> tuple[SnapshotFetch, ...]:
    columns = (snapshot_fetch.c.site_id, func.max(snapshot_fetch.c.fetched_ms))
    still = select(*columns).join(device, device.c.device_id == snapshot_fetch.c.device_id)
    still = still.where(device.c.revoked_ms.is_(None)).group_by(snapshot_fetch.c.site_id)
    return tuple(SnapshotFetch(*row) for row in connection.execute(still.order_by(snapshot_fetch.c.site_id)))


def _floods(connection: Connection) -> tuple[Flood, ...]:
    columns = (alert.c.rule, func.count(), func.min(alert.c.opened_ms), func.min(notice.c.due_ms))
    held = select(*columns).join(notice, notice.c.fingerprint == alert.c.fingerprint)
    held = held.where(notice.c.state == "due", notice.c.in_digest).group_by(alert.c.rule)
    return tuple(Flood(*row) for row in connection.execute(held.order_by(alert.c.rule)))
