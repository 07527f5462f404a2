"""The newest snapshot that this device has used, kept beside its key: an older one put back in its place is refused.

A page that the server signed a week ago is signed still; only this says that there was a newer one. The file stands
apart from the snapshot, so that neither of them alone can be exchanged or taken away without being noticed.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS newest (name TEXT PRIMARY KEY, ms INTEGER NOT NULL) STRICT, WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class Newest:
    """One small SQLite file of two moments that only ever grow. Raises sqlite3.Error where it can not be used."""

    path: Path

    def read(self) -> tuple[int, int] | None:
        """When the newest snapshot was made, and the latest this machine's clock was; None where nothing is known."""
        if not self.path.exists():
            return None
        with closing(sqlite3.connect(self.path, timeout=10)) as connection:
            connection.execute(_SCHEMA)
            known = dict(connection.execute("SELECT name, ms FROM newest").fetchall())
        return (known["made"], known.get("seen", 0)) if "made" in known else None

    def heard(self, *, made_ms: int, seen_ms: int = 0) -> None:
        """Keep both where they are later than what is kept."""
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            connection.execute(_SCHEMA)
            connection.executemany(
                "INSERT INTO newest VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET ms = max(ms, excluded.ms)",
                [("made", made_ms), ("seen", seen_ms)],
            )


def beside(key_file: Path) -> Newest:
    """Where it is kept for a key file."""
    return Newest(key_file.with_name(key_file.name + ".newest"))
