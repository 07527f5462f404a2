"""The timetable's memory: which worker leads, which job ran when, with what result, and who claimed which slot."""

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TextIO

from sqlalchemy import Connection, NullPool, create_engine, delete, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from cylinder_trace.store.database import Database, put
from cylinder_trace.store.tables import job, job_claim

_KEEP_CLAIMS_MS = 7 * 24 * 3_600_000
_LEAD_LOCK = 7_270_003


class Lead(Protocol):
    """The right to run the timetable. One worker has it at a time; it ends with the worker's process, however that ends."""

    def ours(self) -> bool:
        """Take the lead where nobody has it; gives whether it is ours now. To be asked again every few seconds.

        Raises when the database is away; the lead is given up then, and may be another's.
        """

    def leave(self) -> None:
        """Give the lead up."""


def lead(database: Database) -> Lead:
    """The lead of this database's workers, not taken yet."""
    if database.is_postgresql:
        return _AdvisoryLock(database)
    path = database.engine.url.database
    return _FileLock(Path(f"{path}.worker"))


class _AdvisoryLock:
    """PostgreSQL frees it with the session that took it. It needs a direct connection, not a transaction pooler."""

    def __init__(self, database: Database) -> None:
        # A connection of its own: the pool's come and go. A network that died is noticed within seconds, not after
        # TCP's quarter of an hour, for so long the leader would neither work nor let others work.
        self._engine = create_engine(
            database.engine.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "connect_timeout": 5,
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 2,
                "tcp_user_timeout": 10_000,
            },
        )
        self._connection: Connection | None = None

    def ours(self) -> bool:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            # Asked anew each time, which is true for the session that has it: so nothing is believed that ended.
            asked = self._connection.execute(text(f"SELECT pg_try_advisory_lock({_LEAD_LOCK})"))
            return bool(asked.scalar_one())
        except Exception:
            self._hang_up()
            raise

    def leave(self) -> None:
        if self._connection is not None:
            # Said, because the server notices the end of a session a moment later; with the database away it is over.
            with suppress(DBAPIError):
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
            self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()


class _FileLock:
    """The system frees it with the process that took it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def ours(self) -> bool:
        if self._file is not None:
            if self._is_ours_on_disk(self._file):
                return True
            self.leave()
        file = self._path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return self._is_ours_on_disk(file)

    def leave(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_ours_on_disk(self, file: TextIO) -> bool:
        # A lock on a file that was removed would keep nobody out.
        try:
            return os.path.samestat(self._path.stat(), os.fstat(file.fileno()))
        except FileNotFoundError:
            return False


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
