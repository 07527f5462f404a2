"""A simulated week ends in the same states, legs and open alerts, whatever order its events and papers arrive in.

The week has every planted fault and look-alike, missed, late and doubled scans, and offices that
correct themselves.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cylinder_trace import intake, replay, sweep
from cylinder_trace.contract.code import parse_code
from cylinder_trace.contract.event import REFERENCE_KINDS, read_event, written
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.leaf import canonical_bytes
from cylinder_trace.contract.master import OwnerRecord, SiteRecord
from cylinder_trace.judging import city_days, story
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES, network_findings
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, Scan, local_day
from cylinder_trace.simulator.city import City, Plan, simulate
from cylinder_trace.store import parties
from cylinder_trace.store.database import open_database
from cylinder_trace.store.tables import alert, cylinder, leg
from tests.world import LAW, World

END = datetime(2026, 11, 20, tzinfo=UTC)
AFTERWARDS_MS = epoch_ms(END) + 4 * DAY_MS
"""When all that was owed has fallen due."""

_SIX_HOURS_MS = 6 * HOUR_MS

Message = dict[str, Any]
Derived = dict[str, set[tuple[Any, ...]]]
Opening = Callable[..., Any]
_OF_LEG = [column.name for column in leg.c if column.name != "cylinder_id"]


@cache
def simulated() -> City:
    return simulate(
        Plan(seed=5, cylinders=60, days=8, end=END, missed_scan_share=0.05, late_upload_share=0.1,
             doubled_upload_share=0.05, faults_of_each_kind=1)
    )  # fmt: skip


@cache
def arrived() -> dict[str, int]:
    """When each event was first received, which is a fact of its own whatever the order it is judged in."""
    first = {str(arrival.event.event_id): arrival for arrival in reversed(simulated().arrivals)}
    return {event_id: epoch_ms(arrival.received_at) for event_id, arrival in first.items()}


def received_ms(event: Message) -> int:
    """In batches of six hours; exactly for what is dated ahead of its receipt."""
    at_ms = _at_ms(event)
    exact_ms = arrived().get(event["event_id"], at_ms)
    return exact_ms if at_ms > exact_ms else -(-exact_ms // _SIX_HOURS_MS) * _SIX_HOURS_MS


@pytest.fixture(scope="module")
def city() -> City:
    return simulated()


@pytest.fixture(scope="module")
def week(city: City) -> list[Message]:
    """Every event once, in the order they happened."""
    once = {arrival.event.event_id: written(arrival.event) for arrival in city.arrivals}
    planted = {once[event_id].get("cylinder_code") for label in city.labels for event_id in label.event_ids}
    others = [
        one for one in once.values() if one["kind"] == "licence" or one.get("cylinder_code") not in planted
    ]
    return _in_order([*once.values(), *_second_thoughts(others)])


def _second_thoughts(events: list[Message]) -> Iterator[Message]:
    """A tag bound to what was a cylinder of its own; a licence taken back; a correction that was itself wrong."""
    shipment, licence = (next(one for one in events if one["kind"] == kind) for kind in ("ship", "licence"))
    fills = [event for event in events if event["kind"] == "fill"]
    first, second = (fills[number]["cylinder_code"] for number in (0, 9))
    yield _act(1, fills[5], "tag_bind", cylinder_code=first, new_code=second)
    wrong = _corrected(2, shipment)
    yield from (wrong, _corrected(3, wrong), _corrected(4, licence))


def _act(number: int, when: Message, kind: str, **fields: Any) -> Message:
    event_id = str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, version=4))
    common = {"kind": kind, "event_id": event_id, "occurred_at": when["occurred_at"]}
    return written(read_event(common | fields))


def _corrected(number: int, event: Message) -> Message:
    about = {"cylinder_code": event["cylinder_code"]} if "cylinder_code" in event else {}
    return _act(number, event, "correct", corrects=event["event_id"], reason="did_not_occur", **about)


def _in_order(events: Iterable[Message]) -> list[Message]:
    return sorted(events, key=lambda one: (_at_ms(one), one["event_id"]))


def _at_ms(event: Message) -> int:
    return epoch_ms(datetime.fromisoformat(event["occurred_at"]))


@pytest.fixture(scope="module")
def opened(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, city: City) -> Opening:
    """Opens a fresh SQLite database in which the city's sites and owners are known, unless told otherwise."""

    @contextmanager
    def opening(records: Iterable[Any] = city.records) -> Iterator[World]:
        path = tmp_path_factory.mktemp("any-order") / "any.sqlite3"
        path.write_bytes(sqlite_template.read_bytes())
        with closing(open_database(f"sqlite:///{path}")) as database:
            world = World(database, licences=False)
            enter(world, records)
            yield world

    return opening


