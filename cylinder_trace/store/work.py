"""The timetable's memory: which job ran when, with what result, and who claimed which slot."""

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from cylinder_trace.store.database import put
from cylinder_trace.store.tables import job, job_claim

_KEEP_CLAIMS_MS = 7 * 24 * 3_600_000


def claim(connection: Connection, name: str, slot_ms: int, worker: str) -> bool:
    """Take one slot of a job; gives False where another worker has it."""
    try:
        with connection.begin_nested():
            connection.execute(insert(job_claim).values(job=name, slot_ms=slot_ms, worker=worker))
    except IntegrityError:
        return False
    connection.execute(
        delete(job_claim).where(job_claim.c.job == name, job_claim.c.slot_ms < slot_ms - _KEEP_CLAIMS_MS)
    )
    return True


def note(connection: Connection, name: str, **columns: Any) -> None:
    """Remember what a job did: `last_start_ms`, `last_success_ms`, `last_error`, `last_result`, `next_run_ms`."""
    if "last_result" in columns:
        columns["last_result"] = json.dumps(columns["last_result"])
    put(connection, job, [{"job": name} | columns])


def jobs(connection: Connection) -> list[dict[str, Any]]:
    """Every job's last success and next run."""
    return [dict(row) for row in connection.execute(select(job).order_by(job.c.job)).mappings()]
