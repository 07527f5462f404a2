"""Sites' days are judged when they are over, again when something late touches them, and silence by the calendar."""

from typing import Any

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import select

from cylinder_trace import site_days, sweep
from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.judging.days import SiteDay
from cylinder_trace.judging.handling.routing import Recipient
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.tally import Tally
from cylinder_trace.store import days, ledger, notices, parties, recipients
from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import (
    alert,
    device_heard,
    finding,
    notice,
    site_day,
    touched_city_day,
    touched_day,
)
from tests.world import (
    CUSTOMERS,
    DEPOT,
    MINHANG,
    OWNER,
    STATION,
    World,
    code,
    corrected,
    filled,
    made,
    moved,
    ms,
    registered,
)

MONDAY = local_day(ms(0))
NIGHT = 15.5
"""23:30 on Monday; the test station is open from six to nine in the evening."""


@pytest.fixture
def world(database: Database) -> World:
    world = World(database)
    opens(world, "06:00", "21:00")
    return world


def opens(world: World, opens_at: str, closes_at: str) -> None:
    station = SiteRecord(site_id=STATION, name="station-1 点", type="filling_station", owner_id=OWNER,
                         district=MINHANG, opens=opens_at, closes=closes_at)  # fmt: skip
    with world.database.writing() as connection:
        parties.put_records(connection, [station])


def night_fills(number: int, start: float = NIGHT) -> list[dict[str, Any]]:
    return [filled(code(one), start + one / 100) for one in range(1, number + 1)]


def told(world: World, events: list[dict[str, Any]], hours: float) -> None:
    world.post(events, ms(hours))
    world.judge(hours)


def found(world: World) -> set[str]:
    days = {"night_fill", "station_burst", "silent_station", "fill_too_fast"}
    return {rule for rule, _ in world.alerts() if rule in days}


def tallies(world: World) -> dict[tuple[str, int], Tally]:
    with world.database.reading() as connection:
        return {
            (row.site_id, row.day): Tally.restored(row.tally) for row in connection.execute(select(site_day))
        }


def test_a_running_day_is_judged_some_hours_after_it_ended(world: World) -> None:
    told(world, night_fills(5), 15.7)
    world.sweep(18.9)
    assert found(world) == set()
    assert tallies(world) == {}
    world.sweep(19.1)
    assert found(world) == {"night_fill"}
    assert tallies(world)[STATION, MONDAY].fills == 5


def test_a_late_scan_touches_the_day_it_was_made_on(world: World) -> None:
    told(world, night_fills(3), 15.7)
    world.sweep(19.1)
    assert found(world) == set()
    told(world, [filled(code(9), NIGHT + 0.2)], 40)
    world.sweep(40)
    assert found(world) == set()
    world.sweep(40.2)
    assert found(world) == {"night_fill"}
    assert tallies(world)[STATION, MONDAY].fills == 4


def test_a_correction_touches_the_day_of_what_it_corrects(world: World) -> None:
    fills = night_fills(4)
    told(world, fills, 15.7)
    world.sweep(19.1)
    assert found(world) == {"night_fill"}
    told(world, [corrected(fills[0], 30)], 30)
    world.sweep(30.2)
    assert found(world) == set()
    assert ("night_fill", STATION) in world.alerts("withdrawn")


def test_what_waits_to_be_judged_is_not_part_of_a_day(world: World) -> None:
    told(world, night_fills(3), 15.7)
    world.post([filled(code(9), NIGHT + 0.2)], ms(15.8))
    with world.database.writing() as connection:
        waiting = ledger.waiting(connection, ms(16), 10)
        ledger.put_off(connection, waiting[0], ms(19), "for the test")
    world.sweep(19.01)
    assert tallies(world)[STATION, MONDAY].fills == 3


def test_a_night_over_midnight_is_one_night(world: World) -> None:
    told(world, [*night_fills(3), *night_fills(6, 16.5)[3:]], 17)
    world.sweep(19.1)
    assert found(world) == set()
    world.sweep(43.1)
    assert found(world) == {"night_fill"}


