"""The station snapshot on disk: what may be answered at the gun while the server does not answer.

One SQLite file beside the outbox. It keeps the pages as the server signed them, and looks a cylinder up in its page
only after it has verified that page once more: what somebody changed on this machine is refused, not believed. How
new the newest one was is kept apart from it, so that an old one put back is refused too.

Errors::

    SnapshotError
    ├── SnapshotRefused  a page is not signed by the server, or not for this station, or there was a newer one
    ├── SnapshotForeign  the file is no snapshot of this station, or is damaged
    └── SnapshotUnread   the file can not be read or written now
"""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.snapshot import SnapshotEntry, StationSnapshot, signed_bytes
from scanner.newest import Newest

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE page (number INTEGER PRIMARY KEY, snapshot TEXT NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TABLE place (
    whole INTEGER NOT NULL,
    code TEXT NOT NULL,
    cylinder_id TEXT NOT NULL,
    page INTEGER NOT NULL,
    PRIMARY KEY (whole, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX place_by_cylinder ON place (whole, cylinder_id);
CREATE INDEX place_by_page ON place (page);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


_CHANGED = "the snapshot was changed on this machine; delete it, it is fetched anew"
_OLDER = (
    "it is not the newest that this device had, or the file that says so beside the key is gone; run cylinder-scan"
    " snapshot when there is a network / 不是本机最近取得的快照，联网后请重新获取"
)


class SnapshotError(Exception):
    """The snapshot can not be used; the message says what to do."""


class SnapshotRefused(SnapshotError):
    """A page that the server did not sign, or not for this station, or an older one than this device had."""


class SnapshotForeign(SnapshotError):
    """The file is no snapshot of this station, or is damaged."""


class SnapshotUnread(SnapshotError):
    """The file can not be read or written now."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a snapshot has of a code, and the page that says so. Times are epoch milliseconds.

    `entry` and `page` are None for a code that it does not have. Until `fresh_ms` the server says that nothing else
    changed; `seen_ms` is the latest that this machine's clock was when it was asked before.
    """

    entry: SnapshotEntry | None
    page: StationSnapshot | None
    fresh_ms: int
    seen_ms: int


class SnapshotFile:
    """A station's snapshot. `whole` numbers tell the snapshot in use from one that is still being fetched."""

    def __init__(self, path: Path, *, station: str, server_key: Ed25519PublicKey, newest: Newest) -> None:
        """Open or make the file; `newest` outlives it. Raises SnapshotForeign or SnapshotUnread."""
        self._path = path
        self._newest = newest
        self._station = station
        self._server_key = server_key
        with self._clear_errors():
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=10)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self._transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not self._connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in _SCHEMA.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                self._set("station", self._station)
            elif version != SCHEMA_VERSION or self._get("station") != self._station:
                raise SnapshotForeign(
                    f"{self._path} is no snapshot of {self._station} that this program can read;"
                    " delete it, or give another file"
                )

    def __enter__(self) -> "SnapshotFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file free."""
        self._connection.close()

    @property
    def cursor(self) -> str | None:
        """Where to go on asking; None where nothing was fetched yet."""
        with self._clear_errors():
            return self._get("cursor")

    def take(self, body: bytes) -> StationSnapshot:
        """Take in one signed page, all of it or nothing. Raises SnapshotRefused, and keeps what was there."""
        page, raw, signature = self._read(body)
        with self._clear_errors(), self._transaction():
            in_use = int(self._get("whole") or 0)
            if page.first:
                self._connection.execute("DELETE FROM place WHERE whole > ?", (in_use,))
            whole = in_use + 1 if page.full else in_use
            number = self._keep(raw, signature)
            self._place(whole, page, number)
            if page.full and not page.more:
                self._connection.execute("DELETE FROM place WHERE whole <> ?", (whole,))
                self._set("whole", str(whole))
            self._set("cursor", page.cursor)
            if not page.more:
                # Only this page says that nothing else changed until it was made.
                self._set("fresh", str(number))
                self._connection.execute(
                    "DELETE FROM page WHERE number NOT IN (SELECT page FROM place) AND number <> ?", (number,)
                )
        if not page.more:
            # After the page is on the disk: the other way round, an interruption would call what is there too old.
            with self._clear_errors():
                self._newest.heard(made_ms=epoch_ms(page.made_at))
        return page

    def find(self, code: str, now_ms: int) -> Found | None:
        """What is known of a code; None where no whole snapshot was ever fetched. Raises SnapshotRefused."""
        with self._clear_errors():
            # Looked at first: a fetch beside this one makes the snapshot newer than that, and never older.
            newest = self._newest.read()
        with self._clear_errors(), self._transaction():
            seen_ms = int(self._get("seen_ms") or 0)
            self._set("seen_ms", str(max(seen_ms, now_ms)))
            fresh = self._connection.execute(
                "SELECT snapshot, signature FROM page, fact WHERE name = 'fresh' AND number = CAST(value AS INTEGER)"
            ).fetchone()
            row = self._connection.execute(
                "SELECT snapshot, signature FROM page, place, fact WHERE page.number = place.page"
                " AND place.code = ? AND fact.name = 'whole' AND place.whole = CAST(fact.value AS INTEGER)",
                (code,),
            ).fetchone()
        if fresh is None:
            return None
        last = self._verified(fresh[0], bytes(fresh[1]))
        if last.more:
            raise SnapshotRefused(_CHANGED)
        fresh_ms = epoch_ms(last.made_at)
        if newest is None or fresh_ms < newest[0]:
            raise SnapshotRefused(_OLDER)
        seen_ms = max(seen_ms, newest[1])
        with self._clear_errors():
            self._newest.heard(made_ms=fresh_ms, seen_ms=max(seen_ms, now_ms))
        if row is None:
            return Found(None, None, fresh_ms, seen_ms)
        page = last if row == fresh else self._verified(row[0], bytes(row[1]))
        entry = next((one for one in page.entries if code in one.codes), None)
        if entry is None:
            raise SnapshotRefused(_CHANGED)
        return Found(entry, page, fresh_ms, seen_ms)

    def _read(self, body: bytes) -> tuple[StationSnapshot, str, bytes]:
        try:
            said = json.loads(body)
            raw = json.dumps(said["snapshot"], ensure_ascii=False, separators=(",", ":"))
            signature = base64.b64decode(said["signature"], validate=True)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise SnapshotRefused("what the server sent is no snapshot; update cylinder-trace") from None
        return self._verified(raw, signature), raw, signature

    def _verified(self, raw: str, signature: bytes) -> StationSnapshot:
        try:
            said = json.loads(raw)
            self._server_key.verify(signature, signed_bytes(said))
            page = StationSnapshot.model_validate_json(raw)
        except (InvalidSignature, ValueError, TypeError, AttributeError, RecursionError) as error:
            if isinstance(error, ValidationError):
                raise SnapshotRefused(
                    "the server's snapshot has another form; update cylinder-trace"
                ) from None
            raise SnapshotRefused("the snapshot is not signed by the server; fetch it anew") from None
        if page.station != self._station:
            raise SnapshotRefused(f"the snapshot is for {page.station}, this device is at {self._station}")
        return page

    def _keep(self, raw: str, signature: bytes) -> int:
        done = self._connection.execute(
            "INSERT INTO page (snapshot, signature) VALUES (?, ?)", (raw, signature)
        )
        return int(done.lastrowid or 0)

    def _place(self, whole: int, page: StationSnapshot, number: int) -> None:
        named = {entry.cylinder_id for entry in page.entries}.union(page.gone)
        self._connection.executemany(
            "DELETE FROM place WHERE whole = ? AND cylinder_id = ?", [(whole, one) for one in named]
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)",
            [(whole, code, entry.cylinder_id, number) for entry in page.entries for code in entry.codes],
        )

    def _get(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise SnapshotUnread(f"the snapshot {self._path} can not be read or written ({error})") from error
        except sqlite3.DatabaseError as error:
            raise SnapshotForeign(
                f"{self._path} is no snapshot or is damaged ({error}); delete it, it is fetched anew"
            ) from error
