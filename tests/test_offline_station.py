"""A station whose network fails, with the real server and the real commands: what it answers, keeps and sends later."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from cylinder_trace.stage import free_port
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.tables import alert
from cylinder_trace.web.api import snapshots
from cylinder_trace.web.server import clock_ms
from tests.conftest import CHECKOUT
from tests.processes import Process, until
from tests.world import STATION, World, code, made, ms, registered

LAWFUL, OVERDUE, UNKNOWN = code(1), code(2), code(3)
TODAY = date.today()  # noqa: DTZ011 - days of margin on either side


class Station:
    """A gun's folder with its key file, outbox and snapshot, and the server that comes and goes."""

    def __init__(self, folder: Path, url: str) -> None:
        port = free_port()
        self.folder = folder
        self.outbox, self.snapshot = folder / "outbox.sqlite3", folder / "snapshot.sqlite3"
        self._settings = {
            "database_url": url,
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            "secret_directory": folder,
        }
        self._key = folder / "gun.key.json"

    def trace(self, *arguments: str) -> None:
        """One of the administrator's commands."""
        with Process(self.folder / "commands.log", "cylinder_trace", *arguments, **self._settings) as process:
            assert process.exit_code() == 0, process.said()

    def enrol(self) -> None:
        self.trace("device", "add", "gun-7", "--site", STATION, "--key-file", str(self._key))

    def server(self) -> Process:
        """The server, once it answers."""
        process = Process(self.folder / "serve.log", "cylinder_trace", "serve", **self._settings)
        until(self._answers, "the server's answer", process)
        return process

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self._settings['public_url']}/sign-in", timeout=5).ok
        except requests.ConnectionError:
            return False

    def scan(self, command: str, *arguments: object, typed: str = "") -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, "-m", "scanner", command, *map(str, arguments)]
        if command != "status":
            words += ["--key", str(self._key)]
        return subprocess.run(
            words, input=typed, capture_output=True, text=True, timeout=60, check=False, cwd=CHECKOUT
        )

    def fetch(self) -> "subprocess.CompletedProcess[str]":
        return self.scan("snapshot", "--snapshot", self.snapshot)

    def check(self, which: str, *more: object) -> tuple[int, str]:
        """Exit code, and what the operator reads."""
        question = ("--operator", "op-1", "--medium", "lpg", "--snapshot", self.snapshot)
        done = self.scan("check", which, *question, *more)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def station(tmp_path: Path, sqlite_url: str, database: Database) -> Station:
    world = World(database)
    made_then = (TODAY - timedelta(days=700)).isoformat()
    terms = {LAWFUL: 400, OVERDUE: -40}
    world.post(
        [
            registered(which, valid_until=str(TODAY + timedelta(days=days)), manufactured=made_then)
            for which, days in terms.items()
        ]
    )
    at_station = Station(tmp_path, sqlite_url)
    at_station.trace("sweep")
    at_station.enrol()
    return at_station


def answered_offline(said: str) -> bool:
    return "离线结论" in said and "data brought up to date" in said


def test_a_station_whose_network_fails_goes_on_with_its_snapshot_and_what_it_let_go_is_reported(
    station: Station, database: Database
) -> None:
    with station.server():
        assert station.fetch().returncode == 0
        exit_code, said = station.check(LAWFUL)
        assert (exit_code, answered_offline(said)) == (0, False)

    for which, expected in ((LAWFUL, 0), (OVERDUE, 4), (UNKNOWN, 3)):
        exit_code, said = station.check(which)
        assert exit_code == expected, said
        assert answered_offline(said)
    assert "超期" in station.check(OVERDUE)[1]

    exit_code, said = station.check(LAWFUL, "--max-age", 0)
    assert exit_code == 3
    assert "离线数据过旧" in said
    assert station.fetch().returncode == 1
    assert station.check(LAWFUL)[0] == 0, "a fetch that failed leaves what was there"

    who = ("--reason", "检验报告在手，待补录", "--approved-by", "值班站长", "--outbox", station.outbox)
    exit_code, said = station.check(OVERDUE, *who)
    assert exit_code == 6, said
    assert waiting(station) == 1

    with station.server():
        assert station.scan("upload", "--outbox", station.outbox).returncode == 0
        assert waiting(station) == 0
        station.trace("sweep")
        [said] = overrides(database)
        assert "值班站长" in said
        assert "检验报告在手" in said

        fill = (
            "--action",
            "fill",
            "--medium",
            "lpg",
            "--gas-mass-kg",
            14.5,
            "--operator",
            "op-1",
            "--upload",
        )
        assert station.scan("usb", *fill, "--outbox", station.outbox, typed=f"{LAWFUL}\n").returncode == 0
        assert station.fetch().returncode == 0
    exit_code, said = station.check(LAWFUL)
    assert exit_code in {3, 4}, said
    assert answered_offline(said)
    assert "连续充装" in said or "重复充装" in said


