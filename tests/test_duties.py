"""What stations owe: records drafted from the ledger, signed once and frozen, missed ones reminded of."""

import hashlib
import json
import threading
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from cylinder_trace import audit
from cylinder_trace.contract.master import PersonRecord
from cylinder_trace.judging.handling.duties import KINDS, first_day_of, last_day_of, sha256_of, text_of
from cylinder_trace.judging.scan import local_day
from cylinder_trace.store import duties, parties
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import Database
from cylinder_trace.store.duties import NotSigned, Record
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import duty_record
from tests.duty_walk import MANAGER, OFFICER, mails, walk, with_addresses
from tests.world import (
    DEPOT,
    OTHER_STATION,
    SONGJIANG,
    STATION,
    World,
    checked,
    code,
    filled,
    licensed,
    moved,
    ms,
    registered,
    well_filled,
)

MONDAY = local_day(ms(0))
TUESDAY_MORNING = 23
"""Seven on Tuesday: Monday is over, judged, and can be signed."""
DIRECTOR = replace(MANAGER, username="m-2", name="李总监")


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def record(world: World, site: str = STATION, kind: str = "day", first_day: int = MONDAY) -> Record:
    with world.database.reading() as connection:
        found = duties.one(connection, Scope("city"), site, kind, first_day)
    assert found
    return found


def draft(world: World, kind: str = "day", first_day: int = MONDAY, site: str = STATION) -> dict[str, Any]:
    with world.database.reading() as connection:
        return duties.drafted(connection, site, kind, first_day, world.cache.read(connection))


def sign(world: World, seen: Record, hours: float, person: Person = MANAGER, remark: str = "") -> str:
    said = draft(world, seen.kind, seen.first_day, seen.site_id)
    with world.database.writing() as connection:
        reference = world.cache.read(connection)
        return duties.sign(connection, person, seen, sha256_of(text_of(said)), remark, reference, ms(hours))


# --- which records there are ----------------------------------------------------------------------------------


def test_periods_begin_on_their_day_on_monday_and_on_the_first() -> None:
    day = date(2026, 5, 6).toordinal()
    spans = {
        kind: [
            date.fromordinal(one).isoformat()
            for one in (first_day_of(kind, day), last_day_of(kind, first_day_of(kind, day)))
        ]
        for kind in KINDS
    }
    assert spans == {
        "day": ["2026-05-06", "2026-05-06"],
        "week": ["2026-05-04", "2026-05-10"],
        "month": ["2026-05-01", "2026-05-31"],
    }


def test_a_days_record_can_be_signed_from_six_on_the_next_day_and_not_before(world: World) -> None:
    walk(world, 21.5)  # half past five on Tuesday
    with world.database.reading() as connection:
        days = select(duty_record.c.first_day).where(duty_record.c.kind == "day").distinct()
        assert list(connection.scalars(days)) == [MONDAY - 1]
    walk(world, 22.1)
    assert record(world).state == "open"


def test_every_licensed_station_owes_a_record_and_one_that_does_nothing_without_a_licence_owes_none(
    database: Database,
) -> None:
    world = World(database, licences=False)
    world.post([licensed(STATION)])
    walk(world, TUESDAY_MORNING)
    with world.database.reading() as connection:
        _, rows = duties.listed(connection, Scope("city"), "open", 50)
    assert {row.site_id for row in rows} == {STATION}
    world.post([filled(code(1), 25, site_id=OTHER_STATION)])
    walk(world, TUESDAY_MORNING + 24)
    assert record(world, OTHER_STATION, first_day=MONDAY + 1).state == "open"


def test_days_that_passed_while_nothing_ran_are_owed_when_it_runs_again(world: World) -> None:
    walk(world, TUESDAY_MORNING)
    walk(world, TUESDAY_MORNING + 5 * 24)
    with world.database.reading() as connection:
        _, rows = duties.listed(connection, Scope("station", STATION), "open", 50)
    assert [row.first_day - MONDAY for row in rows if row.kind == "day"] == [0, 1, 2, 3, 4, 5]
    assert walk(world, TUESDAY_MORNING + 5 * 24)["owed"] == 0


# --- what a draft says ----------------------------------------------------------------------------------------


def test_a_draft_counts_what_the_ledger_shows_of_the_day(world: World) -> None:
    failed = checked("fill_check", code(2), 3, result="fail", items_failed=["瓶体"])
    there = [moved("receive", code(1), 0.5, DEPOT, STATION), moved("ship", code(1), 5, STATION, DEPOT)]
    world.post([registered(code(1)), registered(code(2)), *well_filled(code(1), 1), failed, *there])
    walk(world, TUESDAY_MORNING)
    said = draft(world)
    shown = {name: number for name, number in said["numbers"].items() if number}
    assert shown == {
        "fills": 1,
        "checks": 2,
        "failed_checks": 1,
        "post_checks": 1,
        "taken_in": 1,
        "sent_out": 1,
    }
    assert not said["zero_risk"]


