"""Who takes a record back, and with whose device: what a site declares wrong, and what only an office may."""

from contextlib import closing
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from cylinder_trace import audit, replay
from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.enrolment import enrol
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import put_records
from cylinder_trace.store.tables import alert
from tests.world import (
    DEVICE,
    MONDAY_MS,
    OTHER_STATION,
    STATION,
    World,
    checked,
    code,
    corrected,
    filled,
    made,
    ms,
    registered,
    well_filled,
)


def enrolled(world: World, device: str, *, is_office: bool = False) -> None:
    with world.database.writing() as connection:
        enrol(connection, device, STATION, "http://localhost", MONDAY_MS, is_office=is_office)


def by_device(messages: list[dict[str, Any]], device: str = DEVICE) -> list[dict[str, Any]]:
    return [one | {"device_id": device} for one in messages]


@pytest.mark.parametrize("is_judged_between", [True, False])
def test_a_station_can_not_take_back_the_fill_that_a_grave_alert_rests_on(
    database: Database, is_judged_between: bool
) -> None:
    """It would silence its own alert: an office looks at it first, however soon the station was."""
    world = World(database)
    enrolled(world, DEVICE)
    enrolled(world, "desk-1", is_office=True)
    unlawful, lawful = filled(code(1), 1), filled(code(2), 1)
    world.post([registered(code(1), valid_until="2026-01-31"), registered(code(2)), unlawful, lawful], ms(1))
    if is_judged_between:
        world.judge(1)
    own = by_device([corrected(one, 2) for one in (unlawful, lawful)])
    assert world.post(own, ms(2), DEVICE).stored == 2
    world.sweep(3)
    assert world.alerts() == {("fill_overdue", code(1)), ("no_precheck", code(1))}
    assert not list(audit.run(world.database, world.cache))
    world.post(by_device([corrected(unlawful, 4)], "desk-1"), ms(4), "desk-1", is_office=True)
    world.sweep(5)
    assert world.alerts() == set()
    assert ("fill_overdue", code(1)) in world.alerts("withdrawn")


def test_a_correction_that_names_no_cylinder_takes_no_grave_alert_back_either(database: Database) -> None:
    world = World(database)
    enrolled(world, DEVICE)
    fill = filled(code(1), 1)
    world.post([registered(code(1), valid_until="2026-01-31"), fill], ms(1))
    unnamed = {name: its for name, its in corrected(fill, 2).items() if name != "cylinder_code"}
    world.post(by_device([unnamed]), ms(2), DEVICE)
    world.sweep(3)
    assert ("fill_overdue", code(1)) in world.alerts()
    assert not list(audit.run(world.database, world.cache))
    found_anew = [
        one for its in replay.findings(database, replay.Question(ms(3)), processes=1) for one, _ in its
    ]
    assert "fill_overdue" in {one.rule for one in found_anew}


def test_a_station_can_not_take_back_the_failed_check_that_accuses_its_fill(database: Database) -> None:
    """Of a bottle that was checked again and passed the failed check says nothing."""
    world = World(database)
    enrolled(world, DEVICE)
    checks = [checked("fill_check", code(one), 1, result="fail") for one in (1, 2)]
    again = checked("fill_check", code(2), 1.1)
    world.post([registered(code(1)), registered(code(2)), *checks, again], ms(1.1))
    world.post(by_device([corrected(one, 1.2) for one in checks]), ms(1.2), DEVICE)
    world.post([filled(code(1), 1.3), filled(code(2), 1.3)], ms(1.3))
    world.sweep(1.4)
    assert world.alerts() == {("fill_after_failed_check", code(1))}


def test_a_device_that_is_enrolled_later_is_seen_at_another_site_from_then_on(database: Database) -> None:
    world = World(database)
    seen = [made("observe", hours, cylinder_code=code(1), device_id="handheld") for hours in (-1, 1)]
    world.post([registered(code(1)), *seen], ms(2))
    world.sweep(2)
    assert world.alerts() == set()
    with database.writing() as connection:
        enrol(connection, "handheld", OTHER_STATION, "http://localhost", ms(0))
    world.sweep(3)
    assert world.alerts() == {("foreign_gun", STATION)}
    with database.reading() as connection:
        assert connection.scalar(select(alert.c.at_ms).where(alert.c.rule == "foreign_gun")) == ms(1)


def test_an_offices_device_is_at_home_at_every_site(database: Database) -> None:
    world = World(database)
    enrolled(world, "desk-1", is_office=True)
    elsewhere = made("observe", 1, cylinder_code=code(1), device_id="desk-1", site_id=OTHER_STATION)
    world.post([registered(code(1)), elsewhere], ms(2))
    world.sweep(2)
    assert world.alerts() == set()


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_what_a_station_takes_back_stands_in_whatever_order_it_comes(
    sqlite_url: str, order: tuple[int, ...]
) -> None:
    """The correction itself may be declared wrong; then there is nothing to stand against."""
    with closing(open_database(sqlite_url)) as database:
        world = World(database)
        enrolled(world, DEVICE)
        fill = filled(code(1), 1)
        (wrong,) = by_device([corrected(fill, 2)])
        events = [
            registered(code(1), valid_until="2026-01-31"),
            fill,
            wrong,
            *by_device([corrected(wrong, 3)]),
        ]
        for number, one in enumerate(order, start=4):
            # As an import, which may bring a correction before its event.
            world.post([events[one]], ms(number))
            world.judge(number)
            if set(order[: number - 3]) == {0, 1, 2}:
                assert ("fill_overdue", code(1)) in world.alerts()
        world.sweep(8)
        assert world.alerts() == {("fill_overdue", code(1)), ("no_precheck", code(1))}
        assert not list(audit.run(database, world.cache))


def test_an_inspection_by_a_place_on_no_register_counts_once_it_is_registered_as_an_agency(
    database: Database,
) -> None:
    world = World(database)
    passed = made(
        "inspect", 1, cylinder_code=code(1), site_id="agency-9", result="pass", valid_until="2029-04-30"
    )
    world.post([registered(code(1), valid_until="2026-01-31"), passed, *well_filled(code(1), 3)], ms(4))
    world.sweep(4)
    assert {"fill_overdue", "inspection_inconsistent"} <= {rule for rule, _ in world.alerts()}
    agency = SiteRecord(site_id="agency-9", name="检验站", type="inspection_agency", district="310112")
    with database.writing() as connection:
        put_records(connection, [agency])
    world.sweep(5)
    assert not {"fill_overdue", "inspection_inconsistent"} & {rule for rule, _ in world.alerts()}
