"""A rule is tried on the past before it is switched on (promise 18): what it would have found, how many a day, a sample."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import update

from cylinder_trace import replay, trying
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.law.tables import NoLawForThat
from cylinder_trace.store import trials
from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import alert
from cylinder_trace.store.trials import SILENT_MS, Busy
from tests.world import World, code, filled, ms, registered, well_filled

NOW_MS = ms(0) + 10 * DAY_MS


@pytest.fixture
def world(database: Database) -> World:
    """Two overdue fills, one of them 0.2 kg over what it may hold but within the tolerance; and a lawful fill."""
    world = World(database)
    world.post([registered(code(number), valid_until="2026-01-31") for number in (1, 2)])
    world.post(
        [
            filled(code(1), 1),
            filled(code(2), 2, gas_mass_kg=15.1),
            registered(code(3)),
            *well_filled(code(3), 3),
        ]
    )
    world.judge(4)
    return world


def asked(
    world: World,
    rules: list[str],
    now_ms: int = NOW_MS,
    thresholds: Mapping[str, float] = MappingProxyType({}),
) -> str:
    with world.database.writing() as connection:
        return trials.begin(connection, trying.asked_of(rules, thresholds, 30, now_ms), "city", now_ms)


def shown(world: World, trial_id: str, now_ms: int = NOW_MS) -> dict[str, Any]:
    with world.database.reading() as connection:
        found = trials.one(connection, trial_id, now_ms)
    assert found is not None
    return found


def tried(world: World, rules: list[str], **thresholds: float) -> dict[str, Any]:
    trial_id = asked(world, rules, thresholds=thresholds)
    assert trying.run(world.database, trial_id, lambda: NOW_MS)
    return shown(world, trial_id)


def test_promise_18_a_rule_is_tried_on_the_past_before_it_is_switched_on(world: World) -> None:
    before = world.derived()
    found = tried(world, ["overfill"], **{"overfill.mass_tolerance_kg": 0.1})
    assert found["state"] == "done"
    its = found["result"]["rules"]["overfill"]
    assert (its["found"], its["same"], its["new"], its["gone"], its["a_day"]) == (1, 0, 1, 0, 0.03)
    assert its["by_day"] == {"2026-05-04": 1}
    assert its["sample"][0]["cylinder"] == f"/cylinders/{code(2)}"
    assert world.derived() == before


def test_a_trial_says_what_of_it_other_rules_alert_already(world: World) -> None:
    its = tried(world, ["overfill"], **{"overfill.mass_tolerance_kg": 0.1})["result"]["rules"]["overfill"]
    assert its["overlap"]["compared"] == 1
    assert its["overlap"]["alerted_by_others"] == 1
    assert its["overlap"]["by_rule"]["fill_overdue"] == 1
    assert "overfill" not in its["overlap"]["by_rule"]


def test_a_trial_of_the_rules_in_force_finds_what_stands(world: World) -> None:
    its = tried(world, ["fill_overdue"])["result"]["rules"]["fill_overdue"]
    assert (its["found"], its["same"], its["new"], its["gone"]) == (2, 2, 0, 0)
    assert "fill_overdue" not in its["overlap"]["by_rule"]


def test_what_a_person_closed_is_alerted_already_and_not_new(world: World) -> None:
    with world.database.writing() as connection:
        connection.execute(update(alert).where(alert.c.rule == "fill_overdue").values(status="closed"))
    its = tried(world, ["fill_overdue"])["result"]["rules"]["fill_overdue"]
    assert (its["same"], its["new"]) == (2, 0)


def test_a_threshold_that_there_is_not_is_refused_before_anything_runs() -> None:
    with pytest.raises(NoLawForThat):
        trying.asked_of(["overfill"], {"overfill.colour": 1}, 30, NOW_MS)


def test_one_trial_runs_at_a_time_whoever_asks(world: World) -> None:
    first = asked(world, ["overfill"])
    with pytest.raises(Busy) as refused:
        asked(world, ["overfill"], NOW_MS + 1000)
    assert refused.value.trial_id == first
    assert trying.run(world.database, first, lambda: NOW_MS)
    asked(world, ["overfill"])


def test_two_who_ask_at_once_get_one_trial(world: World) -> None:
    came: list[str] = []
    gate = threading.Barrier(2)

    def ask() -> None:
        gate.wait()
        try:
            asked(world, ["overfill"])
            came.append("runs")
        except Busy:
            came.append("busy")

    both = [threading.Thread(target=ask) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(came) == ["busy", "runs"]


def test_a_trial_whose_process_was_killed_says_so_and_makes_way(world: World) -> None:
    trial_id = asked(world, ["overfill"])
    url = world.database.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "cylinder_trace", "trial", trial_id], env={"CYLINDER_TRACE_DATABASE_URL": url}
    )
    process.kill()
    process.wait()
    assert shown(world, trial_id)["state"] == "running"
    later_ms = NOW_MS + SILENT_MS + 1
    assert shown(world, trial_id, later_ms)["state"] == "died"
    asked(world, ["overfill"], later_ms)
    assert not trying.run(world.database, trial_id, lambda: later_ms)


def test_a_trial_that_is_stopped_ends_and_leaves_no_result(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial_id = asked(world, ["overfill"])
    monkeypatch.setattr(trying, "_BEAT_S", 0.05)
    ended = threading.Event()
    real = replay.findings

    def slow(*arguments: Any, **more: Any) -> Any:
        with world.database.writing() as connection:
            assert trials.end(connection, trial_id, "stopped", NOW_MS)
        assert ended.wait(10)
        yield from real(*arguments, **more)

    monkeypatch.setattr(replay, "findings", slow)
    assert not trying.run(world.database, trial_id, lambda: NOW_MS, ended.set)
    assert (shown(world, trial_id)["state"], shown(world, trial_id)["result"]) == ("stopped", None)


def test_a_trial_that_fails_says_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trial_id = asked(world, ["overfill"])

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no more")

    monkeypatch.setattr(replay, "findings", broken)
    assert not trying.run(world.database, trial_id, lambda: NOW_MS)
    assert (shown(world, trial_id)["state"], shown(world, trial_id)["error"]) == (
        "failed",
        "RuntimeError: no more",
    )


def until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it never came to pass")


def test_a_trial_runs_in_a_process_of_its_own(world: World) -> None:
    now_ms = time.time_ns() // 1_000_000
    trial_id = asked(world, ["fill_overdue"], now_ms)
    trying.begin(world.database.engine.url.render_as_string(hide_password=False), trial_id)
    until(lambda: shown(world, trial_id, now_ms)["state"] != "running")
    assert shown(world, trial_id)["state"] == "done"
