"""A walk: the deadlines of cases that have passed -> noted once each, and known to the next level."""

import logging
from collections.abc import Callable

from cylinder_trace.judging.handling.cases import CLOCK, Deed, follow, overdue
from cylinder_trace.store import cases
from cylinder_trace.store.cases import Entry
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
BATCH = 200


def run(
    database: Database,
    cache: ReferenceCache,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, int]:
    """Note what was due and is not done; gives how often each was noted. `progress("noted", n)` is called after
    every transaction."""
    tally: dict[str, int] = {}
    while True:
        noted = 0
        with database.writing() as connection:
            reference = cache.read(connection)
            for case_id, version, case in cases.woken(connection, now_ms, BATCH):
                step = overdue(case, now_ms)
                if step is None:
                    log.error("case %d woke with nothing overdue", case_id)
                    continue
                after = follow(case, Deed(step, CLOCK, now_ms), reference)
                # Who acted meanwhile was in time to be seen, and what they did stands.
                if cases.move(connection, case_id, version, after, Entry(step, CLOCK, "", now_ms)) is None:
                    continue
                noted += 1
                tally[step] = tally.get(step, 0) + 1
        if progress and noted:
            progress("noted", noted)
        if noted < BATCH:
            return tally
