"""The network as it is kept: flows follow the legs, sites are looked at when something changes and when time does it."""

from typing import Any

from sqlalchemy import delete, insert, select, update

from cylinder_trace import audit
from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.judging.scan import local_day
from cylinder_trace.store import flows, parties, surroundings
from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import alert, flow, leg, party, touched_site
from tests.world import (
    CUSTOMERS,
    DEPOT,
    MINHANG,
    OTHER_OWNER,
    OTHER_STATION,
    OWNER,
    STATION,
    World,
    agreed,
    code,
    corrected,
    moved,
    ms,
    registered,
)

TODAY = local_day(ms(0))
SMALL = "customer-small"


def kept(world: World) -> dict[tuple[str, str, int], int]:
    with world.database.reading() as connection:
        return {
            (row.from_site, row.to_site, row.day - TODAY): row.n for row in connection.execute(select(flow))
        }


def limited(world: World, limit_kg: float = 30) -> None:
    """A customer that may store so much."""
    record = SiteRecord(
        site_id=SMALL, name="小用户", type="customer", district=MINHANG, storage_limit_kg=limit_kg
    )
    with world.database.writing() as connection:
        parties.put_records(connection, [record])


def brought(count: int, hours: float, goal: str = SMALL, first: int = 1) -> list[dict[str, Any]]:
    numbers = range(first, first + count)
    return [registered(code(number)) for number in numbers] + [
        moved("deliver", code(number), hours, DEPOT, goal) for number in numbers
    ]


def test_a_leg_is_counted_on_the_day_it_departed_and_then_on_the_day_it_arrived(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), moved("ship", code(1), 14, STATION, DEPOT)])
    world.judge(15)
    assert kept(world) == {(STATION, DEPOT, 0): 1}
    world.post([moved("receive", code(1), 20, STATION, DEPOT)])
    world.judge(21)
    assert kept(world) == {(STATION, DEPOT, 1): 1}


def test_legs_of_one_day_add_up_and_a_correction_takes_its_leg_away(database: Database) -> None:
    world = World(database)
    deliveries = [moved("deliver", code(number), number, DEPOT, CUSTOMERS[0]) for number in (1, 2, 3)]
    for one in deliveries:
        world.post([registered(one["cylinder_code"]), one])
        world.judge(5)
    assert kept(world) == {(DEPOT, CUSTOMERS[0], 0): 3}
    world.post([corrected(one, 6) for one in deliveries[:2]])
    world.judge(7)
    assert kept(world) == {(DEPOT, CUSTOMERS[0], 0): 1}
    world.post([corrected(deliveries[2], 6)])
    world.judge(8)
    assert kept(world) == {}


def test_a_late_scan_that_splits_a_leg_moves_its_flow(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), moved("ship", code(1), 1, STATION, DEPOT)])
    world.post([moved("return", code(1), 60, CUSTOMERS[0], DEPOT)])
    world.judge(61)
    assert kept(world) == {(STATION, DEPOT, 0): 1, (DEPOT, CUSTOMERS[0], 2): 1, (CUSTOMERS[0], DEPOT, 2): 1}
    world.post([moved("deliver", code(1), 30, DEPOT, CUSTOMERS[0])])
    world.judge(62)
    assert kept(world) == {(STATION, DEPOT, 0): 1, (DEPOT, CUSTOMERS[0], 1): 1, (CUSTOMERS[0], DEPOT, 2): 1}


def test_an_audit_names_every_flow_that_is_not_what_the_legs_make_it(database: Database) -> None:
    world = World(database)
    world.post([*brought(1, 1, CUSTOMERS[0]), *brought(1, 1, CUSTOMERS[1], 2)])
    world.sweep(2)
    with world.database.reading() as connection:
        assert list(flows.at_odds(connection)) == []
    with world.database.writing() as connection:
        connection.execute(update(flow).where(flow.c.to_site == CUSTOMERS[0]).values(n=2))
        connection.execute(delete(flow).where(flow.c.to_site == CUSTOMERS[1]))
        connection.execute(insert(flow).values(from_site="a", to_site="b", day=TODAY, n=1))
    said = sorted(one for one in audit.run(world.database, world.cache) if one.startswith("flow"))
    day = f"on day {TODAY}"
    assert said == [
        f"flow a to b {day}: it is kept as 1, which is not what its legs make it",
        f"flow {DEPOT} to {CUSTOMERS[0]} {day}: it is kept as 2, which is not what its legs make it",
        f"flow {DEPOT} to {CUSTOMERS[0]} {day}: its legs make it 1, which is not what is kept",
        f"flow {DEPOT} to {CUSTOMERS[1]} {day}: its legs make it 1, which is not what is kept",
    ]