def test_evidence_of_a_cylinder_told_anew_touches_the_day_it_lies_on(world: World) -> None:
    register = [registered(code(one)) for one in range(1, 7)]
    twice = [filled(code(one), hours) for one in range(1, 7) for hours in (1 + one / 10, 3 + one / 10)]
    told(world, [*register, *twice], 4)
    world.sweep(19.1)
    assert "station_burst" in found(world)
    assert tallies(world)[STATION, MONDAY].double_fills == 6
    # Late scans of the depot explain two of them; nothing new happened at the station, and nothing there is a gap.
    away = [moved("deliver", code(one), 1.5 + one / 10, STATION, CUSTOMERS[0]) for one in (1, 2)]
    back = [moved("return", code(one), 2 + one / 10, CUSTOMERS[0], STATION) for one in (1, 2)]
    late = [one | {"site_id": DEPOT} for one in (*away, *back)]
    told(world, late, 50)
    world.sweep(50.2)
    assert tallies(world)[STATION, MONDAY].double_fills == 4
    assert "station_burst" not in found(world)


def test_a_gap_touches_the_days_of_the_site_it_begins_at_and_the_one_it_ends_at(world: World) -> None:
    told(world, [registered(code(1)), filled(code(1), 1)], 1.1)
    world.sweep(19.1)
    assert tallies(world)[STATION, MONDAY].jumps_out == 0
    told(world, [made("observe", 3, cylinder_code=code(1), site_id=DEPOT)], 30)
    world.sweep(30.2)
    assert tallies(world)[STATION, MONDAY].jumps_out == 1
    assert tallies(world)[DEPOT, MONDAY].jumps_in == 1


def test_a_silence_is_noticed_by_the_calendar(world: World) -> None:
    for day in range(10):
        told(world, [made("observe", day * 24 + 1, cylinder_code=code(1))], day * 24 + 1.1)
        world.sweep(day * 24 + 19.1)
    assert found(world) == set()
    world.sweep(12 * 24 + 18.9)
    assert found(world) == set()
    world.sweep(12 * 24 + 19.1)
    assert found(world) == {"silent_station"}


def test_a_silence_that_was_no_silence_is_withdrawn(world: World) -> None:
    for day in range(10):
        told(world, [made("observe", day * 24 + 1, cylinder_code=code(1))], day * 24 + 1.1)
    world.sweep(14 * 24)
    assert found(world) == {"silent_station"}
    late = [made("observe", day * 24 + 1, cylinder_code=code(1)) for day in range(10, 14)]
    told(world, late, 14 * 24 + 1)
    world.sweep(14 * 24 + 1.2)
    assert found(world) == set()


def test_opening_hours_that_are_put_right_change_what_a_night_shows(world: World) -> None:
    told(world, night_fills(5), 15.7)
    world.sweep(19.1)
    assert found(world) == {"night_fill"}
    opens(world, "00:00", "24:00")
    world.sweep(20)
    assert found(world) == set()


def test_a_customer_has_no_days(world: World) -> None:
    told(world, [made("observe", 1, cylinder_code=code(1), site_id="customer-1")], 1.1)
    with world.database.reading() as connection:
        assert connection.execute(select(touched_day)).all() == []


def test_a_day_that_can_not_be_judged_stands_in_no_others_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(world, [*night_fills(5), made("observe", 1, cylinder_code=code(1), site_id=DEPOT)], 15.7)

    def fails_at_the_depot(site_day: SiteDay, reference: Reference) -> Tally | None:
        if site_day.site == DEPOT:
            raise ValueError("for the test")
        return honest(site_day, reference)

    honest = site_days.tallied  # type: ignore[attr-defined]
    monkeypatch.setattr(site_days, "tallied", fails_at_the_depot)
    assert world.sweep(19.1)["failed"] == 1
    assert found(world) == {"night_fill"}
    monkeypatch.undo()
    world.sweep(19.3)
    assert (DEPOT, MONDAY) in tallies(world)


def test_days_that_do_not_change_have_nothing_judged_again(world: World) -> None:
    told(world, night_fills(5), 15.7)
    world.sweep(19.1)
    with world.database.writing() as connection:
        rows = [{"site_id": STATION, "day": MONDAY, "due_ms": 0}]
        connection.execute(touched_day.insert(), rows)
    assert world.sweep(19.2)["days"] == 1
    with world.database.reading() as connection:
        # The chain waits for tomorrow.
        assert list(connection.scalars(select(touched_city_day.c.day))) == [MONDAY + 1]


