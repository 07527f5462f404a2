"""The figures as they come out of the record, for whom they are, on either database."""

from typing import Any

from sqlalchemy import select

from cylinder_trace import acting
from cylinder_trace.acting import Wish
from cylinder_trace.judging.handling.cases import Actor, Case, Deed, follow
from cylinder_trace.judging.handling.kpi import Facts, Period, Share, figures
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.store import cases
from cylinder_trace.store import figures as rows
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.cases import Entry
from cylinder_trace.store.database import Database
from cylinder_trace.store.handling import Looked
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import alert
from tests.world import MINHANG, SONGJIANG, STATION, World, code, corrected, filled, ms, registered

PERIOD = Period(ms(-1), ms(-1) + 30 * DAY_MS, ms(0) + 20 * DAY_MS)
OFFICER = Actor("minhang", "officer", MINHANG)
CITY = Scope("city")
OTHER = Actor("minhang-2", "officer", MINHANG)
MANAGER = Actor("boss", "manager", STATION)


def facts(world: World, scope: Scope = CITY, period: Period = PERIOD) -> Facts:
    with world.database.reading() as connection:
        return rows.facts(connection, scope, period, world.cache.read(connection))


def overdue(world: World, number: int, hours: float = 1) -> tuple[str, dict[str, Any]]:
    """An overdue fill; gives its alert and the fill."""
    fill = filled(code(number), hours)
    world.post([registered(code(number), valid_until="2026-01-31"), fill])
    world.judge(hours)
    with world.database.reading() as connection:
        which = select(alert.c.fingerprint).where(
            alert.c.subject == code(number), alert.c.rule == "fill_overdue"
        )
        return str(connection.scalars(which).one()), fill


def only(world: World, rule: str, scope: Scope = CITY) -> Facts:
    """What is of one rule: a fill without its checks shows others as well."""
    its = facts(world, scope)
    return Facts(
        its.period,
        [one for one in its.episodes if one.rule == rule],
        its.directives,
        its.visits,
        its.cylinders,
    )


def act(world: World, fingerprint: str, version: int, wish: Wish, hours: float) -> None:
    person = Person("minhang", "某", "officer", Scope("district", MINHANG))
    with world.database.writing() as connection:
        acting.act(
            connection, person, fingerprint, Looked(1, version), wish, world.cache.read(connection), ms(hours)
        )


def step(
    world: World, case_id: int, version: int, actor: Actor, name: str, hours: float, **more: Any
) -> None:
    with world.database.writing() as connection:
        row = cases.one(connection, Scope("district", MINHANG), case_id)
        assert row is not None
        deed = Deed(name, actor, ms(hours), **more)
        after = follow(cases.case_of(row), deed, world.cache.read(connection))
        issued = {"issued_ms": ms(hours)} if name == "issue" else {}
        assert cases.move(
            connection, case_id, version, after, Entry(name, actor, "某", ms(hours), "why"), **issued
        )


def test_what_people_did_about_alerts_is_in_the_figures(database: Database) -> None:
    world = World(database)
    first, second, third = (overdue(world, number) for number in (1, 2, 3))
    act(world, first[0], 0, Wish("acknowledged"), 3)
    act(world, first[0], 1, Wish("closed", why="已整改", verdict="handled"), 25)
    act(world, second[0], 0, Wish("closed", why="误报", verdict="false_alarm"), 5)
    world.post([corrected(third[1], 6)])
    world.judge(6)
    found = figures(only(world, "fill_overdue"))
    assert (found.alerts, found.withdrawn, found.open) == (3, 1, 0)
    assert found.false_alarms == Share(1, 2)  # the withdrawn one is none
    assert found.closure == Share(2, 2)
    assert found.medians_h == {"acknowledge": (2.0, 1), "close": (14.0, 2)}
    assert found.load == round(3 / 0.003 / 20.0416667, 4)


def test_an_alert_opened_again_by_a_person_is_open_in_the_figures(database: Database) -> None:
    world = World(database)
    fingerprint, _ = overdue(world, 1)
    act(world, fingerprint, 0, Wish("closed", why="误报", verdict="false_alarm"), 5)
    act(world, fingerprint, 1, Wish("reopened", why="看错"), 6)
    found = figures(only(world, "fill_overdue"))
    assert (found.open, found.false_alarms) == (1, Share(0, 0))


def test_a_directive_counts_with_the_deadline_that_stood_at_each_step(database: Database) -> None:
    world = World(database)
    fingerprint, _ = overdue(world, 1)
    with database.writing() as connection:
        due = PERIOD.from_ms + 5 * DAY_MS
        draft = Case("directive", "draft", MINHANG, STATION, due_ms=due)
        case_id = cases.make(
            connection, draft, Entry("edit", OFFICER, "某", ms(2)), [(fingerprint, 1)], facts="[]", demands=""
        )
    assert figures(facts(world)).directives == 0  # a draft is none yet
    step(world, case_id, 0, OFFICER, "issue", 3)
    step(world, case_id, 1, MANAGER, "report", 27, why="done")
    step(world, case_id, 2, OTHER, "pass", 51, why="seen")
    found = figures(facts(world))
    assert (found.directives, found.rectification, found.on_time) == (1, Share(1, 1), Share(1, 1))
    assert found.recheck_on_time == Share(1, 1)
    assert {step: found.medians_h[step][0] for step in ("issue", "rectify", "recheck")} == {
        "issue": 2.0, "rectify": 24.0, "recheck": 24.0
    }  # fmt: skip


def test_a_verdict_on_the_case_is_one_on_its_alerts(database: Database) -> None:
    world = World(database)
    fingerprint, _ = overdue(world, 1)
    with database.writing() as connection:
        case_id = cases.make(
            connection, Case("directive", "draft", MINHANG, STATION), Entry("edit", OFFICER, "某", ms(2)),
            [(fingerprint, 1)], facts="[]", demands="",
        )  # fmt: skip
        cases.settle(connection, case_id, "false_alarm")
    assert figures(only(world, "fill_overdue")).false_alarms == Share(1, 1)


def test_nobody_reads_the_figures_of_another_scope(database: Database) -> None:
    world = World(database)
    overdue(world, 1)
    assert only(world, "fill_overdue", Scope("district", MINHANG)).episodes
    for scope in (Scope("district", SONGJIANG), Scope("station", "station-2")):
        theirs = facts(world, scope)
        assert not theirs.episodes
        assert sum(theirs.cylinders.values()) == 0


def test_what_opened_outside_the_period_is_not_in_it(database: Database) -> None:
    world = World(database)
    overdue(world, 1)
    assert not facts(world, period=Period(ms(2), ms(50), ms(50))).episodes
    assert not facts(world, period=Period(ms(-50), ms(1), ms(50))).episodes
    assert facts(world, period=Period(ms(1), ms(1) + 1, ms(50))).episodes
