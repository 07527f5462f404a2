"""The outbox: every event a device made, on disk before the operator hears of it, until the server has it.

One SQLite file, written by one process at a time and read by any. An event is never deleted.

Errors::

    OutboxError
    ├── OutboxBusy     another process writes this outbox
    ├── OutboxFull     the disk takes no more; the event was not recorded
    └── OutboxForeign  the file is no outbox, or that of another device
"""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cylinder_trace.contract.event import written

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE event (
    device_seq INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    message TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'stored', 'refused')),
    answered_ms INTEGER,
    answer TEXT
) STRICT;
CREATE INDEX event_by_state ON event (state, device_seq);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}
"""Primary result codes; a quota or a file size limit arrives as an I/O error rather than as a full disk."""


class OutboxError(Exception):
    """The outbox can not be used; the message says what to do."""


class OutboxBusy(OutboxError):
    """Another process writes this outbox."""


class OutboxFull(OutboxError):
    """The disk takes no more. The event that was handed in is not recorded."""


class OutboxForeign(OutboxError):
    """The file is no outbox of this device."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that the server has not answered yet; `message` is its JSON text."""

    device_seq: int
    event_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The server's answer to one event. `answer` is a JSON text: the receipt, or the refusal for the tray."""

    device_seq: int
    state: Literal["stored", "refused"]
    answer: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An event in the tray, and why the server did not take it."""

    device_seq: int
    event_id: str
    kind: str
    cylinder_code: str | None
    reason: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Status:
    """What an operator asks of an outbox. Times are epoch milliseconds; `clock_offset_ms` is device minus server."""

    device_id: str
    waiting: int
    stored: int
    refused: int
    oldest_waiting_ms: int | None
    last_upload_ms: int | None
    last_error: str | None
    last_error_ms: int | None
    clock_offset_ms: int | None
    tray: tuple[Refused, ...]


class Outbox:
    """The writing end. May be shared by threads; opened by one process at a time."""

    def __init__(self, path: Path, *, device_id: str) -> None:
        """Open or make the outbox of a device. Raises OutboxBusy, OutboxForeign or OutboxFull."""
        self.path = path
        self._mutex = threading.RLock()
        with _clear_errors(path):
            self._sole_writer = _only_one(path)
            try:
                self._connection = sqlite3.connect(
                    path, isolation_level=None, timeout=10, check_same_thread=False
                )
            except BaseException:
                self._sole_writer.close()
                raise
            try:
                self._prepare(device_id)
            except BaseException:
                self.close()
                raise

    def _prepare(self, device_id: str) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        with self._transaction() as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise OutboxForeign(f"{self.path} is another program's database; give another --outbox")
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                _set(connection, "device_id", device_id)
            _check(connection, self.path)
            owner = _get(connection, "device_id")
            if owner != device_id:
                raise OutboxForeign(
                    f"{self.path} belongs to device {owner}, the key is that of {device_id};"
                    " give this device its own --outbox, and upload the other with its own key"
                )
            _set(connection, "writer_pid", str(os.getpid()))

    def __enter__(self) -> "Outbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the outbox free for another process."""
        with self._mutex:
            self._connection.close()
            self._sole_writer.close()

    @property
    def clock_offset_ms(self) -> int | None:
        """Device's clock minus server's as last heard; None before the first answer."""
        with self._mutex:
            value = _get(self._connection, "clock_offset_ms")
        return None if value is None else int(value)

    @property
    def is_new(self) -> bool:
        """Whether it has given no number yet, nor been told where to begin."""
        with self._mutex:
            told = _get(self._connection, "last_seq")
            return told is None and _last_number(self._connection) == 0

    def number_after(self, last_seq: int) -> None:
        """Go on after a number that this device has given elsewhere."""
        with _clear_errors(self.path), self._transaction() as connection:
            _set(connection, "last_seq", str(last_seq))

    def put(self, make: Callable[[int], Any], *, now_ms: int) -> Any:
        """Record the event that `make` makes of the next device_seq, and return it once it is on the disk.

        Numbers begin at 1, or where `number_after` says, and have no gaps: an event that can not be made or written
        uses none. Raises OutboxFull.
        """
        with _clear_errors(self.path, "the scan is NOT recorded"), self._transaction() as connection:
            last = max(_last_number(connection), _number(connection, "last_seq") or 0)
            event = make(last + 1)
            text = json.dumps(written(event), ensure_ascii=False, separators=(",", ":"))
            connection.execute(
                "INSERT INTO event (device_seq, event_id, message, made_ms) VALUES (?, ?, ?, ?)",
                (last + 1, str(event.event_id), text, now_ms),
            )
        return event

    def waiting(self, at_most: int) -> list[Waiting]:
        """The oldest events without an answer, in the order they were made."""
        with self._mutex:
            rows = self._connection.execute(
                "SELECT device_seq, event_id, message FROM event WHERE state = 'waiting'"
                " ORDER BY device_seq LIMIT ?",
                (at_most,),
            ).fetchall()
        return [Waiting(*row) for row in rows]

    def count_waiting(self) -> int:
        """How many events have no answer."""
        with self._mutex:
            return _count(self._connection, "waiting")

    def settle(self, answers: Sequence[Settled], *, now_ms: int) -> None:
        """Keep the server's answers, all or none. An event that has an answer keeps its first."""
        with _clear_errors(self.path), self._transaction() as connection:
            connection.executemany(
                "UPDATE event SET state = ?, answer = ?, answered_ms = ?"
                " WHERE device_seq = ? AND state = 'waiting'",
                [(answer.state, answer.answer, now_ms, answer.device_seq) for answer in answers],
            )
            _set(connection, "last_upload_ms", str(now_ms))
            connection.execute("DELETE FROM fact WHERE name IN ('last_error', 'last_error_ms')")

    def note_error(self, message: str, *, now_ms: int) -> None:
        """Keep what went wrong last for `status`; the next answered batch clears it."""
        with _clear_errors(self.path), self._transaction() as connection:
            _set(connection, "last_error", message)
            _set(connection, "last_error_ms", str(now_ms))

    def note_clock_offset(self, offset_ms: int) -> None:
        """Keep device's clock minus server's, for the events and signatures made from now on."""
        with _clear_errors(self.path), self._transaction() as connection:
            _set(connection, "clock_offset_ms", str(offset_ms))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._mutex:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after some errors, a full disk among them.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def status(path: Path) -> Status:
    """What is in an outbox, also while another process writes it. Raises OutboxForeign when there is none."""
    if not path.is_file():
        raise OutboxForeign(f"there is no outbox at {path}; the first scan with --outbox makes it")
    with _clear_errors(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            connection.execute("BEGIN")
            _check(connection, path)
            return _status(connection)
        finally:
            connection.close()


def _status(connection: sqlite3.Connection) -> Status:
    refused = connection.execute(
        "SELECT device_seq, event_id, message, answer FROM event WHERE state = 'refused' ORDER BY device_seq"
    )
    return Status(
        device_id=_get(connection, "device_id") or "",
        waiting=_count(connection, "waiting"),
        stored=_count(connection, "stored"),
        refused=_count(connection, "refused"),
        oldest_waiting_ms=connection.execute(
            "SELECT made_ms FROM event WHERE state = 'waiting' ORDER BY device_seq LIMIT 1"
        ).fetchone()[0]
        if _count(connection, "waiting")
        else None,
        last_upload_ms=_number(connection, "last_upload_ms"),
        last_error=_get(connection, "last_error"),
        last_error_ms=_number(connection, "last_error_ms"),
        clock_offset_ms=_number(connection, "clock_offset_ms"),
        tray=tuple(_refused(*row) for row in refused),
    )


def _refused(device_seq: int, event_id: str, message: str, answer: str) -> Refused:
    event, why = json.loads(message), json.loads(answer)
    code = event.get("cylinder_code")
    return Refused(device_seq, event_id, event["kind"], code, why["code"], why["zh"], why["en"])


def _only_one(path: Path) -> sqlite3.Connection:
    # A lock held in a SQLite file of its own is freed by the system at any death, on Linux and Windows alike,
    # and keeps no reader of the outbox out, as an exclusive lock on the outbox itself would.
    lock = sqlite3.connect(f"{path}.lock", isolation_level=None, timeout=0, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise OutboxBusy(
            f"the outbox {path} is in use by another cylinder-scan{_writer(path)}; close that one,"
            " or add --upload to it if you wanted to upload, or give this one another --outbox and key"
        ) from None
    return lock


def _writer(path: Path) -> str:
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            return f" (process {_get(connection, 'writer_pid')})"
        finally:
            connection.close()
    except sqlite3.Error:  # it has not written its number yet
        return ""


@contextmanager
def _clear_errors(path: Path, lost: str = "this step is not recorded") -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _NO_ROOM:
            raise OutboxFull(
                f"{lost}: the disk of the outbox {path} takes no more ({error})."
                " Free space on it or make it writable, then do it again; keep the outbox file"
            ) from error
        raise OutboxError(f"the outbox {path} can not be opened ({error}); check the folder") from error
    except sqlite3.DatabaseError as error:
        raise OutboxForeign(
            f"{path} is not an outbox or is damaged ({error}); keep the file for recovery and give another"
        ) from error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise OutboxForeign(
            f"{path} has layout {version}, this program knows {SCHEMA_VERSION}; update cylinder-trace"
        )


def _get(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _number(connection: sqlite3.Connection, name: str) -> int | None:
    value = _get(connection, name)
    return None if value is None else int(value)


def _last_number(connection: sqlite3.Connection) -> int:
    # Rows are never deleted, so the largest number is the last one given.
    return connection.execute("SELECT max(device_seq) FROM event").fetchone()[0] or 0


def _set(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))


def _count(connection: sqlite3.Connection, state: str) -> int:
    return int(connection.execute("SELECT count(*) FROM event WHERE state = ?", (state,)).fetchone()[0])
