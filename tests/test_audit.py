"""An audit finds whatever was changed behind the ledger's back, and nothing where all is well."""

from datetime import date

import pytest
from sqlalchemy import text

from cylinder_trace import audit
from cylinder_trace.store.database import Database
from tests.world import DEPOT, FAR_CUSTOMER, World, code, corrected, filled, moved, registered, well_filled

MONDAY = date(2026, 5, 4).toordinal()


@pytest.fixture
def world(database: Database) -> World:
    """Two cylinders with something to find of each, and a delivery out of area."""
    world = World(database)
    world.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])
    world.post(
        [registered(code(2)), *well_filled(code(2), 1), moved("deliver", code(2), 4, DEPOT, FAR_CUSTOMER)]
    )
    mistaken = filled(code(2), 2, gas_mass_kg=40)
    world.post([mistaken, corrected(mistaken, 3)])
    world.sweep(50)
    world.sweep(24 * 30)
    return world


def differences(world: World) -> list[str]:
    return list(audit.run(world.database, world.cache))


@pytest.fixture
def tamper(world: World) -> World:
    """The world with the guards of its ledger taken away, as only the owner of the database can."""
    with world.database.writing() as connection:
        if world.database.is_postgresql:
            connection.execute(text("ALTER TABLE event DISABLE TRIGGER ALL"))
        else:
            connection.execute(text("DROP TRIGGER event_refuses_update"))
            connection.execute(text("DROP TRIGGER event_refuses_delete"))
    return world


def test_where_all_is_well_nothing_is_said_whatever_waits(world: World) -> None:
    counted: dict[str, int] = {}
    for _ in audit.run(world.database, world.cache, lambda what, number: counted.update({what: number})):
        pytest.fail("there is nothing to find")
    assert counted == {"events": 11, "cylinders": 2, "sites": 3, "days": 2}
    world.post([filled(code(2), 60), filled(code(3), 60)])
    assert differences(world) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE event SET body = replace(body, '14.5', '14.4') WHERE kind = 'fill'", "not what was hashed"),
        ("UPDATE event SET received_ms = received_ms - 1 WHERE kind = 'fill'", "not what was hashed"),
        ("UPDATE event SET occurred_ms = occurred_ms - 1 WHERE kind = 'fill'", "its columns do not say"),
        ("UPDATE event SET site_id = 'station-2' WHERE kind = 'fill'", "its columns do not say"),
        ("UPDATE event SET code = 'CT000009' WHERE kind = 'fill'", "its columns do not say"),
        ("UPDATE event SET device_seq = device_seq + 1 WHERE kind = 'fill'", "its columns do not say"),
        ("DELETE FROM event WHERE kind = 'fill_check'", "its state is not what its events make it"),
    ],
)
def test_a_changed_or_removed_event_is_found(tamper: World, change: str, said: str) -> None:
    with tamper.database.writing() as connection:
        connection.execute(text(change))
    assert any(said in one for one in differences(tamper)), differences(tamper)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE cylinder SET state = replace(state, 'lpg_bottle', 'acetylene')", "its state is not"),
        ("UPDATE cylinder SET state = '[]'", "its state can not be read"),
        ("DELETE FROM correction", "not kept as the correction that it is"),
        ("UPDATE correction SET corrects = 'another'", "not kept as the correction that it is"),
        ("UPDATE leg SET to_site = 'elsewhere'", "its legs are not"),
        ("DELETE FROM finding WHERE rule = 'fill_overdue'", "its findings are not what its events show"),
        ("DELETE FROM finding WHERE rule = 'out_of_area'", "not what the network around it shows"),
        ("UPDATE alert SET status = 'resolved' WHERE rule = 'fill_overdue'", "and it is not open"),
        ("UPDATE site_day SET tally = replace(tally, '1', '2')", "its tally is not what was scanned"),
        (
            f"UPDATE finding SET unit = 'day:station-1:{MONDAY}'",
            "its findings are not what was scanned shows",
        ),
        (f"UPDATE finding SET unit = 'city:{MONDAY}'", "their findings are not what the days show"),
        ("UPDATE flow SET n = n + 1", "flow"),
    ],
)
def test_whatever_was_made_of_the_ledger_and_changed_is_found(world: World, change: str, said: str) -> None:
    with world.database.writing() as connection:
        connection.execute(text(change))
    assert any(said in one for one in differences(world)), differences(world)
