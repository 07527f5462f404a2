"""Promises 8 and 13: who can be told is looked after, a heartbeat proves the chain, and no data is an alert of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from cylinder_trace import delivery, watching
from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.enrolment import enrol
from cylinder_trace.judging.handling.routing import EVERYWHERE, Recipient
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.mail.heartbeat import HeartbeatLetters
from cylinder_trace.settings import Settings
from cylinder_trace.store import alerts, outbox, parties, people, recipients, work
from cylinder_trace.store import watching as stored
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import Database
from tests.postbox import TEAM, Inbox, outbox_rows
from tests.world import MINHANG, OWNER, STATION, World, ms

CITY = "city@example.org"
Look = Callable[[float], dict[str, int]]


@pytest.fixture
def world(database: Database) -> World:
    with database.writing() as connection:
        recipients.put(connection, Recipient(CITY, EVERYWHERE, "市局"))
    return World(database)


@pytest.fixture
def look(world: World, inbox: Inbox) -> Look:
    letters = HeartbeatLetters(Settings(smtp_port=inbox.port, public_url="http://qp.example"))
    return lambda hours: watching.run(world.database, world.cache, letters, ms(hours))


@pytest.fixture
def deliver(world: World, inbox: Inbox) -> Look:
    return lambda hours: delivery.run(
        world.database, world.cache, SmtpChannel(Settings(smtp_port=inbox.port)), ms(hours)
    )


def troubles(world: World, status: str = "open") -> set[tuple[str, str]]:
    with world.database.reading() as connection:
        _, rows = alerts.listed(connection, Scope("city"), {"status": status}, 50)
    return {(row["rule"], row["subject"]) for row in rows}


def dead_letter(world: World, address: str, hours: float, answer: str = "550 no such user") -> None:
    with world.database.writing() as connection:
        key = f"{address}-{hours}"
        outbox.post(connection, key, address, "s", f"<{key}>", b"x", ms(hours))
        mail = outbox.lease(connection, ms(hours), ms(hours + 1))
        assert mail is not None
        outbox.failed(connection, mail, answer, None)


WEEK_H = 7 * 24
"""To the first whole working week: the tests' first Monday, 4 May 2026, is a holiday."""


def test_promise_8_a_heartbeat_goes_out_once_a_working_day_and_proves_the_chain(
    world: World, look: Look, deliver: Look, inbox: Inbox
) -> None:
    assert look(1.1)["heartbeats"] == 0  # a holiday
    # Hours from eight o'clock.
    assert [look(WEEK_H + hours)["heartbeats"] for hours in (0.9, 1.1, 1.2)] == [0, 1, 0]
    assert deliver(WEEK_H + 1.3)["sent"] == 1
    assert [look(WEEK_H + hours)["heartbeats"] for hours in (15, 24.9, 25.1)] == [0, 0, 1]
    assert deliver(WEEK_H + 25.2)["sent"] == 1
    assert {address for address, _ in inbox.taken} == {CITY}
    subjects = [mail["Subject"] for _, mail in inbox.taken]
    assert all(one.startswith("[气瓶心跳] 系统正常 2026-") for one in subjects)
    assert all(mail["Auto-Submitted"] == "auto-generated" for _, mail in inbox.taken)
    saturday_h = WEEK_H + 5 * 24 + 10
    assert look(saturday_h)["heartbeats"] == 0


def test_promise_8_a_heartbeat_that_does_not_arrive_is_an_alert_until_one_does(
    world: World, look: Look, deliver: Look
) -> None:
    look(WEEK_H + 9.1)
    look(WEEK_H + 10)
    assert ("heartbeat_missing", CITY) not in troubles(world)
    look(WEEK_H + 11.2)
    assert ("heartbeat_missing", CITY) in troubles(world)
    deliver(WEEK_H + 11.3)
    look(WEEK_H + 11.4)
    assert ("heartbeat_missing", CITY) in troubles(world, "resolved")


