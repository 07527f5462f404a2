"""The sweep finds what time, a late paper or the network of movements brings to light, and nothing twice."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from cylinder_trace import stories, sweep
from cylinder_trace.contract.master import OwnerRecord, SiteRecord, SiteType
from cylinder_trace.judging import story
from cylinder_trace.judging.rules import network_findings
from cylinder_trace.store import parties, tries
from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import alert, alert_history, cylinder, notice
from tests.world import (
    CUSTOMERS,
    DEPOT,
    FAR_CUSTOMER,
    MINHANG,
    OTHER_OWNER,
    OTHER_STATION,
    OWNER,
    SONGJIANG,
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
    ms,
    registered,
    well_filled,
)

NOTHING = {"events": 0, "cylinders": 0, "days": 0, "city days": 0, "sites": 0, "failed": 0}


def test_a_missing_check_is_found_when_a_day_has_passed(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), checked("fill_check", code(1), 0.9), filled(code(1), 1)])
    world.sweep(24.9)
    assert world.alerts() == set()
    assert world.sweep(25.1) == NOTHING | {"cylinders": 1, "days": 1, "city days": 1}
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
    for hours in (50, 51):  # days that are over are looked at a little after they changed
        world.sweep(hours)
    derived, written = world.derived(), _number_of_consequences(database)
    assert len(derived["alerts"]) >= 5
    assert world.sweep(51) == NOTHING
    # The calendar goes on.
    assert world.sweep(500) | {"city days": 0} == NOTHING
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


def test_a_binding_that_was_corrected_parts_the_two_cylinders_again(database: Database) -> None:
    world = World(database)
    wrong = made("tag_bind", 2, cylinder_code=code(1), new_code=code(2))
    world.post([registered(code(1)), registered(code(2)), *well_filled(code(1), 1), filled(code(2), 1.5)])
    world.sweep(3)
    apart = world.derived()
    world.post([wrong])
    world.sweep(3)
    assert {row[0] for row in world.derived()["cylinders"]} == {code(1)}
    assert ("double_fill", code(1)) in world.alerts()
    undo = corrected(wrong, 4)
    world.post([undo])
    world.sweep(3)
    parted = world.derived()
    assert {row[0] for row in parted["cylinders"]} == {code(1), code(2)}
    assert (parted["legs"], parted["alerts"]) == (apart["legs"], apart["alerts"])
    world.post([corrected(undo, 5)])
    world.sweep(3)
    assert {row[0] for row in world.derived()["cylinders"]} == {code(1)}


@pytest.mark.parametrize("filed_under", [None, code(1), code(2)])
@pytest.mark.parametrize("comes_first", [False, True])
def test_a_correction_counts_under_whatever_code_it_is_filed_and_whenever_it_comes(
    database: Database, filed_under: str | None, comes_first: bool
) -> None:
    world = World(database)
    fill = filled(code(1), 2, gas_mass_kg=40)
    about = {"cylinder_code": filed_under} if filed_under else {}
    wrong = made("correct", 3, corrects=fill["event_id"], reason="incorrect_data", **about)
    world.post([registered(code(1)), registered(code(2))])
    for message in (wrong, fill) if comes_first else (fill, wrong):
        world.post([message])
        world.sweep(3)
    assert world.alerts() == set()


@pytest.mark.parametrize("named", [False, True])
def test_a_licence_corrected_under_a_cylinders_code_is_corrected_all_the_same(
    database: Database, named: bool
) -> None:
    world = World(database, licences=False)
    licence = licensed(STATION)
    about = {"cylinder_code": code(1)} if named else {}
    world.post([licence, registered(code(1)), *well_filled(code(1), 1)])
    world.sweep(3)
    assert world.alerts() == set()
    world.post([made("correct", 3, corrects=licence["event_id"], reason="did_not_occur", **about)])
    world.sweep(3)
    assert world.alerts() == {("unlicensed_site", STATION)}


def site(
    site_id: str, kind: SiteType = "filling_station", district: str = MINHANG, owner: str = OWNER
) -> SiteRecord:
    return SiteRecord(site_id=site_id, name="改名", type=kind, owner_id=owner, district=district)


@pytest.mark.parametrize(
    ("record", "alerts"),
    [
        (site(STATION), set()),
        (site(STATION, owner=OTHER_OWNER), {("foreign_fill", code(1))}),
        (site(CUSTOMERS[0], "customer", SONGJIANG), {("out_of_area", OWNER)}),
        (OwnerRecord(owner_id=OWNER, name="第一燃气", districts=(SONGJIANG,)), {("out_of_area", OWNER)}),
    ],
)
def test_a_changed_record_has_the_stories_it_changes_judged_again(
    database: Database, record: SiteRecord | OwnerRecord, alerts: set[tuple[str, str]]
) -> None:
    world = World(database)
    for number in (1, 2):
        which = code(number)
        world.post([registered(which)] if number == 1 else [registered(which, owner_id=OTHER_OWNER)])
        world.post(
            well_filled(which, 1) if number == 1 else [made("observe", 1, cylinder_code=which, site_id=DEPOT)]
        )
    world.post([moved("deliver", code(1), 4, DEPOT, CUSTOMERS[0])])
    world.sweep(5)
    assert world.alerts() == set()
    with database.writing() as connection:
        parties.put_records(connection, [record])
    again = world.sweep(5)["cylinders"]
    assert (world.alerts(), again) == (alerts, 1 if alerts else 0)


def test_a_district_that_was_merged_into_another_is_the_other(database: Database) -> None:
    """310119 南汇 became part of 310115 浦东."""
    world = World(database)
    with database.writing() as connection:
        parties.put_records(connection, [OwnerRecord(owner_id=OWNER, name="第一燃气", districts=("310119",))])
        parties.put_records(connection, [site(CUSTOMERS[0], "customer", "310115")])
    world.post(
        [registered(code(1)), *well_filled(code(1), 1), moved("deliver", code(1), 4, DEPOT, CUSTOMERS[0])]
    )
    world.sweep(5)
    assert world.alerts() == set()


def test_a_record_that_changes_the_network_around_a_depot_has_it_judged_again(database: Database) -> None:
    """The customer out of area lies in another such district than the register said."""
    world = World(database)
    world.post(
        [registered(code(1)), *well_filled(code(1), 1), moved("deliver", code(1), 4, DEPOT, FAR_CUSTOMER)]
    )
    world.sweep(5)
    [before] = [row for row in world.derived()["alerts"] if row[1] == "out_of_area"]
    with database.writing() as connection:
        parties.put_records(connection, [site(FAR_CUSTOMER, "customer", "310115")])
    world.sweep(5)
    [after] = [row for row in world.derived()["alerts"] if row[1] == "out_of_area"]
    assert (SONGJIANG in before[3], "310115" in after[3]) == (True, True)


def test_reference_data_of_a_transaction_that_was_rolled_back_are_not_kept(database: Database) -> None:
    """Else a process would take the next change for the one it knows, and judge by what never was."""
    world = World(database)
    world.post([registered(code(1)), filled(code(1), 1, site_id=OTHER_STATION)])
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        parties.put_records(connection, [site(OTHER_STATION, owner=OWNER)])
        world.cache.read(connection)
        raise ZeroDivisionError
    with database.writing() as connection:
        parties.put_records(connection, [site(STATION)])
    world.sweep(2)
    assert ("foreign_fill", code(1)) in world.alerts()


def test_a_withdrawn_alert_names_the_event_that_explains_it(database: Database) -> None:
    world = World(database)
    checks = [checked("fill_check", code(1), 0.9), checked("post_check", code(1), 1.1)]
    world.post([registered(code(1)), filled(code(1), 1)])
    world.sweep(40)
    # Both in one batch, between events that explain nothing.
    seen = [made("observe", hours, cylinder_code=code(1)) for hours in (0.5, 2)]
    world.post([seen[0], *checks, seen[1]], ms(41))
    world.sweep(41)
    reasons = _why_withdrawn(database)
    assert reasons == {"no_precheck": checks[0]["event_id"], "no_postcheck": checks[1]["event_id"]}


def test_an_alert_withdrawn_by_a_paper_names_the_paper(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), filled(code(1), 1, site_id=OTHER_STATION)])
    world.sweep(1.1)
    agreement = agreed(OWNER, OTHER_STATION, 2)
    world.post([agreement])
    world.sweep(1.1)
    assert _why_withdrawn(database) == {"foreign_fill": agreement["event_id"]}


def _why_withdrawn(database: Database) -> dict[str, str]:
    with database.reading() as connection:
        statement = select(alert.c.rule, alert_history.c.because).join(
            alert, alert.c.fingerprint == alert_history.c.fingerprint
        )
        rows = connection.execute(statement.where(alert_history.c.became == "withdrawn"))
        return {rule: because for rule, because in rows}


def test_a_piece_that_can_not_be_judged_costs_no_other_and_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One event, one woken cylinder and one site fail; all others are judged, and those too once the rules are mended."""
    world = World(database)
    world.post([registered(code(number)) for number in range(1, 10)])
    world.post([filled(code(number), 1) for number in range(1, 10)])
    world.sweep(1.1)

    def crashing(at: str, does: Callable[..., Any]) -> Callable[..., Any]:
        def on(first: Any, second: Any, reference: Any) -> Any:
            if at in (getattr(first, "cylinder_id", None), second):
                raise ZeroDivisionError(f"a rule that crashes on {at}")
            return does(first, second, reference)

        return on

    deliveries = [moved("deliver", code(number), 1.5, DEPOT, FAR_CUSTOMER) for number in (1, 2)]
    with monkeypatch.context() as patched:
        patched.setitem(story._FINDS, "observe", (crashing(code(5), lambda *_: None),))
        patched.setitem(story._LAPSES, "no_precheck", crashing(code(7), story._LAPSES["no_precheck"]))
        patched.setattr(sweep, "network_findings", crashing(DEPOT, network_findings))
        world.post([made("observe", 3, cylinder_code=code(number)) for number in (4, 5, 6)])
        assert world.sweep(3)["failed"] == 2  # the event of 5, and 7 that wakes
        world.post(deliveries)
        assert world.sweep(3.01)["failed"] >= 1  # the depot
        assert world.sweep(3.011) == NOTHING
    found = {("no_precheck", code(number)) for number in range(1, 10)}
    assert world.alerts() >= found - {("no_precheck", code(5)), ("no_precheck", code(7))}
    assert world.sweep(6)["failed"] == 0
    assert world.alerts() >= found | {("out_of_area", OWNER)}
    with database.reading() as connection:
        assert tries.failed(connection) == 0


