"""The judge is measured as it works, in a city's own time, and the measure is what its definitions say."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from cylinder_trace import cli
from cylinder_trace.evaluate import evaluate
from cylinder_trace.hindsight import hindsight
from cylinder_trace.score_table import LEGEND, table
from cylinder_trace.scoring import Busyness, City, Raised, scored
from cylinder_trace.simulator.city import Plan, simulate
from cylinder_trace.simulator.files import write
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, Label, Missed

END = datetime(2026, 11, 20, tzinfo=UTC)
NOON = 1_793_000_000_000
EVENTS = [UUID(int=number, version=4) for number in range(1, 10)]


def label(kind: str, subject: str, *numbers: int, fault: bool = True) -> Label:
    return Label(kind, subject, tuple(EVENTS[number] for number in numbers), fault, "")


def alert(rule: str, subject: str, *numbers: int, status: str = "open", told: bool = True) -> Raised:
    evidence = frozenset(str(EVENTS[number]) for number in numbers)
    told_ms = NOON + 3 * HOUR_MS if told else None
    return Raised(f"{rule}/{subject}", rule, subject, NOON, evidence, status, NOON + HOUR_MS, told_ms)


def city(*labels: Label, missed: tuple[Missed, ...] = ()) -> City:
    at_ms = {str(one): NOON - DAY_MS for one in EVENTS}
    roots = {"NEW": "OLD"}
    return City(labels, 1000, 10, at_ms, lambda code: roots.get(code, code), missed)


def test_an_alert_is_true_by_a_common_event_or_by_its_subject_under_any_code() -> None:
    score = scored(
        city(label("overfill", "A", 1), label("zombie", "NEW", 2)),
        [alert("overfill", "B", 1), alert("zombie", "OLD", 5)],
    )
    for kind in ("overfill", "zombie"):
        one = score.kinds[kind]
        assert (one.planted, one.found, one.true, one.false) == (1, 1, 1, 0)
        assert (one.recall, one.precision, one.f1) == (1, 1, 1)
        assert (one.open_h, one.told_h, one.since_begun_d) == ([1], [3], [1 + 1 / 24])
    assert score.totals["macro_f1"] == 1


def test_an_alert_that_another_fault_explains_stands_aside_and_any_other_is_false() -> None:
    score = scored(city(label("clone", "A", 1)), [alert("double_fill", "A", 7), alert("double_fill", "B", 8)])
    assert (score.kinds["double_fill"].aside, score.kinds["double_fill"].false) == (1, 1)
    assert score.totals["false_per_1000_and_day"] == 0.1
    assert [one.subject for one in score.false_alarms] == ["B"]
    assert score.kinds["clone"].recall == 0
    assert score.totals["macro_f1"] == 0
    assert [one.subject for one in score.missed_faults] == ["A"]


def test_what_was_withdrawn_counts_only_where_people_had_heard_of_it() -> None:
    alerts = [
        alert("overfill", "A", status="withdrawn"),
        alert("overfill", "B", status="withdrawn", told=False),
    ]
    score = scored(city(), alerts)
    kind = score.kinds["overfill"]
    assert (kind.false, kind.told_false, kind.withdrawn) == (0, 1, 2)
    assert (kind.precision, kind.precision_told) == (None, 0)
    assert score.totals["withdrawn_share"] == 1


def test_a_fault_whose_alert_was_withdrawn_is_not_found() -> None:
    score = scored(city(label("overfill", "A", 1)), [alert("overfill", "A", 1, status="withdrawn")])
    assert score.kinds["overfill"].found == 0


def test_a_look_alike_is_alarmed_by_an_alert_on_its_events_only() -> None:
    lawful = label("overfill", "A", 1, fault=False)
    assert scored(city(lawful), [alert("overfill", "A", 2)]).kinds["overfill"].alarmed == 0
    score = scored(city(lawful), [alert("overfill", "A", 1)])
    assert score.kinds["overfill"].alarmed == 1
    assert score.totals["lookalikes_alarmed_share"] == 1
    assert score.kinds["overfill"].false == 1


def test_a_condition_that_accuses_nobody_is_no_alarm() -> None:
    score = scored(city(), [alert("due_soon", "A")])
    assert score.totals["false_per_1000_and_day"] == 0
    assert score.totals["alerts_per_1000_and_day"] == 0


def test_a_false_alarm_after_a_missed_scan_is_false_and_given_apart() -> None:
    missed = (Missed("NEW", "receive", "S", NOON - DAY_MS),)
    score = scored(city(missed=missed), [alert("double_fill", "OLD"), alert("double_fill", "C")])
    assert (score.kinds["double_fill"].false, score.kinds["double_fill"].unscanned) == (2, 1)


def test_a_city_is_counted_from_its_first_busy_day() -> None:
    busyness = Busyness()
    busyness.note(NOON - 400 * DAY_MS, "gun")
    busyness.note(NOON - 500 * DAY_MS, None)
    for day in range(5):
        for _ in range(20):
            busyness.note(NOON + day * DAY_MS, "gun")
    assert busyness.days == 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluated")
    write(simulate(Plan(seed=8, cylinders=40, days=8, end=END, faults_of_each_kind=1)), path)
    return path


def test_a_city_judged_as_it_arrives_and_in_hindsight_finds_the_same_facts_of_fills() -> None:
    small = simulate(Plan(seed=8, cylinders=40, days=8, end=END, faults_of_each_kind=1))
    arrived = evaluate(small.records, small.arrivals, small.labels, small.missed)
    behind = hindsight(small.records, small.arrivals, small.labels, small.missed)
    for kind in ("fill_overdue", "overfill", "medium_mismatch", "foreign_fill", "zombie"):
        assert arrived.kinds[kind].recall == behind.kinds[kind].recall == 1
        assert arrived.kinds[kind].false == behind.kinds[kind].false == 0
    [told_h] = arrived.kinds["overfill"].told_h
    assert 0 < told_h < 24
    assert arrived.totals["days"] == pytest.approx(8, abs=1)
    lines = list(table(arrived))
    assert len({len(line.encode("gbk", "replace")) for line in lines[: len(arrived.kinds) + 1]}) == 1


def test_the_command_scores_files_and_writes_json(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["evaluate", "--events", str(folder / "events.jsonl"), "--labels", str(folder / "labels.jsonl")]
    out = tmp_path / "score.json"
    assert cli.main([*words, "--hindsight", "--json", str(out)]) == 0
    assert "超装" in capsys.readouterr().out
    score = json.loads(out.read_text())
    assert score["kinds"]["overfill"]["recall"] == 1
    assert set(score["totals"]) >= {"macro_f1", "false_per_1000_and_day", "lookalikes_alarmed_share"}
    assert cli.main(["evaluate", "--events", "nowhere.jsonl", "--labels", "x"]) == 2


def test_every_column_of_the_table_is_explained_below_it() -> None:
    heads = next(iter(table(scored(City([], 1, 1, {}), [])))).split()[1:]
    explained = " ".join(line[2:18] for line in LEGEND.splitlines()[1:]).replace(",", " ").split()
    assert len(heads) > 10
    assert set(heads) <= set(explained)
