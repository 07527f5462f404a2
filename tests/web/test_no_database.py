"""A disk that is full or a database that is away costs no event: the station is told to keep it and to come again."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, event

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.enrolment import enrol
from cylinder_trace.law.tables import load
from cylinder_trace.settings import load_settings
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.web.app import create_app
from cylinder_trace.web.server import Server
from tests.web.test_api import NOW, Station, observed, on_record


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    database = open_database(sqlite_url)
    yield database
    database.close()


def client_of(database: Database) -> FlaskClient:
    return create_app(
        Server(database, ReferenceCache(load()), load_settings(), lambda: epoch_ms(NOW))
    ).test_client()


def enrolled(database: Database, client: FlaskClient) -> Station:
    with database.writing() as connection:
        return Station(client, enrol(connection, "gun-1", "ST01", "http://localhost", epoch_ms(NOW)))


def test_on_a_full_disk_a_batch_is_stored_whole_or_not_at_all(sqlite: Database) -> None:
    room = {"pages": 0}

    def full_disk(connection: Connection) -> None:
        # SQLite itself then answers as on a full disk; 0 leaves the limit as it is.
        connection.exec_driver_sql(f"PRAGMA max_page_count={room['pages']}")

    event.listen(sqlite.engine, "begin", full_disk)
    with client_of(sqlite) as client:
        station = enrolled(sqlite, client)
        batch: dict[str, Any] = {"events": [observed(device_seq=number) for number in range(500)]}
        with sqlite.reading() as connection:
            room["pages"] = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0) + 20
        answer = station.post(batch)
        assert (answer.status_code, answer.get_json()["error"]) == (503, "busy")
        assert answer.headers["Retry-After"] == "5"
        assert on_record(sqlite) == 0
        room["pages"] = 1_000_000
        assert station.post(batch).get_json()["stored"] == 500
        assert on_record(sqlite) == 500


def test_with_the_database_away_a_station_is_told_to_keep_its_events(sqlite: Database) -> None:
    away = open_database("postgresql://nobody@127.0.0.1:1/none")
    with client_of(away) as client:
        answer = enrolled(sqlite, client).post({"events": [observed()]})
    away.close()
    assert (answer.status_code, answer.get_json()["error"]) == (503, "busy")
    assert "keep the events" in answer.get_json()["en"]