def test_a_snapshot_that_somebody_changed_is_refused_and_nothing_is_filled(station: Station) -> None:
    with station.server():
        assert station.fetch().returncode == 0
    with sqlite3.connect(station.snapshot) as connection:
        connection.execute("UPDATE page SET snapshot = replace(snapshot, 'STOP', 'PASS')")
    connection.close()
    exit_code, said = station.check(OVERDUE)
    assert exit_code == 5
    assert "请勿充装" in said
    assert "not signed by the server" in said


def test_an_older_snapshot_put_back_is_refused_and_so_is_one_whose_newest_is_not_known(
    station: Station, database: Database
) -> None:
    with station.server():
        assert station.fetch().returncode == 0
        old = station.snapshot.read_bytes()
        assert station.check(LAWFUL)[0] == 0
        World(database).post([made("stop", 0, cylinder_code=LAWFUL)], clock_ms())
        station.trace("sweep")
        assert station.fetch().returncode == 0
    new = station.snapshot.read_bytes()
    assert station.check(LAWFUL)[0] == 4
    station.snapshot.write_bytes(old)
    exit_code, said = station.check(LAWFUL)
    assert exit_code == 5
    assert "请勿充装" in said
    assert "not the newest" in said
    for path in station.snapshot.parent.glob("*.newest"):
        path.unlink()
    assert station.check(LAWFUL)[0] == 5, "without what says which is the newest, none is believed"
    station.snapshot.write_bytes(new)
    assert station.check(LAWFUL)[0] == 5
    with station.server():
        assert station.fetch().returncode == 0
    assert station.check(LAWFUL)[0] == 4


def test_another_servers_snapshot_is_refused(station: Station, tmp_path: Path) -> None:
    (tmp_path / ".cylinder-trace-signing-key").unlink()
    with station.server():
        done = station.fetch()
    assert done.returncode == 1
    assert "not signed by the server" in done.stderr
    assert station.check(LAWFUL)[0] == 5


def test_what_a_sweep_for_the_past_judged_reaches_a_station_that_has_fetched_since(
    station: Station, database: Database
) -> None:
    world = World(database)
    world.post([made("stop", 2, cylinder_code=LAWFUL)], ms(2))
    before_ms = clock_ms()
    station.trace("sweep", "--as-of", "2026-05-05T00:00:00+08:00")
    with database.reading() as connection:
        reference = world.cache.read(connection)
        cursor = snapshots.Cursor(snapshots.reference_mark(reference), before_ms, before_ms)
        page = snapshots.page_of(connection, STATION, cursor, clock_ms(), reference)
    assert [(one.codes, one.steps[0].decision) for one in page.entries] == [((LAWFUL,), "STOP")]


def test_a_new_outbox_goes_on_with_the_numbers_that_the_server_has(station: Station) -> None:
    who = ("--action", "observe", "--operator", "op-1", "--outbox")
    with station.server():
        for name, expected in (("first", 1), ("second", 2)):
            outbox = station.folder / name
            done = station.scan("usb", *who, outbox, "--upload", typed=f"{LAWFUL}\n")
            assert json.loads(done.stdout)["event"]["device_seq"] == expected, done.stderr
            assert "begin at 1" not in done.stderr
    done = station.scan("usb", *who, station.folder / "third", typed=f"{LAWFUL}\n")
    assert json.loads(done.stdout)["event"]["device_seq"] == 1
    assert "begin at 1; if the device had an outbox before, use that one" in done.stderr


def waiting(station: Station) -> int:
    done = station.scan("status", "--outbox", station.outbox, "--json")
    return int(json.loads(done.stdout)["waiting"])


def overrides(database: Database) -> list[str]:
    """What the open alerts say of what was let go."""
    with database.reading() as connection:
        is_one = (alert.c.rule == "override_used") & (alert.c.status == "open")
        return list(connection.scalars(select(alert.c.body).where(is_one)))