def test_a_state_that_an_older_version_kept_is_made_anew_and_asked_for_meanwhile(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), *well_filled(code(1), 1)])
    world.sweep(2)
    derived = world.derived()
    with database.writing() as connection:
        connection.execute(update(cylinder).values(state='["of old"]'))
        reference = world.cache.read(connection)
        now = stories.as_it_stands(connection, code(1), reference, ms(2))
        assert now is not None
        assert now.fill_ms == ms(1)
    world.post([made("observe", 2, cylinder_code=code(1))])
    world.sweep(2)
    assert [row[0] for row in world.derived()["cylinders"]] == [row[0] for row in derived["cylinders"]]
    assert world.derived()["legs"] == derived["legs"]


def test_what_waits_to_be_judged_counts_for_how_a_cylinder_stands(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1))])
    world.sweep(1)
    world.post([made("scrap", 1, cylinder_code=code(1), method="压扁")])
    with database.reading() as connection:
        state = stories.as_it_stands(connection, code(1), world.cache.read(connection), ms(2))
        unknown = stories.as_it_stands(connection, code(2), world.cache.read(connection), ms(2))
    assert state is not None
    assert state.status == "scrapped"
    assert unknown is None


def _number_of_consequences(database: Database) -> tuple[int | None, int | None]:
    with database.reading() as connection:
        return (
            connection.scalar(select(func.count()).select_from(alert_history)),
            connection.scalar(select(func.count()).select_from(notice)),
        )
