"""The database itself refuses to change or remove what was recorded."""

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from cylinder_trace.store.database import Database, alembic_config, open_database, upgrade
from cylinder_trace.store.tables import metadata
from tests.handling import Office
from tests.world import World, code, filled, registered

APP_ROLE = "cylinder_trace_app"
LEDGER = {"event": "kind", "alert_history": "became", "alert_note": "why"}


@pytest.fixture
def recorded(database: Database) -> Database:
    """A database with events, and an alert that has a history and a log."""
    world = World(database)
    world.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])
    world.judge(2)
    Office(world).act("commented", why="现场无人")
    return database


def attempt(database: Database, *statements: str) -> None:
    with database.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))


def rows_of(database: Database, table: str) -> list[tuple[object, ...]]:
    with database.reading() as connection:
        return sorted((tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))), key=repr)


@pytest.mark.parametrize("table", LEDGER)
def test_what_was_recorded_is_neither_changed_nor_removed(recorded: Database, table: str) -> None:
    before = rows_of(recorded, table)
    assert before
    tries = [f"UPDATE {table} SET {LEDGER[table]} = 'x'", f"DELETE FROM {table}"]
    if recorded.is_postgresql:
        tries += [f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"]
    else:
        tries += [f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"]
    for statement in tries:
        with pytest.raises(DBAPIError, match="append-only"):
            attempt(recorded, statement)
    assert rows_of(recorded, table) == before


@pytest.mark.parametrize("table", LEDGER)
def test_the_server_role_adds_and_can_do_nothing_else(postgres_url: str, table: str) -> None:
    database = open_database(postgres_url)
    world = World(database)
    world.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])
    world.judge(2)
    become = f"SET ROLE {APP_ROLE}"
    copies = {
        "event": "INSERT INTO event (event_id, kind, occurred_ms, received_ms, body, leaf_hash)"
        " VALUES ('another', 'observe', 1, 1, '{}', '')",
        "alert_history": "INSERT INTO alert_history (fingerprint, transition_no, became, at_ms)"
        " VALUES ('another', 0, 'opened', 1)",
        "alert_note": "INSERT INTO alert_note"
        " (fingerprint, episode, number, did, at_ms, times, who, who_name, who_role, why, level)"
        " VALUES ('another', 1, 1, 'commented', 1, 1, 'minhang', '', '', '', 0)",
    }
    attempt(database, become, copies[table])
    assert any("another" in map(str, row) for row in rows_of(database, table))
    for statement in (
        f"UPDATE {table} SET {LEDGER[table]} = 'x'",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        f"DROP TRIGGER {table}_refuses_change ON {table}",
        f"DROP TABLE {table}",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    ):
        with pytest.raises(DBAPIError, match=r"must be owner|permission denied"):
            attempt(database, become, statement)
    database.close()


def test_the_server_role_can_do_all_the_work(postgres_url: str) -> None:
    database = open_database(f"{postgres_url}?options=-c%20role%3D{APP_ROLE}")
    world = World(database)
    world.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])
    world.sweep(50)
    assert ("fill_overdue", code(1)) in world.alerts()
    database.close()


def test_the_tables_are_what_the_migrations_make(database_url: str) -> None:
    config = alembic_config(database_url)
    config.attributes["metadata"] = metadata
    command.check(config)


def test_upgrading_again_changes_nothing_and_down_and_up_works(blank_database_url: str) -> None:
    upgrade(blank_database_url)
    upgrade(blank_database_url)
    command.downgrade(alembic_config(blank_database_url), "base")
    database = open_database(blank_database_url)
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    upgrade(blank_database_url)
    World(database).post([registered(code(1))])
    with pytest.raises(DBAPIError, match="append-only"):
        attempt(database, "DELETE FROM event")
    database.close()
