"""Scanner, server and worker killed at random points of a run: every scan is on record once, every due mail arrives."""

import asyncio
import json
import os
import random
import select as readiness
import sqlite3
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from cylinder_trace import delivery, intake
from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.enrolment import enrol
from cylinder_trace.judging.handling.routing import EVERYWHERE, Recipient
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.settings import Settings
from cylinder_trace.stage import free_port
from cylinder_trace.store import ledger, parties, recipients
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.tables import event, notice, outbox
from cylinder_trace.web.server import clock_ms
from tests.postbox import Inbox, receiving
from tests.processes import LONGEST_WAIT_S, Process, until
from tests.world import DEVICE, MINHANG, OWNER, STATION, World, code, filled, licensed, registered

KILLS = {"scanner": 4, "serve": 3, "worker": 4}
BACKLOG = 30
"""Unlawful fills found before the run, each at a site of its own; their mails come due one by one while it lasts."""
TEAM = [f"officer-{number}@example.org" for number in range(2)]


class SlowInbox(Inbox):
    """Takes its time before and after taking a mail, so that a worker is killed in the middle of one, not between."""

    pause_s = 0.06

    async def handle_RCPT(self, *asked: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.pause_s)
        return await super().handle_RCPT(*asked)

    async def handle_DATA(self, *asked: Any) -> str:  # noqa: N802
        answer = await super().handle_DATA(*asked)
        await asyncio.sleep(self.pause_s)
        return answer


class Scanner:
    """`cylinder-scan usb` and the operator before it, who scans again what was not acknowledged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._given = b""
        self.process = self._start()
        self.acknowledged: dict[str, str] = {}
        self.lives = 1

    def scan(self, text: str) -> None:
        while (line := self._line_for(text)) is None:
            self.process.wait(LONGEST_WAIT_S)
            self.revive()
        self.acknowledged[line["event"]["event_id"]] = line["code"]

    def revive(self) -> None:
        if self.process.poll() is not None:
            self._close()
            self.process = self._start()
            self.lives += 1

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(LONGEST_WAIT_S)

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(LONGEST_WAIT_S)
        self._close()

    def upload_the_rest(self) -> int:
        command = [sys.executable, "-m", "scanner", "upload", "--tries", "20", *self._device()]
        return subprocess.run(
            command, timeout=LONGEST_WAIT_S, stderr=subprocess.DEVNULL, check=False
        ).returncode

    def recorded(self) -> list[tuple[int, str, str]]:
        """Number, id and state of every event on the device's disk."""
        connection = sqlite3.connect(self._folder / "gun.sqlite3")
        rows = connection.execute("SELECT device_seq, event_id, state FROM event ORDER BY device_seq")
        found = rows.fetchall()
        connection.close()
        return found

    def _line_for(self, text: str) -> dict[str, Any] | None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{text}\r".encode())
        except BrokenPipeError:
            return None
        given = b""
        while not given.endswith(b"\n"):
            assert readiness.select([self.process.stdout], [], [], LONGEST_WAIT_S)[0], "the scanner hangs"
            if not (more := os.read(self.process.stdout.fileno(), 65_536)):
                return None
            given += more
        line: dict[str, Any] = json.loads(given)
        return line

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "scanner", "usb", "--action", "fill", "--medium", "lpg"]
        command += ["--gas-mass-kg", "14.5", "--operator", "op-1", "--upload", *self._device()]
        with (self._folder / "scanner.log").open("ab") as log:
            return subprocess.Popen(
                command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )

    def _device(self) -> list[str]:
        return ["--key", str(self._folder / "key.json"), "--outbox", str(self._folder / "gun.sqlite3")]

    def _close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


