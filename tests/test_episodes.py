"""Promises 2 and 3: an alert that comes back is a new episode; withdrawn, resolved and closed are three things."""

from typing import Any

import pytest
from sqlalchemy import select

from cylinder_trace.judging.handling.care import Act
from cylinder_trace.store import alerts
from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import alert_history, notice
from tests.handling import CITY, MINHANG_OFFICER, Office
from tests.world import STATION, World, checked, code, corrected, filled, licensed, registered


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def overdue(world: World, hours: float = 1) -> dict[str, Any]:
    fill = filled(code(1), hours)
    world.post([registered(code(1), valid_until="2026-01-31"), fill])
    world.judge(hours)
    return fill


def history(office: Office) -> list[tuple[str, int]]:
    with office.world.database.reading() as connection:
        statement = select(alert_history.c.became, alert_history.c.episode)
        statement = statement.where(alert_history.c.fingerprint == office.row()["fingerprint"])
        return [tuple(row) for row in connection.execute(statement.order_by(alert_history.c.transition_no))]


def told(world: World) -> list[str]:
    """Why people are told, in order; each notice counts as told at once."""
    with world.database.writing() as connection:
        connection.execute(notice.update().where(notice.c.state == "due").values(state="told"))
        order = (notice.c.transition_no, notice.c.step)
        which = select(notice.c.reason).where(notice.c.state == "told")
        return list(connection.scalars(which.order_by(*order)))


def test_promise_2_an_alert_that_comes_back_after_it_ended_is_a_new_episode_and_when_it_was_first_is_kept(
    world: World, office: Office
) -> None:
    wrong = corrected(overdue(world), 2)
    first = office.row()
    assert (first["episode"], first["first_opened_ms"]) == (1, first["opened_ms"])
    told(world)
    world.post([wrong])
    world.judge(3)
    told(world)
    world.post([corrected(wrong, 4)])
    world.judge(5)
    again = office.row()
    assert (again["status"], again["episode"]) == ("open", 2)
    assert again["first_opened_ms"] == first["first_opened_ms"] < again["opened_ms"]
    assert history(office) == [("opened", 1), ("withdrawn", 1), ("opened", 2)]
    assert told(world) == ["first", "withdrawn", "again"]


def test_promise_2_a_new_episode_starts_fresh_and_nothing_is_added_to_the_one_that_ended(
    world: World, office: Office
) -> None:
    wrong = corrected(overdue(world), 2)
    office.act("acknowledged")
    world.post([wrong])
    world.judge(3)
    before = office.log()
    world.post([corrected(wrong, 4)])
    world.judge(5)
    assert office.care().is_waiting
    assert [entry for entry in office.log() if entry["episode"] == 1] == before
    office.act("commented", why="第二次")
    assert [(entry["episode"], entry["number"]) for entry in office.log()] == [(1, 1), (2, 1)]


def test_what_a_person_closed_stays_closed_while_its_finding_is_shown_at_every_sweep(
    world: World, office: Office
) -> None:
    overdue(world, 10)
    office.act("closed", why="已封存该瓶", verdict="handled")
    for hours in (1, 2, 3):
        world.post(
            [checked("fill_check", code(1), hours)]
        )  # late: the story is told anew, with the same finding
        world.sweep(10 + hours)
        assert office.row()["status"] == "closed"
    assert history(office) == [("opened", 1), ("closed", 1)]
    with world.database.reading() as connection:
        assert list(alerts.at_odds(connection)) == []


def test_a_closed_alert_whose_finding_goes_and_comes_back_opens_again(world: World, office: Office) -> None:
    wrong = corrected(overdue(world), 2)
    office.act("closed", why="瓶不在现场", verdict="unsettled")
    world.post([wrong])
    world.judge(3)
    assert office.row()["status"] == "withdrawn"
    world.post([corrected(wrong, 4)])
    world.judge(5)
    assert (office.row()["status"], office.row()["episode"]) == ("open", 2)
    assert history(office) == [("opened", 1), ("closed", 1), ("withdrawn", 1), ("opened", 2)]


def test_a_closed_alert_that_gets_new_members_opens_as_a_new_episode(database: Database) -> None:
    world = World(database, licences=False)
    office = Office(world, "unlicensed_site")
    world.post([registered(code(1)), registered(code(2)), filled(code(1), 1)])
    world.judge(1)
    told(world)
    office.act("closed", why="正在换证", verdict="handled")
    told(world)
    world.sweep(3)
    assert office.row()["status"] == "closed"
    world.post([filled(code(2), 4)])
    world.judge(5)
    row = office.row()
    assert (row["status"], row["episode"]) == ("open", 2)
    assert told(world)[-1] == "again"
    with world.database.reading() as connection:
        # It says what the earliest of its findings says, whichever opened it again.
        earliest = alerts.earliest(connection, row["fingerprint"])
    assert earliest is not None
    assert (row["at_ms"], row["body"]) == (earliest.at_ms, earliest.body)


def test_promise_3_withdrawn_resolved_and_closed_are_three_words(world: World, office: Office) -> None:
    fill = overdue(world)
    told(world)
    office.act("closed", why="误录检验日期", verdict="false_alarm")
    assert office.row()["status"] == "closed"
    assert told(world) == ["first", "closed"]
    world.post([corrected(fill, 2)])
    world.judge(3)
    assert office.row()["status"] == "withdrawn"
    # A false alarm that turns out to be one surprises nobody.
    assert told(world) == ["first", "closed"]


def test_who_dealt_with_an_alert_is_told_when_a_late_event_explains_it_after_all(
    world: World, office: Office
) -> None:
    fill = overdue(world)
    told(world)
    office.act("closed", why="已处罚", verdict="handled")
    told(world)
    world.post([corrected(fill, 2)])
    world.judge(3)
    assert told(world) == ["first", "closed", "withdrawn"]


def test_what_was_closed_by_mistake_is_open_again_in_the_same_episode(world: World, office: Office) -> None:
    overdue(world)
    office.act("closed", why="点错", verdict="false_alarm")
    office.act("reopened", why="点错了")
    row = office.row()
    assert (row["status"], row["episode"]) == ("open", 1)
    assert history(office) == [("opened", 1), ("closed", 1), ("reopened", 1)]
    assert office.care().is_waiting


def test_what_people_do_changes_neither_findings_nor_what_alerts_say(database: Database) -> None:
    world = World(database, licences=False)
    office = Office(world, "unlicensed_site")
    world.post([registered(code(1)), filled(code(1), 1)])
    world.sweep(2)
    before = world.derived()
    kinds: tuple[Act, ...] = ("acknowledged", "commented", "closed", "reopened")
    for did in kinds:
        office.act(did, why="说明", verdict="unsettled", person=CITY)
    world.sweep(3)
    assert world.derived() == before


def test_a_licence_that_comes_late_withdraws_even_what_a_person_closed(database: Database) -> None:
    """The licence explains the fill: the closed alert is withdrawn, not open and not closed."""
    world = World(database, licences=False)
    office = Office(world, "unlicensed_site")
    world.post([registered(code(1)), filled(code(1), 1)])
    world.judge(1)
    office.act("closed", why="已核实", verdict="false_alarm", person=MINHANG_OFFICER)
    world.post([licensed(STATION)])
    world.sweep(3)
    assert office.row()["status"] == "withdrawn"
    with world.database.reading() as connection:
        assert list(alerts.at_odds(connection)) == []