def test_a_day_on_which_nothing_was_found_is_recorded_as_a_zero_risk_report(world: World) -> None:
    walk(world, TUESDAY_MORNING)
    said = draft(world)
    assert said["zero_risk"]
    assert said["active_days"] == 0
    sign(world, record(world), TUESDAY_MORNING)
    signed = record(world).signed
    assert signed
    assert signed["record"]["zero_risk"]


def test_a_draft_names_the_days_alerts_with_what_became_of_them(world: World) -> None:
    world.post([registered(code(1), valid_until="2026-01-31"), *well_filled(code(1), 1)], ms(2))
    walk(world, TUESDAY_MORNING)
    (alert,) = draft(world)["alerts"]
    assert (alert["rule"], alert["severity"], alert["status"]) == ("fill_overdue", 1, "open")
    assert draft(world)["alerts_by_status"] == {"open": 1}
    assert not draft(world, site=OTHER_STATION)["alerts"]


def test_numbers_that_a_device_skipped_are_in_the_draft(world: World) -> None:
    scans = [
        checked("fill_check", code(1), 1 + n % 10 / 10, device_seq=n) for n in (100_001, 100_002, 100_006)
    ]
    world.post([registered(code(1)), *scans])
    walk(world, TUESDAY_MORNING)
    assert draft(world)["missing_numbers"] == {"gun-1": 3}
    assert not draft(world)["zero_risk"]


def test_a_draft_names_certificates_that_run_out_and_only_one_that_has_is_a_finding(world: World) -> None:
    def certified(until: date) -> None:
        person = PersonRecord(person_id="p-1", role="filler", site_id=STATION, certificate_no="Z-1",
                              certificate_valid_until=until)  # fmt: skip
        with world.database.writing() as connection:
            parties.put_records(connection, [person])

    certified(date(2026, 5, 20))
    walk(world, TUESDAY_MORNING)
    assert draft(world)["certificates"] == [{"person_id": "p-1", "role": "filler", "until": "2026-05-20"}]
    assert draft(world)["zero_risk"]
    certified(date(2026, 5, 1))
    assert not draft(world)["zero_risk"]


def test_a_weekly_report_sums_its_days_and_names_those_that_nobody_signed(world: World) -> None:
    walk(world, TUESDAY_MORNING)
    world.post(
        [registered(code(1)), registered(code(2)), *well_filled(code(1), 1), *well_filled(code(2), 49)]
    )
    sign(world, record(world), TUESDAY_MORNING)
    walk(world, TUESDAY_MORNING + 6 * 24)
    said = draft(world, "week", MONDAY)
    assert said["numbers"]["fills"] == 2
    assert said["active_days"] == 2
    assert [int(one.split(":")[1]) - MONDAY for one in said["unsigned"]] == [1, 2, 3, 4, 5, 6]


# --- signing --------------------------------------------------------------------------------------------------


def test_a_signed_record_keeps_who_signed_as_what_and_when_under_its_hash(world: World) -> None:
    walk(world, TUESDAY_MORNING)
    digest = sign(world, record(world), TUESDAY_MORNING, remark="已复核")
    kept = record(world)
    assert (kept.state, kept.sha256, kept.signed_ms) == ("signed", digest, ms(TUESDAY_MORNING))
    assert kept.content
    assert hashlib.sha256(kept.content.encode()).hexdigest() == digest
    assert json.loads(kept.content)["signed"] == {
        "username": "m-1",
        "name": "张安全",
        "as": "安全员",
        "at": "2026-05-05T07:00:00+08:00",
    }
    assert json.loads(kept.content)["remark"] == "已复核"


def test_what_was_signed_can_not_be_changed_and_an_audit_would_find_it(world: World) -> None:
    walk(world, TUESDAY_MORNING)
    sign(world, record(world), TUESDAY_MORNING)
    change = text("UPDATE duty_signature SET content = replace(content, '张安全', '李四')")
    with pytest.raises(DBAPIError, match="append-only"), world.database.writing() as connection:
        connection.execute(change)
    assert not list(audit.run(world.database, world.cache))
    guard = (
        "duty_signature_refuses_update"
        if not world.database.is_postgresql
        else "duty_signature_refuses_change"
    )
    where = " ON duty_signature" if world.database.is_postgresql else ""
    with world.database.writing() as connection:
        connection.execute(text(f"DROP TRIGGER {guard}{where}"))
        connection.execute(change)
    (found,) = audit.run(world.database, world.cache)
    assert "its content is not what was signed" in found


def test_a_late_event_changes_no_signed_record_and_a_note_says_what_came(world: World) -> None:
    from cylinder_trace.judging.handling.duties import since_signed

    world.post([registered(code(1)), *well_filled(code(1), 1)])
    walk(world, TUESDAY_MORNING)
    sign(world, record(world), TUESDAY_MORNING)
    before = record(world)
    world.post([registered(code(2), valid_until="2026-01-31"), *well_filled(code(2), 2)], ms(30))
    walk(world, 40)
    after = record(world)
    assert (after.content, after.sha256) == (before.content, before.sha256)
    assert after.signed
    found = {
        (one.what, one.name): (one.was, one.now) for one in since_signed(after.signed["record"], draft(world))
    }
    assert found["number", "fills"] == ("1", "2")
    assert found["alert", "fill_overdue"] == ("", "open")