class House:
    """Server and worker as processes that are started again whenever they are found dead."""

    def __init__(self, folder: Path, url: str, port: int, smtp_port: int) -> None:
        self._folder = folder
        self._settings = {
            "database_url": url,
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            "secret_directory": folder,
            "smtp_port": smtp_port,
            "sweep_every_s": 1,
            "delivery_every_s": 1,
            # So that after an outage of the server most is left to the worker.
            "judge_at_once": 20,
        }
        self.processes = {name: self._start(name) for name in ("serve", "worker")}
        self.lives = Counter(list(self.processes))

    def revive(self) -> None:
        for name, process in self.processes.items():
            if not process.runs():
                self.processes[name] = self._start(name)
                self.lives[name] += 1

    def wait_for(self, name: str) -> None:
        """Until it does its work."""
        if name == "worker":
            self.processes[name].wait_to_say(f":{self.processes[name].pid} leads")
        else:
            until(self._answers, "the server", self.processes[name])

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self._settings['public_url']}/sign-in", timeout=10).ok
        except requests.ConnectionError:
            return False

    def _start(self, name: str) -> Process:
        return Process(self._folder / f"{name}.log", "cylinder_trace", name, **self._settings)


@pytest.fixture
def inbox() -> Iterator[SlowInbox]:
    with receiving(SlowInbox) as inbox:
        assert isinstance(inbox, SlowInbox)
        yield inbox


def test_kill_9_loses_no_scan_and_no_mail(
    database_url: str, inbox: SlowInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"KILL_SEED={seed}")  # noqa: T201
    chance = random.Random(seed)
    port = free_port()
    database = open_database(database_url)
    # The scanner is the same before either database, so the whole thousand goes into one of them.
    number = 400 if database.is_postgresql else 1000
    world, overdue = prepared(database, tmp_path, port, number)
    house = House(tmp_path, database_url, port, inbox.port)
    scanner = Scanner(tmp_path)
    try:
        scan_and_kill(scanner, house, chance, number)
        scanner.revive()
        scanner.end()
        house.revive()
        for name in house.processes:
            house.wait_for(name)
        assert scanner.upload_the_rest() == 0
        inbox.pause_s = 0
        until(lambda: is_done(database), "the worker", *house.processes.values())
        assert house.processes["worker"].asked_to_end() == 0
    finally:
        scanner.process.kill()
        for process in house.processes.values():
            process.kill()

    every_scan_is_on_record_once(database, scanner, number)
    assert {subject for rule, subject in world.alerts() if rule == "fill_overdue"} == overdue
    every_due_mail_arrives(database, world, inbox)
    lives = {"scanner": scanner.lives, **house.lives}
    assert lives == {role: times + 1 for role, times in KILLS.items()}
    database.close()


def prepared(database: Database, folder: Path, port: int, number: int) -> tuple[World, set[str]]:
    """The world before the run; gives it with the cylinders whose fills will have been overdue."""
    world = World(database)
    started_ms = clock_ms()
    stations = [f"station-b{one:02}" for one in range(BACKLOG)]
    sites = [
        SiteRecord(site_id=one, name=one, type="filling_station", owner_id=OWNER, district=MINHANG)
        for one in stations
    ]
    with database.writing() as connection:
        parties.put_records(connection, sites)
        for address in TEAM:
            recipients.put(connection, Recipient(address, MINHANG, ""))
        # What is found in the system itself, when its worker was dead for a while, is told to the city.
        recipients.put(connection, Recipient("city@example.org", EVERYWHERE, ""))
        key = enrol(connection, DEVICE, STATION, f"http://127.0.0.1:{port}", started_ms)
    (folder / "key.json").touch(0o600)
    (folder / "key.json").write_text(key.model_dump_json())
    # With a licence: else one mail about each station would hold back those about its fills.
    world.post([licensed(station) for station in stations])
    # Every fifth is overdue, every seventh is not registered at all, and those of the backlog come after them.
    overdue = {one for one in range(number) if one % 5 == 0 and one % 7} | {*range(number, number + BACKLOG)}
    world.post(
        [
            registered(code(one), valid_until="2026-01-31" if one in overdue else "2099-01-31")
            for one in range(number + BACKLOG)
            if one % 7 or one in overdue
        ]
    )
    intake.judge(database, world.cache, started_ms)
    for place, station in enumerate(stations):
        fill = filled(code(number + place), 1, site_id=station, device_id="another-gun")
        world.post([fill])
        # Notices wait 60 s for others of their group: these are due from now on, three a second.
        intake.judge(database, world.cache, clock_ms() - 60_000 + place * 333, only=[fill["event_id"]])
    return world, {code(one) for one in overdue}