def test_too_much_at_a_customer_is_found_when_it_has_lasted_a_day_without_another_event(
    database: Database,
) -> None:
    world = World(database)
    limited(world)
    world.post(brought(3, 10))
    world.sweep(12)
    assert ("overstock", SMALL) not in world.alerts()
    assert world.sweep(33.9)["sites"] == 0
    assert world.sweep(34.1)["sites"] == 2  # and who supplies it
    assert ("overstock", SMALL) in world.alerts()
    assert [one for one in audit.run(world.database, world.cache) if one.startswith("site")] == []


def test_it_ends_by_itself_when_a_cylinder_is_collected(database: Database) -> None:
    world = World(database)
    limited(world)
    world.post(brought(3, 10))
    world.sweep(40)
    world.post([moved("return", code(1), 41, SMALL, DEPOT)])
    world.sweep(42)
    assert ("overstock", SMALL) in world.alerts("resolved")


def test_a_return_that_nobody_scanned_ends_it_when_the_cylinder_is_seen_elsewhere(database: Database) -> None:
    world = World(database)
    limited(world)
    world.post(brought(3, 10))
    world.sweep(40)
    world.post([moved("ship", code(1), 41, DEPOT, STATION)])
    world.sweep(42)
    assert ("overstock", SMALL) in world.alerts("resolved")


def test_a_stay_that_nobody_saw_end_counts_no_longer_than_anybody_saw_it(database: Database) -> None:
    """Of four cylinders the first turns out to have left at nobody knows when: it was too much with the fourth only."""
    world = World(database)
    limited(world)
    world.post([*brought(2, 10), *brought(1, 34, first=3)])
    fourth = brought(1, 58, first=4)
    world.post(fourth)
    world.sweep(100)
    world.post([moved("ship", code(1), 101, DEPOT, STATION)])
    world.sweep(102)
    with world.database.reading() as connection:
        which = (alert.c.rule == "overstock", alert.c.status == "open")
        anchors = list(connection.scalars(select(alert.c.anchor).where(*which)))
    assert anchors == [fourth[1]["event_id"]]


def test_a_limit_that_is_raised_ends_it(database: Database) -> None:
    world = World(database)
    limited(world)
    world.post(brought(3, 10))
    world.sweep(40)
    limited(world, 100)
    world.sweep(41)
    assert ("overstock", SMALL) in world.alerts("resolved")


def piled_up(world: World) -> None:
    """Five customers get five cylinders each, one a day."""
    for day in range(5):
        for place, customer in enumerate(CUSTOMERS[:5]):
            world.post(brought(1, 24 * day, customer, 100 + 10 * place + day))
    world.sweep(100)


def test_what_customers_give_to_somebody_else_counts_for_their_supplier(database: Database) -> None:
    world = World(database)
    piled_up(world)
    assert ("hoarding", "firm-1") in world.alerts()
    world.post([moved("return", code(100), 101, CUSTOMERS[0], STATION)])
    world.sweep(102)
    assert ("hoarding", "firm-1") in world.alerts("resolved")


def test_a_pile_is_forgotten_when_its_weeks_have_passed(database: Database) -> None:
    world = World(database)
    piled_up(world)
    world.sweep(24 * 27 + 1)
    assert ("hoarding", "firm-1") in world.alerts()
    world.sweep(24 * 28 + 1)
    assert ("hoarding", "firm-1") in world.alerts("resolved")


