"""The register is a history: a past event is judged by the record of its day, and a late change re-judges what it touches."""

from typing import Any

from sqlalchemy import select

from cylinder_trace.contract.master import OwnerRecord, PersonRecord, SiteRecord
from cylinder_trace.store import parties
from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import alert, rejudge
from tests.world import (
    DEPOT,
    FAR_CUSTOMER,
    MINHANG,
    OTHER_OWNER,
    OTHER_STATION,
    OWNER,
    SONGJIANG,
    STATION,
    World,
    code,
    filled,
    made,
    moved,
    registered,
)

NEXT_MONDAY = "2026-05-11"


def station(owner: str, valid_from: str | None = None, **fields: Any) -> SiteRecord:
    return SiteRecord(
        site_id=STATION, name="第一站", type="filling_station", owner_id=owner, district=MINHANG,
        valid_from=valid_from, **fields,
    )  # fmt: skip


def put(world: World, *records: Any) -> set[str]:
    """Put records on the register; gives the cylinders that are to be told again."""
    with world.database.writing() as connection:
        parties.put_records(connection, records)
        return set(connection.scalars(select(rejudge.c.cylinder_id)))


def test_a_station_that_changed_hands_is_judged_by_its_owner_of_the_day(database: Database) -> None:
    world = World(database)
    before, after = code(1), code(2)
    world.post([registered(before), registered(after), filled(before, 1), filled(after, 24 * 8)])
    world.judge(24 * 9)
    assert world.alerts() == set()
    put(world, station(OTHER_OWNER, valid_from=NEXT_MONDAY))
    world.sweep(24 * 9)
    assert ("foreign_fill", after) in world.alerts()
    assert ("foreign_fill", before) not in world.alerts()


def test_a_change_of_the_register_tells_again_what_was_seen_since_and_nothing_else(
    database: Database,
) -> None:
    world = World(database)
    before, after, elsewhere = code(1), code(2), code(3)
    world.post([registered(one) for one in (before, after, elsewhere)])
    world.post([filled(before, 1), filled(after, 24 * 8), filled(elsewhere, 24 * 8, site_id=OTHER_STATION)])
    world.judge(24 * 9)
    assert put(world, station(OTHER_OWNER, valid_from=NEXT_MONDAY)) == {after}


def test_a_record_that_says_the_same_tells_nothing_again(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), filled(code(1), 24 * 8)])
    world.judge(24 * 9)
    assert put(world, station(OWNER, valid_from=NEXT_MONDAY)) == set()
    assert put(world, station(OWNER, valid_from=NEXT_MONDAY, opens="06:00", closes="22:00")) == set()


def test_a_person_s_new_certificate_tells_again_what_that_person_scanned_since(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), registered(code(2)), registered(code(3))])
    world.post([filled(code(1), 1, operator_id="op-7"), filled(code(2), 24 * 8, operator_id="op-7")])
    world.post([filled(code(3), 24 * 8, operator_id="op-8")])
    world.judge(24 * 9)
    person = {"person_id": "op-7", "role": "filler", "site_id": STATION, "certificate_no": "TS6-7"}
    colleague = {"person_id": "op-9", "role": "filler", "site_id": STATION, "certificate_no": "TS6-9"}
    put(world, PersonRecord(**colleague))
    world.sweep(24 * 9)
    assert put(world, PersonRecord(**person)) == {code(1), code(2)}
    world.sweep(24 * 9)
    renewed = PersonRecord(**person, certificate_valid_until="2030-01-01", valid_from=NEXT_MONDAY)
    assert put(world, renewed) == {code(2)}


def test_an_approval_entered_late_withdraws_the_delivery_beyond_the_area_and_is_named(
    database: Database,
) -> None:
    world = World(database)
    world.post([registered(code(1)), filled(code(1), 1), moved("ship", code(1), 2, STATION, DEPOT)])
    world.post(
        [moved("receive", code(1), 3, STATION, DEPOT), moved("deliver", code(1), 4, DEPOT, FAR_CUSTOMER)]
    )
    world.sweep(5)
    assert ("out_of_area", OWNER) in world.alerts()
    approval = made(
        "approval", 30, owner_id=OWNER, district=SONGJIANG, valid_from="2026-05-01", valid_to="2026-05-31"
    )
    world.post([approval], received_ms=0)
    world.sweep(31)
    assert ("out_of_area", OWNER) not in world.alerts()
    assert ("out_of_area", OWNER) in world.alerts("withdrawn")