def scan_and_kill(scanner: Scanner, house: House, chance: random.Random, number: int) -> None:
    plan: dict[int, list[str]] = defaultdict(list)
    for role, times in KILLS.items():
        for at in chance.sample(range(number // 50, number), times):
            plan[at].append(role)
    shots: dict[str, threading.Timer] = {}
    for one in range(number):
        house.revive()
        for role in plan[one]:
            # Only what is at work is killed, so that every kill counts.
            if role in shots:
                shots[role].join()
            if role == "scanner":
                scanner.revive()
            else:
                house.revive()
                house.wait_for(role)
            kill = scanner.kill if role == "scanner" else house.processes[role].kill
            shots[role] = threading.Timer(chance.random() * 0.05, kill)
            shots[role].start()
        scanner.scan(code(one))
    for shot in shots.values():
        shot.join()


def is_done(database: Database) -> bool:
    """All is judged, and of the mails every one was tried."""
    untried = select(outbox.c.mail_id).where(outbox.c.state == "waiting", outbox.c.attempts == 0)
    with database.reading() as connection:
        return not ledger.counts(connection)["pending"] and connection.scalar(untried.limit(1)) is None


def every_scan_is_on_record_once(database: Database, scanner: Scanner, number: int) -> None:
    made = scanner.recorded()
    assert [seq for seq, _, _ in made] == list(range(1, len(made) + 1))
    assert {state for _, _, state in made} == {"stored"}
    with database.reading() as connection:
        rows = connection.execute(select(event.c.event_id, event.c.code).where(event.c.device_id == DEVICE))
        on_record = [(row.event_id, row.code) for row in rows]
    assert sorted(event_id for event_id, _ in on_record) == sorted(event_id for _, event_id, _ in made)
    assert scanner.acknowledged.items() <= dict(on_record).items()
    # Each cylinder once; what was on disk but not acknowledged when the scanner was killed was scanned once more.
    assert sorted(scanner.acknowledged.values()) == [code(one) for one in range(number)]
    assert {which for _, which in on_record} == set(scanner.acknowledged.values())
    assert len(made) - number <= scanner.lives - 1


def every_due_mail_arrives(database: Database, world: World, inbox: Inbox) -> None:
    in_hand = select(outbox.c.mail_id).where(outbox.c.state == "waiting", outbox.c.attempts > 0)
    with database.reading() as connection:
        # All went out during the run but what a worker had in hand when it was killed: that is leased to the dead.
        assert len(list(connection.scalars(in_hand))) <= KILLS["worker"]
        assert len(list(connection.scalars(select(outbox.c.state).where(outbox.c.state == "sent")))) > BACKLOG
    # Now that, and the notices which are due only later; what was too much of one rule for a day comes in a digest.
    channel = SmtpChannel(Settings(smtp_port=inbox.port))
    for days in (5, 9):
        delivery.run(database, world.cache, channel, clock_ms() + days * DAY_MS)
    with database.reading() as connection:
        assert set(connection.scalars(select(outbox.c.state))) == {"sent"}
        assert "due" not in set(connection.scalars(select(notice.c.state)))
        posted = set(connection.scalars(select(outbox.c.message_id)))
    arrived = Counter(mail["Message-ID"] for _, mail in inbox.taken)
    assert arrived.keys() == posted
    # A worker killed between sending and marking repeats that one mail; what was marked is never repeated.
    assert arrived.total() - len(arrived) <= KILLS["worker"]