def test_a_day_dated_ahead_is_judged_once_it_is_over_though_the_register_was_changed_before(
    world: World,
) -> None:
    world.post([filled(code(1), 20)], ms(1))
    opens(world, "07:00", "20:00")
    world.sweep(2)
    assert tallies(world) == {}
    world.sweep(48)
    assert set(tallies(world)) == {(STATION, MONDAY + 1)}


def test_city_days_that_are_over_are_looked_at_together_for_their_windows_overlap(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, int]] = []
    honest = days.tallies

    def noted(connection: Any, first: int, last: int) -> Any:
        read.append((first, last))
        return honest(connection, first, last)

    monkeypatch.setattr(days, "tallies", noted)
    told(world, [filled(code(1), 2)], 3)
    world.sweep(24 * 10)
    assert [last - MONDAY for _, last in read] == [0, 9]


def test_how_far_a_device_was_heard_is_kept_whatever_the_order(world: World) -> None:
    scans = [made("observe", hours, cylinder_code=code(1), site_id=DEPOT) for hours in (1, 5, 3)]
    for one in scans:
        world.post([one], ms(6))
    world.post(scans[:1], ms(7))
    with world.database.reading() as connection:
        (row,) = connection.execute(select(device_heard)).all()
    assert (row.last_occurred_ms, row.last_received_ms) == (ms(5), ms(6))
    assert row.last_seq == max(one["device_seq"] for one in scans)


def test_looking_at_a_day_asks_as_much_in_a_large_ledger_as_in_a_small_one(world: World) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    def statements(day: int) -> int:
        told(world, [filled(code(1), day * 24 + 2 + one / 10) for one in range(3)], day * 24 + 3)
        asked.clear()
        sweep.run(world.database, world.cache, ms(day * 24 + 19.1))
        return len(asked)

    sql_event.listen(world.database.engine, "before_cursor_execute", note)
    first = [statements(day) for day in range(3)]
    for day in range(3, 20):
        statements(day)
    assert max(statements(day) for day in range(20, 23)) <= max(first) + 5


def test_every_finding_of_a_day_names_its_events(world: World) -> None:
    told(world, night_fills(5), 15.7)
    world.sweep(19.1)
    with world.database.reading() as connection:
        rows = connection.execute(select(finding).where(finding.c.rule == "night_fill")).all()
    assert {row.unit for row in rows} == {f"day:{STATION}:{MONDAY}"}
    assert len(rows) == 5


def due_at(world: World, *hours: float) -> list[bool]:
    """Whether anything is to be told at each of these hours."""
    with world.database.writing() as connection:
        recipients.put(connection, Recipient("team@example.org", MINHANG, "闵行执法队"))
        return [bool(notices.due(connection, ms(at), 10)) for at in hours]


def filled_twice_while_a_handheld_is_silent(world: World, heard_again: float | None = None) -> None:
    told(world, [registered(code(1)), made("observe", 1, cylinder_code=code(2), device_id="handheld")], 1)
    told(world, [filled(code(1), 2), filled(code(1), 8), made("observe", 9, cylinder_code=code(3))], 9)
    if heard_again is not None:
        scan = made("observe", heard_again, cylinder_code=code(2), device_id="handheld")
        told(world, [scan], heard_again)
    with world.database.writing() as connection:
        others = notice.c.fingerprint.not_in(select(alert.c.fingerprint).where(alert.c.rule == "double_fill"))
        connection.execute(notice.delete().where(others))


def test_what_rests_on_absence_waits_while_a_device_of_the_site_is_silent(world: World) -> None:
    filled_twice_while_a_handheld_is_silent(world)
    assert due_at(world, 9 + 50, 9 + 71.9, 9 + 72.1) == [False, False, True]


def test_it_waits_no_longer_once_the_device_was_heard(world: World) -> None:
    filled_twice_while_a_handheld_is_silent(world, heard_again=20)
    assert due_at(world, 9 + 47, 9 + 50) == [False, True]