def test_an_area_that_a_firm_gains_later_excuses_nothing_from_before(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), filled(code(1), 1), moved("ship", code(1), 2, STATION, DEPOT)])
    world.post(
        [moved("receive", code(1), 3, STATION, DEPOT), moved("deliver", code(1), 4, DEPOT, FAR_CUSTOMER)]
    )
    world.sweep(5)
    wider = OwnerRecord(
        owner_id=OWNER, name="第一燃气", districts=(MINHANG, SONGJIANG), valid_from=NEXT_MONDAY
    )
    put(world, wider)
    world.sweep(6)
    assert ("out_of_area", OWNER) in world.alerts()
    put(world, wider.model_copy(update={"valid_from": None}))
    world.sweep(7)
    assert ("out_of_area", OWNER) not in world.alerts()


def with_guns(site: str, *guns: str) -> SiteRecord:
    return SiteRecord(
        site_id=site, name=site, type="filling_station", owner_id=OWNER, district=MINHANG, guns=guns
    )


def test_a_gun_is_at_home_at_every_station_that_has_one_of_that_number(database: Database) -> None:
    """Stations number their guns from one on; none of them works with another's."""
    world = World(database)
    put(world, with_guns(STATION, "1", "2"), with_guns(OTHER_STATION, "1", "2"))
    fills = [filled(code(1), 1, gun_id="1"), filled(code(2), 2, gun_id="2", site_id=OTHER_STATION)]
    world.post([registered(code(1)), registered(code(2)), *fills])
    world.judge(3)
    assert world.alerts() == set()


def test_a_gun_entered_late_tells_again_what_was_filled_with_it_elsewhere(database: Database) -> None:
    world = World(database)
    lent, other = filled(code(1), 1, gun_id="gun-7"), filled(code(2), 1, gun_id="gun-70")
    world.post([registered(code(1)), registered(code(2)), lent, other])
    world.sweep(2)
    assert ("foreign_gun", STATION) not in world.alerts()
    assert put(world, with_guns(OTHER_STATION, "gun-7")) == {code(1)}
    world.sweep(2)
    assert ("foreign_gun", STATION) in world.alerts()
    put(world, with_guns(OTHER_STATION, "gun-8"))
    world.sweep(2)
    assert ("foreign_gun", STATION) not in world.alerts()


def test_the_first_of_a_station_s_staff_to_be_entered_tells_again_what_the_others_did(
    database: Database,
) -> None:
    world = World(database)
    world.post([registered(code(1)), filled(code(1), 1, operator_id="nobody")])
    world.sweep(2)
    assert ("uncertified_operator", STATION) not in world.alerts()
    person = {"role": "filler", "site_id": STATION, "certificate_no": "TS6-7"}
    assert put(world, PersonRecord(person_id="op-7", **person)) == {code(1)}
    world.sweep(2)
    assert ("uncertified_operator", STATION) in world.alerts()
    assert put(world, PersonRecord(person_id="op-8", **person)) == set()


def test_a_tag_entered_at_a_desk_is_told_to_the_district_where_the_cylinder_is(database: Database) -> None:
    world = World(database)
    block = made("tag_block", -2000, owner_id=OWNER, code_from="CT000001", code_to="CT000009")
    world.post([block, registered(code(1)), filled(code(1), 1)])
    world.post([made("tag_replace", 2, cylinder_code=code(1), new_code=code(500))])
    world.sweep(3)
    with database.reading() as connection:
        which = select(alert.c.district, alert.c.site_id).where(alert.c.rule == "tag_out_of_block")
        assert connection.execute(which).all() == [(MINHANG, STATION)]