def enter(world: World, records: Iterable[Any]) -> None:
    with world.database.writing() as connection:
        parties.put_records(connection, list(records))


def post(world: World, messages: list[Message]) -> None:
    for when_ms, together in groupby(sorted(messages, key=received_ms), key=received_ms):
        assert world.post(list(together), when_ms).refused == 0


def judge(world: World, now_ms: int, limit: int = 5000) -> int:
    return intake.judge(world.database, world.cache, now_ms, limit)


def swept(world: World, now_ms: int = AFTERWARDS_MS) -> Derived:
    # Days that are over are looked at a little after they changed.
    for at_ms in (now_ms - HOUR_MS, now_ms):
        sweep.run(world.database, world.cache, at_ms)
    return world.derived()


@pytest.fixture(scope="module")
def told_in_order(opened: Opening, week: list[Message]) -> Derived:
    """The week judged batch by batch as it happened."""
    with opened() as world:
        for start in range(0, len(week), 25):
            batch = week[start : start + 25]
            post(world, batch)
            judge(world, _at_ms(batch[-1]))
        return swept(world)


def arriving(world: World, week: list[Message], chance: Random) -> None:
    """The week in a random order, a tenth of it twice or more, judged and swept at moments of all kinds."""
    arrivals = week + chance.choices(week, k=len(week) // 10)
    chance.shuffle(arrivals)
    while arrivals:
        size = min(chance.choice((1, 7, 40, 200)), len(arrivals))
        post(world, [arrivals.pop() for _ in range(size)])
        now_ms = chance.randint(_at_ms(week[0]), AFTERWARDS_MS)
        what = chance.random()
        if what < 0.2:
            swept(world, now_ms)
        elif what < 0.8:
            judge(world, now_ms, chance.choice((3, 50, 5000)))


def test_every_kind_that_a_week_has_room_for_is_found(told_in_order: Derived, city: City) -> None:
    found = {row[1] for row in told_in_order["alerts"]}
    planted = {label.kind for label in city.labels if label.fault}
    assert planted <= found <= set(RULES)
    assert len(city.arrivals) > 500


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_a_week_in_any_order_ends_as_it_does_in_the_order_it_happened(
    opened: Opening, week: list[Message], told_in_order: Derived, seed: int
) -> None:
    with opened() as world:
        arriving(world, week, Random(seed))
        assert swept(world) == told_in_order


def test_judges_at_once_end_as_one_judge_does_in_order(
    postgres_url: str, week: list[Message], told_in_order: Derived, city: City
) -> None:
    with closing(open_database(postgres_url)) as database:
        world = World(database, licences=False)
        enter(world, city.records)

        def working(number: int) -> None:
            # Every judge is a process with reference data of its own, and a part of the week to bring in.
            arriving(World(database, licences=False), week[number::3], Random(number))

        with ThreadPoolExecutor(3) as pool:
            for done in [pool.submit(working, number) for number in range(3)]:
                done.result(timeout=120)
        assert swept(world) == told_in_order


def test_what_is_on_record_is_what_the_judge_finds_from_memory(
    opened: Opening, week: list[Message], city: City
) -> None:
    with opened() as world:
        arriving(world, week, Random(1))
        on_record = swept(world)
        states, legs, fingerprints = from_memory(week, city.records)
        columns = [cylinder.c.cylinder_id, cylinder.c.state]
        with world.database.reading() as connection:
            assert {tuple(row) for row in connection.execute(select(*columns))} == states
            carried = select(leg.c.cylinder_id, *(leg.c[name] for name in _OF_LEG))
            assert {tuple(row) for row in connection.execute(carried)} == legs
            opened_alerts = select(alert.c.fingerprint).where(alert.c.status == "open")
            assert set(connection.scalars(opened_alerts)) == fingerprints
        replayed = replay.findings(world.database, replay.Question(AFTERWARDS_MS))
        assert {finding.fingerprint for some in replayed for finding, _ in some} == fingerprints
        assert world.derived() == on_record


def from_memory(
    week: list[Message], records: Iterable[Any]
) -> tuple[set[tuple[str, str]], set[tuple[Any, ...]], set[str]]:
    """States as they are saved, legs, and the fingerprints of all findings, from the events alone."""
    # Read as the ledger gives them back, where a number is written one way only.
    week = [json.loads(canonical_bytes(one)) for one in week]
    acts = [one for one in week if one["kind"] in REFERENCE_KINDS | {"correct"}]
    reference = Reference.of(LAW, records, acts)
    scans = [Scan.of(one) for one in week if "cylinder_code" in one]
    received = {one["event_id"]: received_ms(one) for one in week}
    void = story.voided(scans, {one["event_id"]: one["corrects"] for one in acts if "corrects" in one})
    parent: dict[str, str] = {}
    for scan in (one for one in scans if one.event_id not in void):
        aliases = [scan.new_code, *(alias["code"] for alias in (scan.master or {}).get("codes", ()))]
        for alias in aliases:
            if alias is not None and parse_code(alias).text != scan.code:
                parent.setdefault(parse_code(alias).text, scan.code)
    stories: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        root = scan.code
        while root in parent:
            root = parent[root]
        stories[root].append(scan)
    chapters = {
        root: story.told(root, scans, reference, AFTERWARDS_MS) for root, scans in sorted(stories.items())
    }
    states = {(root, chapter.state.saved()) for root, chapter in chapters.items()}
    carried = [
        (root, one)
        for root, chapter in chapters.items()
        for one in {one.no: one for one in chapter.legs}.values()
    ]
    legs = {(root, *(getattr(one, name) for name in _OF_LEG)) for root, one in carried}
    findings = [finding for chapter in chapters.values() for finding in chapter.findings]
    graph = movements(carried, reference)
    for site in graph:
        findings += network_findings(graph, site, reference, AFTERWARDS_MS)
    for scan in scans:
        scan.received_ms = received[scan.event_id]
    days = city_days.gathered(scans, void, findings, [one for _, one in carried])
    findings += city_days.told(days, reference, local_day(AFTERWARDS_MS) - 1)
    return states, legs, {finding.fingerprint for finding in findings}


def test_sites_and_owners_that_come_last_change_what_they_touch(
    opened: Opening, week: list[Message], told_in_order: Derived, city: City
) -> None:
    with opened(records=()) as world:
        arriving(world, week, Random(2))
        assert swept(world) != told_in_order
        halves = city.records[::2], city.records[1::2]
        for half in halves:
            enter(world, half)
            swept(world)
        assert swept(world) == told_in_order


def test_a_record_put_right_changes_what_it_touches(
    opened: Opening, week: list[Message], told_in_order: Derived, city: City
) -> None:
    """A station entered as another firm's depot, an owner with a single district: put right after the week."""
    wrong: list[Any] = []
    for record in city.records:
        if isinstance(record, SiteRecord) and record.type == "filling_station":
            wrong.append(record.model_copy(update={"type": "depot", "owner_id": "another"}))
        elif isinstance(record, OwnerRecord):
            wrong.append(record.model_copy(update={"districts": ("310151",)}))
    with opened() as world:
        enter(world, wrong)
        arriving(world, week, Random(3))
        assert swept(world) != told_in_order
        enter(world, city.records)
        assert swept(world) == told_in_order


def test_a_record_that_changed_has_only_what_it_touches_judged_again(
    opened: Opening, week: list[Message], city: City
) -> None:
    deliveries = [event for event in week if event["kind"] == "deliver"]
    moved = next(
        site for site in city.records if site.record == "site" and site.site_id == deliveries[0]["to_site"]
    )
    touched = {
        event["cylinder_code"]
        for event in week
        if moved.site_id in (event.get("from_site"), event.get("to_site"))
    }
    with opened() as world:
        post(world, week)
        swept(world)
        enter(world, city.records)
        assert sweep.run(world.database, world.cache, AFTERWARDS_MS)["cylinders"] == 0
        enter(
            world,
            [moved.model_copy(update={"district": "310151" if moved.district != "310151" else "310116"})],
        )
        assert sweep.run(world.database, world.cache, AFTERWARDS_MS)["cylinders"] == len(touched)


def test_a_binding_that_is_corrected_leaves_two_cylinders(
    opened: Opening, week: list[Message], told_in_order: Derived
) -> None:
    fills = [event for event in week if event["kind"] == "fill"]
    first, second = (fills[number]["cylinder_code"] for number in (8, 25))
    binding = _act(10, fills[3], "tag_bind", cylinder_code=first, new_code=second)
    correction = _act(
        11, fills[4], "correct", cylinder_code=first, corrects=binding["event_id"], reason="did_not_occur"
    )
    for seed in range(2):
        with opened() as world:
            arriving(world, [*week, binding, correction], Random(seed))
            derived = swept(world)
            assert derived["legs"] == told_in_order["legs"]
            assert derived["alerts"] == told_in_order["alerts"]
            assert {row[0] for row in derived["cylinders"]} == {row[0] for row in told_in_order["cylinders"]}
