"""The sweep finds what time, a late paper or the network of movements brings to light, and nothing twice."""

import pytest
from sqlalchemy import func, select

from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import alert_history, notice
from tests.world import (
    CUSTOMERS,
    DEPOT,
    FAR_CUSTOMER,
    OTHER_STATION,
    OWNER,
    STATION,
    World,
    agreed,
    checked,
    code,
    corrected,
    filled,
    licensed,
    made,
    moved,
    registered,
    well_filled,
)


def test_a_missing_check_is_found_when_a_day_has_passed(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), checked("fill_check", code(1), 0.9), filled(code(1), 1)])
    world.sweep(24.9)
    assert world.alerts() == set()
    assert world.sweep(25.1) == {"events": 0, "cylinders": 1, "sites": 0}
    assert world.alerts() == {("no_postcheck", code(1))}


def test_an_agreement_that_arrives_late_withdraws_the_foreign_fill(database: Database) -> None:
    world = World(database)
    fill = filled(code(1), 1, site_id=OTHER_STATION)
    world.post([registered(code(1)), fill])
    world.sweep(1.1)
    assert world.alerts() == {("foreign_fill", code(1))}
    world.post([agreed(OWNER, STATION, 2)])
    world.sweep(1.1)
    assert world.alerts() == {("foreign_fill", code(1))}
    agreement = agreed(OWNER, OTHER_STATION, 2)
    world.post([agreement])
    world.sweep(1.1)
    assert world.alerts() == set()
    assert world.alerts("withdrawn") == {("foreign_fill", code(1))}
    world.post([corrected(agreement, 3)])
    world.sweep(1.1)
    assert world.alerts() == {("foreign_fill", code(1))}


def test_a_registration_that_arrives_late_withdraws_unregistered(database: Database) -> None:
    world = World(database)
    world.post(well_filled(code(1), 1))
    world.sweep(2)
    assert world.alerts() == {("unregistered", code(1))}
    world.post([registered(code(1), 0.5)])
    world.sweep(2)
    assert world.alerts() == set()
    assert world.alerts("withdrawn") == {("unregistered", code(1))}


def test_an_alert_shown_by_two_cylinders_ends_with_the_last(database: Database) -> None:
    world = World(database, licences=False)
    fills = [filled(code(number), number) for number in (1, 2)]
    world.post([registered(code(1)), registered(code(2)), *fills])
    world.sweep(2.1)
    assert ("unlicensed_site", STATION) in world.alerts()
    world.post([corrected(fills[0], 3)])
    world.sweep(3)
    assert ("unlicensed_site", STATION) in world.alerts()
    world.post([licensed(STATION)])
    world.sweep(3)
    assert ("unlicensed_site", STATION) in world.alerts("withdrawn")


def test_a_delivery_beyond_the_owners_district_is_out_of_area(database: Database) -> None:
    world = World(database)
    near, far = code(1), code(2)
    events = [registered(near), registered(far), *well_filled(near, 1), *well_filled(far, 1)]
    events += [moved("deliver", near, 4, DEPOT, CUSTOMERS[0])]
    world.post(events)
    world.sweep(5)
    assert world.alerts() == set()
    delivery = moved("deliver", far, 4, DEPOT, FAR_CUSTOMER)
    world.post([delivery])
    world.sweep(5)
    assert world.alerts() == {("out_of_area", OWNER)}
    world.post([corrected(delivery, 6)])
    world.sweep(6)
    assert world.alerts() == set()


@pytest.mark.parametrize(("number", "fires"), [(5, True), (4, False)])
def test_a_depot_that_no_station_sees_is_a_bypass_from_five_cylinders_on(
    database: Database, number: int, fires: bool
) -> None:
    world = World(database)
    for one in range(number):
        customer, day = CUSTOMERS[one], 24 * one
        world.post([registered(code(one)), moved("return", code(one), day + 1, customer, DEPOT)])
        world.post([moved("deliver", code(one), day + 5, DEPOT, customer)])
    world.sweep(24 * 7)
    assert (("bypass_loop", DEPOT) in world.alerts()) is fires


def test_a_second_sweep_changes_nothing(database: Database) -> None:
    world = World(database)
    world.post([filled(code(1), 1), filled(code(2), 1, site_id=OTHER_STATION), registered(code(2))])
    world.post([moved("deliver", code(2), 3, DEPOT, FAR_CUSTOMER)])
    world.sweep(50)
    derived, written = world.derived(), _number_of_consequences(database)
    assert len(derived["alerts"]) >= 5
    assert world.sweep(50) == {"events": 0, "cylinders": 0, "sites": 0}
    assert world.sweep(500) == {"events": 0, "cylinders": 0, "sites": 0}
    assert (world.derived(), _number_of_consequences(database)) == (derived, written)


def test_a_cylinder_asked_for_under_an_old_code_is_not_told_twice(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), *well_filled(code(2), 5)])
    world.judge(6)
    # The licence has code 2 told anew, the binding makes it code 1's: both before the next sweep.
    world.post([licensed(STATION, -100)])
    world.judge(6)
    world.post([made("tag_bind", 1, cylinder_code=code(1), new_code=code(2))])
    world.judge(6)
    world.sweep(6)
    assert {row[0] for row in world.derived()["cylinders"]} == {code(1)}
    assert world.alerts() == set()


def test_codes_bound_in_a_ring_are_one_cylinder(database: Database) -> None:
    world = World(database)
    ring = [(code(5), code(6)), (code(6), code(5)), (code(6), code(1))]
    world.post([made("tag_bind", 1, cylinder_code=of, new_code=new) for of, new in ring])
    world.post([made("observe", 2, cylinder_code=code(number)) for number in (1, 5, 6)])
    world.sweep(3)
    assert {row[0] for row in world.derived()["cylinders"]} == {code(5)}


def _number_of_consequences(database: Database) -> tuple[int | None, int | None]:
    with database.reading() as connection:
        return (
            connection.scalar(select(func.count()).select_from(alert_history)),
            connection.scalar(select(func.count()).select_from(notice)),
        )