def test_of_two_people_who_sign_at_once_one_is_told_that_the_other_was_quicker(world: World) -> None:
    walk(world, TUESDAY_MORNING)
    seen = record(world)
    start, outcomes = threading.Barrier(2), []

    def try_to(person: Person) -> None:
        start.wait()
        try:
            outcomes.append(sign(world, seen, TUESDAY_MORNING, person))
        except NotSigned as error:
            outcomes.append(error.word)

    people = [threading.Thread(target=try_to, args=(one,)) for one in (MANAGER, DIRECTOR)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert outcomes.count("quicker") == 1
    assert record(world).sha256 in outcomes
    assert record(world).version == 1


def test_a_draft_that_changed_while_it_was_read_is_not_signed(world: World) -> None:
    walk(world, TUESDAY_MORNING)
    seen, said = record(world), draft(world)
    world.post([registered(code(1)), *well_filled(code(1), 1)], ms(TUESDAY_MORNING))
    walk(world, TUESDAY_MORNING + 1)
    with pytest.raises(NotSigned, match="changed"), world.database.writing() as connection:
        reference = world.cache.read(connection)
        duties.sign(connection, MANAGER, seen, sha256_of(text_of(said)), "", reference, ms(24))
    assert record(world).state == "open"


@pytest.mark.parametrize(
    "person",
    [OFFICER, replace(MANAGER, role="operator"), replace(MANAGER, scope=Scope("station", OTHER_STATION))],
    ids=["an officer", "an operator", "another station's manager"],
)
def test_nobody_but_the_stations_own_manager_signs(world: World, person: Person) -> None:
    walk(world, TUESDAY_MORNING)
    with pytest.raises(NotSigned, match="not_yours"):
        sign(world, record(world), TUESDAY_MORNING, person)


def test_a_scope_reads_its_own_records_only(world: World) -> None:
    walk(world, TUESDAY_MORNING)
    with world.database.reading() as connection:
        for scope, sites in (
            (Scope("city"), {STATION, OTHER_STATION}),
            (Scope("district", SONGJIANG), {OTHER_STATION}),
            (Scope("station", STATION), {STATION}),
        ):
            _, rows = duties.listed(connection, scope, "open", 50)
            assert {row.site_id for row in rows} == sites
            assert {site for site, _, _ in duties.lacking(connection, scope, ms(1000))} == sites
        assert duties.one(connection, Scope("district", SONGJIANG), STATION, "day", MONDAY) is None


# --- reminders ------------------------------------------------------------------------------------------------


@pytest.fixture
def reached(world: World) -> World:
    return with_addresses(world)


def test_an_unsigned_record_is_reminded_of_at_its_station_once_and_then_in_its_district(
    reached: World,
) -> None:
    """Monday's, which was to be signed by the end of Tuesday."""

    def told() -> list[tuple[str, str]]:
        line = "station-1 点：2026-05-04 日管控记录，由安全员签署，期限 2026-05-05"
        return [(address, subject) for address, subject, text in mails(reached) if line in text]

    walk(reached, TUESDAY_MORNING)
    walk(reached, 48.9)  # before nine on Wednesday
    assert not mails(reached)
    walk(reached, 49.1)
    walk(reached, 50.1)
    at_station = ("safety@station-1.example.cn", "station-1 点有 1 份记录逾期未签")
    assert told() == [at_station]
    walk(reached, 49.1 + 71)
    assert told() == [at_station]
    walk(reached, 49.1 + 72)
    walk(reached, 49.1 + 96)
    assert told() == [at_station, ("minhang@example.cn", "1 家充装站有 1 份记录逾期未签，已催签")]


def test_after_a_standstill_a_station_still_has_its_days_before_the_district_is_told(reached: World) -> None:
    walk(reached, TUESDAY_MORNING)
    walk(reached, 400)
    assert {address for address, _, _ in mails(reached)} == {"safety@station-1.example.cn"}
    walk(reached, 471)
    assert "minhang@example.cn" not in {address for address, _, _ in mails(reached)}
    walk(reached, 472)
    assert "minhang@example.cn" in {address for address, _, _ in mails(reached)}


def test_nobody_is_reminded_of_a_record_that_is_signed(reached: World) -> None:
    walk(reached, TUESDAY_MORNING)
    with reached.database.reading() as connection:
        _, rows = duties.listed(connection, Scope("station", STATION), "open", 50)
    for one in rows:
        sign(reached, one, TUESDAY_MORNING)
    with reached.database.writing() as connection:
        assert not [one for one in duties.to_remind(connection, ms(5000), 50) if one.site_id == STATION]
