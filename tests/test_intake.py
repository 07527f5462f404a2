"""What comes in is recorded once and judged once, whoever sends it, how often and how many at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cylinder_trace import intake
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.store import consequences, ledger
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.store.tables import event, pending
from tests.world import (
    CUSTOMERS,
    DEPOT,
    DEVICE,
    LAW,
    MONDAY_MS,
    OTHER_OWNER,
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
    ms,
    registered,
    well_filled,
)


def counts(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return ledger.counts(connection)


def test_a_repeated_event_gets_its_first_receipt_again(database: Database) -> None:
    world = World(database, licences=False)
    fill = filled(code(1), 1)
    first = world.post([fill], ms(2)).receipts[0]
    again = world.post([fill], ms(30)).receipts[0]
    assert (first.status, again.status) == ("stored", "duplicate")
    assert again.received_at == first.received_at
    assert again.leaf_hash == first.leaf_hash
    assert counts(database) == {"events": 1, "pending": 1}


def test_a_repeated_event_tells_what_was_found_since(database: Database) -> None:
    world = World(database)
    fill = filled(code(1), 1)
    assert world.post([registered(code(1), valid_until="2026-01-31"), fill]).receipts[1].findings == ()
    world.judge(1.1)
    assert world.post([fill]).receipts[0].findings == ("fill_overdue",)


def test_the_same_id_with_other_content_is_refused(database: Database) -> None:
    world = World(database, licences=False)
    fill = filled(code(1), 1)
    world.post([fill])
    other = fill | {"gas_mass_kg": 3.0}
    receipt = world.post([other]).receipts[0]
    assert receipt.status == "refused"
    assert receipt.refusal is not None
    assert receipt.refusal.code == "conflict"
    with database.reading() as connection:
        assert ledger.on_record(connection, [fill["event_id"]])[fill["event_id"]].message == fill


def test_one_bad_event_never_costs_the_good_ones(database: Database) -> None:
    world = World(database, licences=False)
    good = [filled(code(number), number) for number in (1, 2)]
    late, early = (filled(code(3), hours) for hours in (25.1, -401 * 24))
    entered_late = made("stop", -900 * 24, cylinder_code=code(1), device_id=DEVICE)
    batch: list[Any] = [
        good[0],
        {"event_id": good[0]["event_id"][:8], "kind": "refill"},
        "nonsense",
        None,
        filled(code(4), 1) | {"cylinder_code": "??"},
        filled(code(5), 1, device_id="another"),
        late,
        early,
        good[1],
        good[1],
        good[1] | {"note": "另一内容"},
        entered_late,
    ]
    answer = world.post(batch, MONDAY_MS, device_id=DEVICE, is_office=True)
    said = [receipt.refusal.code if receipt.refusal else receipt.status for receipt in answer.receipts]
    assert said == [
        "stored",
        *["malformed"] * 4,
        "not_your_device",
        "clock_implausible",
        "clock_implausible",
        "stored",
        "duplicate",
        "conflict",
        "stored",
    ]
    assert (answer.stored, answer.duplicate, answer.refused) == (3, 1, 8)
    assert counts(database) == {"events": 3, "pending": 3}


def refusals(world: World, messages: list[Any], device_id: str = DEVICE, site_id: str = STATION) -> list[str]:
    answer = world.post(messages, ms(2), device_id=device_id, site_id=site_id)
    return [one.refusal.code if one.refusal else one.status for one in answer.receipts]


def test_a_stations_device_speaks_for_its_own_site_and_for_no_office(database: Database) -> None:
    world = World(database, licences=False)
    elsewhere = filled(code(1), 1, site_id=OTHER_STATION)
    papers = [licensed(STATION), registered(code(1)), made("scrap", 1, cylinder_code=code(1), method="压扁")]
    batch = [filled(code(1), 1), elsewhere, *(paper | {"device_id": DEVICE} for paper in papers)]
    assert refusals(world, batch) == ["stored", "not_your_site", *["not_an_office"] * 3]


def test_a_station_corrects_what_it_recorded_and_nothing_else(database: Database) -> None:
    """Else any handheld could silence the alert of another station."""
    world = World(database)
    mine, theirs = filled(code(1), 1), filled(code(1), 1, site_id=OTHER_STATION)
    register = registered(code(1), valid_until="2026-01-31")
    world.post([register, theirs])
    world.judge(2)
    wrong = [
        corrected(one, 1.5) | {"device_id": DEVICE} for one in (mine, theirs, register, filled(code(2), 1))
    ]
    assert refusals(world, [mine, *wrong]) == ["stored", "stored", *["not_your_event"] * 3]
    world.sweep(3)
    assert ("fill_overdue", code(1)) in world.alerts()


def test_a_clock_within_its_bounds_is_believed(database: Database) -> None:
    world = World(database, licences=False)
    batch = [filled(code(1), 23.9), filled(code(1), -399 * 24)]
    assert world.post(batch, MONDAY_MS, device_id=DEVICE).stored == 2


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(works)) as pool:
        return [one.result(timeout=60) for one in [pool.submit(work) for work in works]]


def test_two_senders_of_one_batch_record_each_event_once(database: Database) -> None:
    world = World(database, licences=False)
    for turn in range(5):
        batch = [filled(code(turn * 100 + number), number / 100) for number in range(100)]
        one, two = at_once([lambda: world.post(batch), lambda: world.post(batch[::-1])])  # noqa: B023
        assert {one.stored + two.stored, one.duplicate + two.duplicate} == {100}
        first = {receipt.event_id: receipt.leaf_hash for receipt in one.receipts}
        assert first == {receipt.event_id: receipt.leaf_hash for receipt in two.receipts}
    with database.reading() as connection:
        assert len(list(connection.execute(select(event.c.seq)))) == 500
        assert len(list(connection.execute(select(pending.c.event_id)))) == 500


def test_a_judge_that_fails_leaves_the_work_to_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database)
    world.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])

    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a rule that crashes")

    with monkeypatch.context() as patched:
        patched.setattr(consequences, "draw", fails)
        with pytest.raises(ZeroDivisionError):
            world.judge(1.1)
    assert counts(database) == {"events": 4, "pending": 2}
    assert world.derived()["cylinders"] == set()
    assert world.judge(1.1) == 2
    assert world.alerts() == {("fill_overdue", code(1))}


def busy_days() -> list[dict[str, Any]]:
    """Many cylinders at the same few sites, with alerts that they share."""
    events = [licensed(OTHER_STATION, valid_until="2026-05-01"), licensed(STATION)]
    for number in range(120):
        which, customer = code(number), CUSTOMERS[number % 6]
        site = OTHER_STATION if number % 3 else STATION
        events += [registered(which)] if number % 7 else []
        events += [filled(which, 1 + number / 60, site_id=site)]
        legs = [(STATION, DEPOT), (DEPOT, customer)]
        for step, (origin, goal) in enumerate(legs if number % 2 else [(DEPOT, customer), (STATION, DEPOT)]):
            events += [moved("deliver" if goal == customer else "ship", which, 6 + step, origin, goal)]
        events += [made("tag_bind", 9, cylinder_code=which, new_code=code(9000 + number))] * (
            number % 40 == 0
        )
    return events


def test_judges_at_once_find_what_one_judge_finds(postgres_url: str, sqlite_url: str) -> None:
    events = busy_days()
    alone = World(open_database(sqlite_url), licences=False)
    alone.post(events)
    alone.sweep(100)
    together = World(open_database(postgres_url), licences=False)
    together.post(events)
    # Every judge is a process with reference data of its own.
    caches = [ReferenceCache(LAW) for _ in range(3)]

    def judging(cache: ReferenceCache, limit: int) -> int:
        done = 0
        while number := intake.judge(together.database, cache, ms(100), limit):
            done += number
        return done

    works = [lambda: judging(caches[0], 17), lambda: judging(caches[1], 23), lambda: judging(caches[2], 29)]
    done = at_once([*works, lambda: together.sweep(100)["events"]])
    assert sum(done) == len(events)
    together.sweep(100)
    assert counts(together.database)["pending"] == 0
    assert together.derived() == alone.derived()
    for world in (alone, together):
        world.database.close()


def week() -> list[dict[str, Any]]:
    """A small week in the order it happened, with all that arrives late in practice."""
    mistaken = filled(code(3), 30, gas_mass_kg=40)
    late_licence = licensed(STATION, -2000)
    wrong_licence = licensed(OTHER_STATION, -1500)
    events = [
        late_licence,
        wrong_licence,
        *(registered(code(number)) for number in (1, 2, 3)),
        registered(code(4), 20, owner_id=OTHER_OWNER),
        registered(code(5), valid_until="2026-01-31"),
        agreed(OWNER, OTHER_STATION, 40),
        *well_filled(code(1), 2),
        moved("ship", code(1), 4, STATION, DEPOT),
        moved("receive", code(1), 5, STATION, DEPOT),
        moved("deliver", code(1), 8, DEPOT, CUSTOMERS[0]),
        moved("return", code(1), 50, CUSTOMERS[0], DEPOT),
        moved("deliver", code(1), 60, DEPOT, CUSTOMERS[1]),
        filled(code(2), 3, site_id=OTHER_STATION),
        made("tag_replace", 10, cylinder_code=code(2), new_code=code(22)),
        filled(code(22), 28),
        made("tag_bind", 29, cylinder_code=code(22), new_code=code(23)),
        moved("ship", code(23), 33, STATION, DEPOT),
        moved("deliver", code(2), 35, DEPOT, CUSTOMERS[2]),
        mistaken,
        corrected(mistaken, 31),
        filled(code(3), 32),
        filled(code(4), 12),
        filled(code(4), 26),
        made("scrap", 40, cylinder_code=code(4), method="压扁"),
        made("observe", 45, cylinder_code=code(4), site_id=DEPOT),
        made("observe", 55, cylinder_code=code(4), site_id=STATION),
        filled(code(5), 7, site_id=OTHER_STATION),
        corrected(wrong_licence, 70),
    ]
    return sorted(events, key=lambda one: (one["occurred_at"], one["event_id"]))


WEEK = week()


def in_order(database: Database) -> World:
    world = World(database, licences=False)
    for message in WEEK:
        world.post([message])
        world.judge(0)
    world.sweep(100)
    return world


def jumbled(database: Database, order: list[int], batch: int, repeats: list[int]) -> World:
    world = World(database, licences=False)
    messages = [WEEK[number] for number in [*order, *repeats]]
    for start in range(0, len(messages), batch):
        world.post(messages[start : start + batch])
        # Judged at moments of all kinds: what lapsed too early must be taken back.
        world.sweep(start * 7 % 90) if start % 2 else world.judge(start * 5 % 100, limit=batch)
    world.sweep(100)
    return world


@pytest.fixture(scope="module")
def told_in_order(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("order") / "order.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = open_database(f"sqlite:///{path}")
    derived = in_order(database).derived()
    database.close()
    return derived


def test_the_week_has_something_to_tell(told_in_order: dict[str, Any]) -> None:
    rules = {row[1] for row in told_in_order["alerts"]}
    expected = {
        "unlicensed_site",
        "unregistered",
        "zombie",
        "fill_overdue",
        "foreign_fill",
        "no_postcheck",
        "deliver_without_fill",
    }
    assert rules >= expected
    assert "overfill" not in rules
    assert {row[0] for row in told_in_order["cylinders"]} == {code(number) for number in range(1, 6)}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    order=st.permutations(range(len(WEEK))),
    batch=st.integers(1, 9),
    repeats=st.lists(st.integers(0, len(WEEK) - 1), max_size=6),
)
def test_any_order_of_arrival_ends_in_the_same_states_and_alerts(
    told_in_order: dict[str, Any],
    sqlite_template: Any,
    tmp_path_factory: pytest.TempPathFactory,
    order: list[int],
    batch: int,
    repeats: list[int],
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = open_database(f"sqlite:///{path}")
    assert jumbled(database, order, batch, repeats).derived() == told_in_order
    database.close()


def test_the_reverse_order_ends_in_the_same_states_and_alerts(
    told_in_order: dict[str, Any], postgres_url: str
) -> None:
    database = open_database(postgres_url)
    assert jumbled(database, list(range(len(WEEK)))[::-1], 3, [5, 1, 5]).derived() == told_in_order
    database.close()


def test_an_office_may_enter_what_took_effect_long_ago(database: Database) -> None:
    """A licence corrected years later: the fills of its day are judged again, however long ago they were."""
    world = World(database, licences=False)
    granted = licensed(STATION, -900 * 24)
    world.post(
        [granted, registered(code(1), -900 * 24), filled(code(1), -899 * 24)], MONDAY_MS - 800 * DAY_MS
    )
    world.sweep(0)
    assert ("unlicensed_site", STATION) not in world.alerts()
    world.post([corrected(granted, 0)])
    world.sweep(1)
    assert ("unlicensed_site", STATION) in world.alerts()


def test_fills_are_lawful_again_once_checked(database: Database) -> None:
    world = World(database)
    world.post([registered(code(1)), filled(code(1), 1)])
    world.sweep(40)
    assert world.alerts() == {("no_precheck", code(1)), ("no_postcheck", code(1))}
    world.post([checked("fill_check", code(1), 0.9), checked("post_check", code(1), 1.1)], ms(41))
    world.sweep(41)
    assert world.alerts() == set()
    assert world.alerts("withdrawn") == {("no_precheck", code(1)), ("no_postcheck", code(1))}