def test_a_place_that_only_takes_in_is_found_on_the_fourteenth_day_without_another_event(
    database: Database,
) -> None:
    world = World(database)
    events = [registered(code(number)) for number in range(1, 31)]
    for number in range(1, 31):
        origin = STATION if number % 2 else "station-2"
        events.append(moved("ship", code(number), 1, origin, DEPOT))
    world.post(events)
    world.sweep(2)
    midnight = 24 * 13 - 8
    assert world.sweep(midnight - 0.1)["sites"] == 0
    assert ("sink_source", DEPOT) not in world.alerts()
    world.sweep(midnight + 0.1)
    assert ("sink_source", DEPOT) in world.alerts()
    world.sweep(24 * 30)
    assert ("sink_source", DEPOT) in world.alerts("resolved")
    with world.database.reading() as connection:
        assert connection.execute(select(touched_site)).all() == []


def test_of_a_busy_depot_only_the_odd_legs_are_read(database: Database) -> None:
    world = World(database)
    row = {
        "kind": "receive", "departed_ms": ms(1), "arrived_ms": ms(1), "depart_event": "a", "arrive_event": "b",
        "owner": "firm-1", "gas_g": 14_900,
    }  # fmt: skip
    ways = [(STATION, DEPOT), (DEPOT, STATION)]
    with world.database.writing() as connection:
        for number in range(300):
            for no, (origin, goal) in enumerate(ways):
                odd = {"outside": number == 0 and no == 1}
                whole = (
                    row | odd | {"cylinder_id": code(number), "no": no, "from_site": origin, "to_site": goal}
                )
                connection.execute(insert(leg).values(whole))
        for origin, goal in ways:
            connection.execute(insert(flow).values(from_site=origin, to_site=goal, day=TODAY, n=300))
        reference = world.cache.read(connection)
        graph = surroundings.around(connection, [DEPOT], reference, ms(2))[DEPOT]
    assert [edge["cylinder_id"] for _, _, edge in graph.edges(data=True)] == [code(0)]


def test_an_agreement_that_comes_late_withdraws_what_it_explains_and_its_correction_brings_it_back(
    database: Database,
) -> None:
    world = World(database)
    for number in range(1, 6):
        world.post([registered(code(number)), moved("ship", code(number), number, DEPOT, OTHER_STATION)])
    world.sweep(10)
    assert ("new_intermediary", OTHER_STATION) in world.alerts()
    agreement = agreed(OWNER, OTHER_STATION, 11)
    world.post([agreement])
    world.sweep(12)
    assert ("new_intermediary", OTHER_STATION) in world.alerts("withdrawn")
    world.post([corrected(agreement, 13)])
    world.sweep(14)
    assert ("new_intermediary", OTHER_STATION) in world.alerts()


def test_a_firm_that_turns_out_to_run_both_places_withdraws_it_too(database: Database) -> None:
    world = World(database)
    for number in range(1, 6):
        world.post([registered(code(number)), moved("ship", code(number), number, DEPOT, OTHER_STATION)])
    world.sweep(10)
    depot = SiteRecord(site_id=DEPOT, name="配送点", type="depot", district=MINHANG, owner_id=OTHER_OWNER)
    with world.database.writing() as connection:
        parties.put_records(connection, [depot])
    world.sweep(12)
    assert ("new_intermediary", OTHER_STATION) in world.alerts("withdrawn")


def test_a_place_that_is_new_on_the_register_may_take_in_its_stock_first(database: Database) -> None:
    world = World(database)
    for number in range(1, 31):
        day = (number - 1) // 2
        world.post(
            [registered(code(number)), moved("ship", code(number), 24 * day + number % 2, STATION, DEPOT)]
        )
    world.sweep(24 * 15 + 1)
    assert ("sink_source", DEPOT) in world.alerts()
    opened = SiteRecord(
        site_id=DEPOT, name="新点", type="depot", owner_id=OWNER, district=MINHANG, valid_from="2026-04-20"
    )
    with world.database.writing() as connection:
        connection.execute(delete(party).where(party.c.id == DEPOT))
        parties.put_records(connection, [opened])
    world.sweep(24 * 15 + 2)
    assert ("sink_source", DEPOT) not in world.alerts()
