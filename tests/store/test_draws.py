"""Draws are planned first, drawn once and never changed; what a station's risk is made of is read from the record."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cylinder_trace.judging.handling.cases import Actor, Case
from cylinder_trace.judging.handling.draw import Ballot, Candidate, ballot_of, draw, seed_of
from cylinder_trace.judging.handling.risk import Facts
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.store import cases, draws, people, risk
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.cases import Entry
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.draws import DrawnAlready
from tests.world import (
    MINHANG,
    OTHER_STATION,
    SONGJIANG,
    STATION,
    World,
    code,
    filled,
    licensed,
    made,
    ms,
    registered,
    well_filled,
)

CITY = Scope("city")
BALLOT = Ballot(
    MINHANG, "节前", 1, 1, (Candidate("a", 3, points=(("base", 3),)), Candidate("b", 5)), ("li", "wang")
)
NOW_MS = ms(0) + 10 * DAY_MS


def facts(world: World, station: str = STATION, now_ms: int = NOW_MS) -> Facts:
    with world.database.reading() as connection:
        return risk.facts_of(connection, [station], world.cache.read(connection), now_ms)[station]


def visited(world: World, at_ms: int) -> None:
    with world.database.writing() as connection:
        draws.note_visit(connection, STATION, None, at_ms, "in_order", "", "li", at_ms)


def planned(database: Database) -> str:
    with database.writing() as connection:
        return draws.plan(connection, BALLOT, "指数", "li", NOW_MS)


def drawn(database: Database, plan_id: str, value: str = "42") -> None:
    with database.writing() as connection:
        draws.carry_out(connection, plan_id, seed_of(value), value, "li", NOW_MS + 1)


def test_a_draw_is_made_of_the_list_that_was_fixed_before(database: Database) -> None:
    plan_id = planned(database)
    drawn(database, plan_id)
    with database.reading() as connection:
        row = draws.one(connection, CITY, plan_id)
    assert row is not None
    assert row["ballot_sha256"] == BALLOT.sha256
    published = json.loads(json.dumps(draws.published(row)))
    assert ballot_of(published["ballot"]) == BALLOT
    assert published["result"] == [one.as_json() for one in draw(BALLOT, seed_of("42"))]


def test_nobody_draws_again_until_he_likes_what_comes(database: Database) -> None:
    plan_id = planned(database)
    drawn(database, plan_id)
    with pytest.raises(DrawnAlready):
        drawn(database, plan_id, "43")


@pytest.mark.parametrize("table", ["draw_plan", "draw", "site_visit"])
def test_what_was_drawn_or_visited_is_neither_changed_nor_removed(database: Database, table: str) -> None:
    world = World(database)
    drawn(database, planned(database))
    visited(world, NOW_MS)
    key = "visit_id" if table == "site_visit" else "plan_id"
    tries = [f"UPDATE {table} SET {key} = 'x'", f"DELETE FROM {table}"]
    if not database.is_postgresql:
        tries.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    for statement in tries:
        with pytest.raises(DBAPIError, match="append-only"), database.writing() as connection:
            connection.execute(text(statement))


def test_the_server_role_adds_draws_and_can_not_change_them(postgres_url: str) -> None:
    database = open_database(f"{postgres_url}?options=-c%20role%3Dcylinder_trace_app")
    drawn(database, planned(database))
    with pytest.raises(DBAPIError, match="permission denied"), database.writing() as connection:
        connection.execute(text("UPDATE draw SET seed = 'x'"))
    database.close()


def test_a_draw_is_read_by_its_district_and_the_city_and_by_no_station(database: Database) -> None:
    plan_id = planned(database)
    with database.reading() as connection:
        for scope, sees in (
            (CITY, True), (Scope("district", MINHANG), True),
            (Scope("district", SONGJIANG), False), (Scope("station", STATION), False),
        ):  # fmt: skip
            assert (draws.one(connection, scope, plan_id) is not None) is sees
            assert bool(draws.listed(connection, scope, 5)) is sees


def test_the_inspectors_of_a_draw_are_the_officers_of_the_district(database: Database) -> None:
    with database.writing() as connection:
        for name, role, scope in (
            ("li", "officer", MINHANG),
            ("wang", "officer", SONGJIANG),
            ("city", "city", ""),
        ):
            people.put_account(connection, name, "password-1", name, role, scope)
        assert draws.inspectors(connection, MINHANG) == {"li": "li"}


def test_the_stations_of_a_scope_are_nobody_elses(database: Database) -> None:
    world = World(database)
    with database.reading() as connection:
        reference = world.cache.read(connection)
    assert risk.stations_of(reference, CITY) == [STATION, OTHER_STATION]
    assert risk.stations_of(reference, Scope("district", SONGJIANG)) == [OTHER_STATION]
    assert risk.stations_of(reference, Scope("district", SONGJIANG), MINHANG) == []
    assert risk.stations_of(reference, Scope("station", STATION)) == [STATION]


def test_open_alerts_and_unlawful_fills_are_counted_from_the_record(database: Database) -> None:
    world = World(database)
    world.post(
        [
            registered(code(1), valid_until="2026-01-31"),
            filled(code(1), 1),
            registered(code(2)),
            *well_filled(code(2), 2),
        ]
    )
    for hours in (60, 120, 200):
        world.sweep(hours)
    found = facts(world)
    assert (found.fills, found.unlawful_fills) == (2, 1)
    assert found.open_alerts[1] >= 1
    with database.reading() as connection:
        fills = risk.unlawful_fills(connection, STATION, world.cache.read(connection), NOW_MS)
    assert [(one["code"], one["rule"]) for one in fills] == [(code(1), "fill_overdue")]
    assert facts(world, now_ms=NOW_MS + 100 * DAY_MS).unlawful_fills == 0  # 90 days back and no more
    assert facts(world, OTHER_STATION).unlawful_fills == 0


def test_a_late_rectification_counts_each_time(database: Database) -> None:
    world = World(database)
    with database.writing() as connection:
        case_id = cases.make(connection, Case("directive", "draft", MINHANG, STATION),
                             Entry("edit", Actor("li", "officer", MINHANG), "某", ms(2)), [], facts="[]", demands="")  # fmt: skip
        late = Entry("late_report", Actor("", "clock"), "", ms(3))
        assert cases.move(connection, case_id, 0, Case("directive", "issued", MINHANG, STATION), late) == 1
    assert facts(world).late_cases == (case_id,)
    assert facts(world, now_ms=NOW_MS + 400 * DAY_MS).late_cases == ()


def test_the_time_since_the_last_visit_is_that_of_the_newest(database: Database) -> None:
    world = World(database)
    assert facts(world).days_since_visit is None
    visited(world, NOW_MS - 5 * DAY_MS)
    visited(world, NOW_MS - 50 * DAY_MS)
    assert facts(world).days_since_visit == 5


def test_a_licence_on_self_declaration_is_to_be_checked_until_somebody_was_there_after_it(
    database: Database,
) -> None:
    world = World(database)
    declared = licensed(STATION, 24) | {"granted_on": "self_declaration"}
    assert facts(world).declared_licence is None
    world.post([declared])
    world.judge(25)
    assert facts(world).declared_licence == declared["event_id"]
    assert facts(world, OTHER_STATION).declared_licence is None
    visited(world, ms(20))  # before it was granted
    assert facts(world).declared_licence == declared["event_id"]
    visited(world, ms(30))
    assert facts(world).declared_licence is None


def test_a_licence_entered_by_mistake_as_self_declared_is_none_once_corrected(database: Database) -> None:
    world = World(database)
    declared = licensed(STATION, 24) | {"granted_on": "self_declaration"}
    world.post([declared, made("correct", 26, corrects=declared["event_id"], reason="did_not_occur")])
    world.judge(27)
    assert facts(world).declared_licence is None
