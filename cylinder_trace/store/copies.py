"""A ledger made large by copying what it holds, for measuring: each copy is other cylinders at the sites of its town.

The copies are made by the database itself, on SQLite, so that ten million events are there in minutes. They are as if
they had been judged, with nothing due; nobody's life goes on in them. A site's days are kept as one copy makes them.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, text

from cylinder_trace.store import tables
from cylinder_trace.store.database import Database

_CODES = {"code", "parent", "cylinder_id"}
_PLACES = {"site_id", "from_site", "to_site", "operator_id", "device_id"}
_EVENTS = {"event_id", "depart_event", "arrive_event", "because"}
_NAMES = (
    "site_id",
    "from_site",
    "to_site",
    "licensed_site_id",
    "station_id",
    "gun_id",
    "device_id",
    "operator_id",
)
_LABELS = ("cylinder_code", "new_code", "code")
_COPIED = (
    tables.event,
    tables.code_link,
    tables.cylinder,
    tables.leg,
    tables.flow,
    tables.site_day,
    tables.device_heard,
    tables.finding,
    tables.alert,
    tables.alert_history,
    tables.notice,
    tables.party,
)
_OF_A_SITE = {"site_day", "device_heard", "party"}
"""Copied once for each town."""
_NUMBER, _TAIL, _TOWN = "char(1)", "char(2)", "char(3)"
"""Stand in a text to be copied for the number of the copy, the last twelve digits of its event's id, and its town."""
IN_FIRST_TOWN = 3
IN_A_TOWN = 12
"""Copies that share the sites of one town; the first town, in which life goes on, has fewer and is the same for all sizes."""


def copied(
    database: Database, first: int, last: int, told: Callable[[int], object] = lambda _number: None
) -> None:
    """Add the copies with the numbers from `first` to `last`; `told(1)` is called after each.

    What was there before is copied with the first call, which keeps it beside the tables for the later ones.
    """
    with _unguarded(database) as connection:
        indices = _indices(connection)
        for name, _ in indices:
            connection.execute(text(f"DROP INDEX {name}"))
        if not _is_there(connection):
            for table in _COPIED:
                connection.execute(text(_kept(table)))
        for number in range(first, last + 1):
            town, is_new = _town(number)
            values = {"number": str(number), "tail": f"{number:012x}", "end": f"{number:08x}", "town": town}
            for table in _COPIED:
                if is_new or table.name not in _OF_A_SITE:
                    connection.execute(text(_copy(table)), values)
            told(1)
        for _, statement in indices:
            connection.execute(text(statement))
        connection.execute(text("UPDATE reference_version SET version = version + 1"))


@contextmanager
def _unguarded(database: Database) -> Iterator[Connection]:
    """A connection that writes each page once, for a file that nobody else has open and that is worth nothing half done."""
    database.close()
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000", "threads=2"):
            driver.execute(f"PRAGMA {pragma}")
        yield connection
        connection.commit()
        driver.execute("PRAGMA journal_mode=WAL")
    database.close()


def _town(number: int) -> tuple[str, bool]:
    """What the sites of a copy are called by, and whether it is the first in its town."""
    after = number - IN_FIRST_TOWN
    return ("", False) if after < 0 else (f"{1 + after // IN_A_TOWN}.", after % IN_A_TOWN == 0)


def _indices(connection: Connection) -> list[tuple[str, str]]:
    """The indices that can be made again when all is there, which is many times faster than keeping them."""
    names = ", ".join(f"'{table.name}'" for table in _COPIED)
    statement = (
        f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> '' AND tbl_name IN ({names})"
    )
    return [(row.name, row.sql) for row in connection.execute(text(statement))]


def _is_there(connection: Connection) -> bool:
    return bool(connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'first_event'")))


def _kept(table: Table) -> str:
    """The rows to be copied, in a table of their own, with what stands in for the number in their texts."""
    columns = ", ".join(
        f"{_templates()[table.name]} AS body" if name == "body" and table.name in _templates() else name
        for name in _columns(table)
    )
    which = {"event": "WHERE kind <> 'correct'", "notice": "WHERE state <> 'due'"}.get(table.name, "")
    return f"CREATE TABLE first_{table.name} AS SELECT {columns} FROM {table.name} {which}"


def _templates() -> dict[str, str]:
    event = f"replace(body, event_id, substr(event_id, 1, 24) || {_TAIL})"
    for name in _NAMES:
        event = _marked(event, name, _TOWN)
    for name in _LABELS:
        event = _marked(event, name, f"{_NUMBER} || '-'")
    record = f"replace(body, '\"' || id || '-', '\"' || {_TOWN} || id || '-')"
    for name in ("site_id", "person_id"):
        record = _marked(record, name, _TOWN)
    return {"event": event, "party": record}


def _marked(expression: str, name: str, mark: str) -> str:
    key = f'"{name}":"'
    return f"replace({expression}, '{key}', '{key}' || {mark})"


def _copy(table: Table) -> str:
    columns = _columns(table)
    values = ", ".join(_value(table.name, name) for name in columns)
    which = {
        "party": " WHERE record <> 'owner'",
        "flow": " WHERE true ON CONFLICT DO UPDATE SET n = n + excluded.n",
    }.get(table.name, "")
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {values} FROM first_{table.name}{which}"


def _value(table: str, name: str) -> str:
    if name in _CODES:
        return f":number || '-' || {name}"
    if name in _PLACES or (table == "party" and name == "id"):
        return f":town || {name}"
    if name in _EVENTS:
        return f"substr({name}, 1, 24) || :tail"
    if name == "body" and table in {"event", "party"}:
        return f"replace(replace(replace(body, {_NUMBER}, :number), {_TAIL}, :tail), {_TOWN}, :town)"
    if table == "site_day" and name == "tally":
        return _tally()
    special = {
        "fingerprint": "substr(fingerprint, 1, 24) || :end",
        "unit": "unit || '/' || :number",
        "subject": ":number || '-' || subject",
        "state": "replace(state, '\"' || cylinder_id || '\"', '\"' || :number || '-' || cylinder_id || '\"')",
        # Nothing of a copy falls due while its model is measured.
        "wake_ms": "wake_ms + 3153600000000",
    }
    if table == "notice":
        special.pop("state")
    return special.get(name, name)


def _tally() -> str:
    """A site's day with the devices, guns and persons of its town."""
    named = "tally"
    for which in ("devices", "guns"):
        its = f"SELECT json_group_object(:town || key, json(value)) FROM json_each(tally, '$.{which}')"
        named = f"json_replace({named}, '$.{which}', json(({its})))"
    people = "SELECT json_group_array(:town || value) FROM json_each(tally, '$.people')"
    return f"json_replace({named}, '$.people', json(({people})))"


def _columns(table: Table) -> list[str]:
    names = [column.name for column in table.c if column.name != "seq"]
    assert all(re.fullmatch(r"\w+", name) for name in names)
    return names
