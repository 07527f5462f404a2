"""One database, SQLite or PostgreSQL: opening it, migrating it, and transactions that say what they are for."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Table,
    and_,
    create_engine,
    event,
    or_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

_HERE = Path(__file__).resolve()
_CHUNK = 500
"""Values in one IN list: below the smallest limit of either database."""
KEYS_AT_ONCE = 50
"""Keys of several columns in one statement."""


_GIVE_UP = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""A network to PostgreSQL that fell silent is an error after half a minute, not after the hours of the system's own."""

_TRUSTED_S = 1.0
"""A connection that worked so short a time ago is used without asking PostgreSQL whether it is still there.

What broke within that time costs one request an answer of "busy", which every station repeats.
"""
CONNECTIONS = 16
"""Kept open by a process; further ones are opened when all of them are at work, and closed again."""


class Database:
    """An opened database. `reading()` and `writing()` are transactions; a writing one locks SQLite at its start."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_postgresql = engine.dialect.name == "postgresql"
        self._asked = engine.execution_options(isolation_level="AUTOCOMMIT") if self.is_postgresql else engine

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """For a few short questions that need not see one moment: on PostgreSQL each is a transaction by itself.

        It saves the operator at the gun the round trips that begin and end one. Nothing that is streamed, no locks.
        """
        with self._asked.connect() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, rolled back when anything is raised."""
        # Read-then-write transactions that begin deferred fail under load; the lock is taken at once instead.
        options = {} if self.is_postgresql else {"begin": "IMMEDIATE"}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """To write with single statements of which each may stand without the others; else like `asking`."""
        with self.asking() if self.is_postgresql else self.writing() as connection:
            yield connection

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def open_database(
    url: str, *, is_scratch: bool = False, reads_all: bool = False, connections: int = CONNECTIONS
) -> Database:
    """Open a migrated database. SQLite gets WAL, full synchronisation, foreign keys and a 30 s busy wait.

    One that is thrown away afterwards, `is_scratch`, need not reach the disk. Who `reads_all` of it has the file mapped
    into memory, which is a tenth faster, and dies where somebody cuts the file off. `connections` are kept open.
    """
    is_postgresql = url.startswith("postgres")
    arguments = {"connect_args": _GIVE_UP} if is_postgresql else {}
    engine = create_engine(_dialect_url(url), pool_size=connections, **arguments)
    if is_postgresql:
        event.listen(engine, "checkin", _note_when_it_worked)
        event.listen(engine, "checkout", _replace_if_gone)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        if is_scratch:
            event.listen(engine, "connect", _never_wait_for_the_disk)
        if reads_all:
            event.listen(engine, "connect", _map_the_file)
    return Database(engine)


def upgrade(url: str) -> None:
    """Bring the database's tables to the newest form; safe to run again."""
    command.upgrade(alembic_config(url), "head")


def alembic_config(url: str) -> Config:
    """Alembic's configuration for this database, from a checkout or from an installed wheel."""
    config = Config()
    in_wheel = _HERE.parent / "migrations"
    location = in_wheel if in_wheel.is_dir() else _HERE.parents[2] / "migrations"
    config.set_main_option("script_location", str(location))
    config.attributes["url"] = _dialect_url(url)
    return config


def add_missing(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, leaving alone those whose key is there already."""
    if rows:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def put(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows or, where their primary key is there already, replace the other columns."""
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    insert = make(table)
    keys = [column.name for column in table.primary_key]
    changes = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes), rows)


def chunked(values: list[Any], size: int = _CHUNK) -> Iterator[list[Any]]:
    """The values in lists short enough for one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def fetched(connection: Connection, statement: Executable) -> Sequence[tuple[Any, ...]]:
    """All rows as the driver made them, in half the time: right where they are integers and texts, or a 0 for false."""
    result = connection.execute(statement)
    rows: Sequence[tuple[Any, ...]] = result.cursor.fetchall() if result.cursor is not None else []
    result.close()
    return rows


def any_of(columns: Sequence[Column[Any]], keys: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    """These columns are one of the keys, each found through an index; the keys are at most some fifty.

    Not `(a, b) IN (...)`: SQLite goes through the whole table for it.
    """
    return or_(
        *(and_(*(column == value for column, value in zip(columns, key, strict=True))) for key in keys)
    )


def _dialect_url(url: str) -> str:
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def _note_when_it_worked(_connection: Any, record: Any) -> None:
    record.info["worked_s"] = time.monotonic()


def _replace_if_gone(connection: Any, record: Any, _proxy: Any) -> None:
    # Asked every time, as `pool_pre_ping` does, it is a quarter of what a question at the gun costs.
    if time.monotonic() - record.info.get("worked_s", time.monotonic()) < _TRUSTED_S:
        return
    try:
        was, connection.autocommit = connection.autocommit, True
        connection.execute("")
        connection.autocommit = was
    except Exception:
        raise DisconnectionError from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "wal_autocheckpoint=10000",
        "recursive_triggers=ON",  # else INSERT OR REPLACE removes a row of the ledger past its trigger
    ):
        connection.execute(f"PRAGMA {pragma}")


def _map_the_file(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA mmap_size=1099511627776")  # as much of it as SQLite was built for


def _never_wait_for_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
