"""Walk: the system looks at itself. A sign of life on working days; what its rules find becomes alerts like any other."""

from collections.abc import Callable, Mapping
from typing import Protocol

from sqlalchemy import Connection

from cylinder_trace.judging.days import day_name
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import system_findings
from cylinder_trace.judging.scan import HOUR_MS, day_start_ms, local_day
from cylinder_trace.law.calendar import is_working_day
from cylinder_trace.store import outbox, recipients, watching
from cylinder_trace.store.consequences import Judged, draw
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

HEARTBEAT_H = 9
"""At what hour of a working day the sign of life is sent."""


class Letters(Protocol):
    """Puts a sign of life into words."""

    def heartbeat(
        self, recipient: str, numbers: Mapping[str, int], key: str, now_ms: int
    ) -> tuple[str, str, bytes]:
        """Subject, Message-ID and bytes for this recipient."""


def run(
    database: Database,
    cache: ReferenceCache,
    letters: Letters,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, int]:
    """Look once; gives how many signs of life were sent and how many of the system's troubles stand."""
    with database.writing() as connection:
        reference = cache.read(connection)
        beats = _heartbeat(connection, letters, reference, now_ms)
        found = system_findings(watching.state(connection, reference, now_ms), reference)
        draw(connection, [Judged(watching.UNIT, found, anew=True)], reference, now_ms)
    if progress:
        progress("watched", 1)
    return {"heartbeats": beats, "found": len(found)}


def _heartbeat(connection: Connection, letters: Letters, reference: Reference, now_ms: int) -> int:
    """On the first look after nine on a working day, to each who hears of everything: how many."""
    day = local_day(now_ms)
    key = f"{watching.HEARTBEAT}{day_name(day)}"
    is_due = now_ms >= day_start_ms(day) + HEARTBEAT_H * HOUR_MS and is_working_day(reference.law, day)
    if not is_due or watching.is_posted(connection, key):
        return 0
    fallbacks = {one.address for one in recipients.everyone(connection) if recipients.is_fallback(one)}
    if not fallbacks:
        return 0
    numbers = watching.numbers(connection)
    for address in sorted(fallbacks):
        subject, message_id, body = letters.heartbeat(address, numbers, key, now_ms)
        outbox.post(connection, key, address, subject, message_id, body, now_ms)
    return len(fallbacks)
