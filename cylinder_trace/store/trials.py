"""Trials of rules on the past: one runs at a time, says how far it is, and one that was killed says so."""

import json
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from cylinder_trace.store.tables import trial

SILENT_MS = 60_000
"""A trial that has not been heard for so long is not running any more: it says where it is every few seconds."""


class Busy(Exception):
    """Another trial runs; `trial_id` is its id."""

    def __init__(self, trial_id: str) -> None:
        self.trial_id = trial_id
        super().__init__(f"trial {trial_id} is running")


def begin(connection: Connection, asked: dict[str, Any], asked_by: str, now_ms: int) -> str:
    """Note that a trial runs from now on; gives its id. Raises Busy."""
    # What died keeps nobody waiting.
    silent = (trial.c.state == "running") & (trial.c.beat_ms < now_ms - SILENT_MS)
    connection.execute(update(trial).where(silent).values(state="died", ended_ms=now_ms))
    trial_id = str(uuid4())
    row = {"trial_id": trial_id, "asked": json.dumps(asked), "asked_by": asked_by, "state": "running"}
    try:
        with connection.begin_nested():
            connection.execute(insert(trial).values(**row, started_ms=now_ms, beat_ms=now_ms))
    except IntegrityError:
        running = connection.scalar(select(trial.c.trial_id).where(trial.c.state == "running"))
        raise Busy(running or "") from None
    return trial_id


def beat(connection: Connection, trial_id: str, done: int, total: int, now_ms: int) -> bool:
    """Say how far it is; gives False where it is to end: somebody stopped it, or it was given up as dead."""
    values = {"done": done, "total": total, "beat_ms": now_ms}
    return _if_running(connection, trial_id, values)


def end(connection: Connection, trial_id: str, state: str, now_ms: int, **columns: Any) -> bool:
    """It is over, as `done` with its `result`, as `failed` with an `error`, or `stopped`; False where it was already."""
    if "result" in columns:
        columns["result"] = json.dumps(columns["result"], ensure_ascii=False)
    return _if_running(connection, trial_id, {"state": state, "ended_ms": now_ms, **columns})


def one(connection: Connection, trial_id: str, now_ms: int) -> dict[str, Any] | None:
    """A trial with its result; None where there is none."""
    row = connection.execute(select(trial).where(trial.c.trial_id == trial_id)).mappings().first()
    return _shown(row, now_ms) if row else None


def listed(connection: Connection, limit: int, now_ms: int) -> list[dict[str, Any]]:
    """The newest trials, without their results."""
    columns = [column for column in trial.c if column.name != "result"]
    rows = connection.execute(select(*columns).order_by(trial.c.started_ms.desc()).limit(limit)).mappings()
    return [_shown(row, now_ms) for row in rows]


def _if_running(connection: Connection, trial_id: str, values: dict[str, Any]) -> bool:
    which = (trial.c.trial_id == trial_id) & (trial.c.state == "running")
    return connection.execute(update(trial).where(which).values(**values)).rowcount == 1


def _shown(row: RowMapping, now_ms: int) -> dict[str, Any]:
    shown = dict(row) | {"asked": json.loads(row["asked"])}
    if row.get("result"):
        shown["result"] = json.loads(row["result"])
    if row["state"] == "running" and row["beat_ms"] < now_ms - SILENT_MS:
        shown["state"] = "died"
    return shown