def test_promise_8_a_district_whose_only_address_is_dead_is_an_alert_until_it_is_not(
    world: World, look: Look, deliver: Look
) -> None:
    with world.database.writing() as connection:
        recipients.put(connection, Recipient(TEAM, MINHANG))
    look(1)
    assert ("no_recipient", MINHANG) not in troubles(world)
    dead_letter(world, TEAM, 2)
    look(2.1)
    assert {("no_recipient", MINHANG), ("dead_letters", TEAM)} <= troubles(world)
    # The city hears of it, since the district can not.
    with world.database.writing() as connection:
        outbox.post(connection, "later", TEAM, "s", "<later>", b"Subject: x\r\n\r\nx", ms(3))
    deliver(4.2)
    assert [row.recipient for row in outbox_rows(world.database) if row.state == "sent"].count(CITY) >= 1
    look(4.3)
    assert ("no_recipient", MINHANG) in troubles(world, "resolved")
    assert ("dead_letters", TEAM) in troubles(world)


def test_promise_8_the_last_address_for_everything_can_not_be_taken_off(world: World) -> None:
    with world.database.writing() as connection, pytest.raises(recipients.LastFallback):
        recipients.remove(connection, CITY, EVERYWHERE)


def test_without_any_address_every_page_would_be_the_only_one_to_know(database: Database) -> None:
    world = World(database)
    watching.run(database, world.cache, HeartbeatLetters(Settings()), ms(1))
    assert ("no_recipient", EVERYWHERE) in troubles(world)


def test_a_dead_letter_that_is_let_go_ends_its_alert(world: World, look: Look) -> None:
    dead_letter(world, CITY, 1)
    look(1.1)
    assert ("dead_letters", CITY) in troubles(world)
    with world.database.writing() as connection:
        assert outbox.settle(connection, 1, 1, "let_go", ms(1.2))
    look(1.3)
    assert ("dead_letters", CITY) in troubles(world, "resolved")


def test_promise_13_a_full_outbox_is_an_alert_that_ends_by_itself(
    world: World, look: Look, deliver: Look
) -> None:
    with world.database.writing() as connection:
        outbox.post(connection, "g", TEAM, "s", "<1@x>", b"Subject: x\r\n\r\nx", ms(1))
    look(1.9)
    assert ("outbox_stuck", "mail") not in troubles(world)
    look(2.1)
    assert ("outbox_stuck", "mail") in troubles(world)
    deliver(2.2)
    look(2.3)
    assert ("outbox_stuck", "mail") in troubles(world, "resolved")


def note_jobs(world: World, **columns: dict[str, Any]) -> None:
    with world.database.writing() as connection:
        for name, noted in columns.items():
            work.note(connection, name, **noted)


def test_promise_13_a_job_that_stands_still_is_an_alert(world: World, look: Look) -> None:
    note_jobs(
        world,
        sweep={"next_run_ms": ms(1), "last_success_ms": ms(0.9)},
        watching={"next_run_ms": ms(2), "last_success_ms": ms(1.99)},
    )
    look(2)
    assert {one for one in troubles(world) if one[0] == "worker_stopped"} == {("worker_stopped", "sweep")}


def test_a_worker_that_just_came_back_accuses_none_of_its_jobs(world: World, look: Look) -> None:
    away = {"next_run_ms": ms(1), "last_success_ms": ms(1)}
    note_jobs(world, sweep=away, watching=away)
    look(5)
    assert not {one for one in troubles(world) if one[0] == "worker_stopped"}


def test_promise_13_a_stale_snapshot_is_an_alert_of_its_station(world: World, look: Look) -> None:
    with world.database.writing() as connection:
        enrol(connection, "desk-2", STATION, "http://qp.example", ms(0))
        stored.note_fetch(connection, "desk-2", STATION, ms(0))
        assert stored.was_just_noted(connection, "desk-2", ms(0.1))
        assert not stored.was_just_noted(connection, "desk-2", ms(0.2))
    look(71)
    assert ("snapshot_stale", STATION) not in troubles(world)
    look(73)
    assert ("snapshot_stale", STATION) in troubles(world)
    with world.database.writing() as connection:
        people.revoke(connection, "desk-2", ms(74))
    look(75)
    assert ("snapshot_stale", STATION) in troubles(world, "resolved")


def test_looking_again_changes_nothing(world: World, look: Look) -> None:
    dead_letter(world, TEAM, 1)
    with world.database.writing() as connection:
        site = SiteRecord(site_id="x", name="x", type="filling_station", owner_id=OWNER, district=MINHANG)
        parties.put_records(connection, [site])
    look(1.1)
    with world.database.reading() as connection:
        before = alerts.listed(connection, Scope("city"), {}, 50)
    look(1.2)
    with world.database.reading() as connection:
        assert alerts.listed(connection, Scope("city"), {}, 50) == before
