"""Walk: alerts whose time has come. What was put off is due again; what nobody acknowledged goes to the next level."""

from collections.abc import Callable

from sqlalchemy import Connection

from cylinder_trace.judging.handling import escalation
from cylinder_trace.judging.reference import Reference
from cylinder_trace.store import handling
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

BATCH = 50
"""Alerts looked at in one transaction: scans into SQLite, and who acts on one of them, wait for it, about 4 ms an alert."""

_EVERYWHERE = Scope("city")


def run(
    database: Database,
    cache: ReferenceCache,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, int]:
    """Follow up what is due at `now_ms`; gives how many alerts woke and were escalated.

    `progress("followed", number)` is called after every transaction.
    """
    tally = {"woke": 0, "escalated": 0}
    while True:
        with database.writing() as connection:
            due = handling.due(connection, now_ms, BATCH)
            if not due:
                return tally
            reference = cache.read(connection)
            # In one order, as the judge holds them.
            for fingerprint in sorted(due):
                if did := _followed(connection, fingerprint, reference, now_ms):
                    tally[did] += 1
        if progress:
            progress("followed", len(due))


def _followed(connection: Connection, fingerprint: str, reference: Reference, now_ms: int) -> str | None:
    held = handling.hold(connection, fingerprint, _EVERYWHERE)
    care = held.care
    due_ms = escalation.wake_ms(care, reference.law)
    if held.status != "open" or due_ms is None or due_ms > now_ms:
        # It changed while it waited, or the tables did.
        handling.sleep(connection, held, reference.law)
        return None
    if care.is_snoozed:
        its_times = handling.times(connection, fingerprint)
        handling.wake(connection, held, "woke", its_times, reference, now_ms)
        return "woke"
    handling.wake(connection, held, "escalated", care.times, reference, now_ms)
    return "escalated"
