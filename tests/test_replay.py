"""A replay writes nothing, finds what stands, and tells what another threshold or a part of the rules would find."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from cylinder_trace import cli, intake, replay, sweep
from cylinder_trace.contract.event import read_event, written
from cylinder_trace.contract.fields import epoch_ms, moment_of
from cylinder_trace.contract.receipt import LARGEST_BATCH
from cylinder_trace.difference import Difference, Period
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.rules import CYLINDER_RULES, NETWORK_RULES, RULES, SITE_RULES
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS
from cylinder_trace.law.tables import NoLawForThat, load
from cylinder_trace.simulator.city import City, Plan, simulate
from cylinder_trace.store import parties
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.store.tables import alert
from tests.databases import PostgresServer

END = datetime(2026, 11, 20, tzinfo=UTC)
AFTERWARDS_MS = epoch_ms(END) + 4 * DAY_MS
LATER_MS = AFTERWARDS_MS + 3 * HOUR_MS
"""When the days that were touched last have been looked at, too."""


@pytest.fixture(scope="module")
def city() -> City:
    return simulate(
        Plan(seed=5, cylinders=60, days=20, end=END, missed_scan_share=0.05, late_upload_share=0.1,
             faults_of_each_kind=1)
    )  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database for the whole module, of either kind."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("replay") / "replay.sqlite3"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("running_postgres")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="module")
def judged(url: str, city: City) -> Iterator[Database]:
    """The city with corrections of its own, arrived in parts and judged as it came."""
    with closing(open_database(url)) as database:
        cache = ReferenceCache(load())
        with database.writing() as connection:
            parties.put_records(connection, city.records)
        once = list({one.event.event_id: one for one in city.arrivals}.values())
        for start in range(0, len(once), LARGEST_BATCH):
            some = once[start : start + LARGEST_BATCH]
            intake.record(database, [one.event for one in some], some[-1].received_at, None)
            sweep.run(database, cache, epoch_ms(some[-1].received_at))
        ships = [one.event for one in once if one.event.kind in {"ship", "fill"}]
        wrong = [
            {
                "kind": "correct",
                "event_id": f"0000000{number}-0000-4000-8000-000000000000",
                "occurred_at": moment_of(epoch_ms(END)).isoformat(),
                "cylinder_code": one.cylinder_code,
                "corrects": str(one.event_id),
                "reason": "did_not_occur",
            }
            for number, one in enumerate(Random(1).sample(ships, 5))
        ]
        intake.record(database, [written(read_event(one)) for one in wrong], END, None)
        for now_ms in (AFTERWARDS_MS, LATER_MS):
            sweep.run(database, cache, now_ms)
        yield database


def on_record(database: Database, period: Period) -> set[tuple[str, str]]:
    with database.reading() as connection:
        rows = connection.execute(select(alert).where(alert.c.status == "open"))
        return {(row.rule, row.fingerprint) for row in rows if row.at_ms in period}


def found(database: Database, question: replay.Question, processes: int = 1) -> set[tuple[str, str]]:
    findings: dict[str, Finding] = {}
    for some in replay.findings(database, question, processes=processes):
        for one, _ in some:
            if one.fingerprint not in findings or one.at_ms < findings[one.fingerprint].at_ms:
                findings[one.fingerprint] = one
    return {(one.rule, one.fingerprint) for one in findings.values() if one.at_ms in question.period}


def of_rules(found: set[tuple[str, str]], rules: tuple[Any, ...]) -> set[tuple[str, str]]:
    names = {rule.name for rule in rules}
    return {one for one in found if one[0] in names}


def test_what_the_rules_in_force_find_is_what_stands(judged: Database) -> None:
    replayed = found(judged, replay.Question(LATER_MS))
    standing = on_record(judged, Period())
    for rules in (CYLINDER_RULES, SITE_RULES, NETWORK_RULES):
        assert of_rules(replayed, rules) == of_rules(standing, rules)
        assert of_rules(standing, rules)
    difference = replay.run(judged, replay.Question(LATER_MS))
    assert difference.same.total() == len(standing)
    assert not difference.new
    assert not difference.gone


def test_a_closed_period_is_replayed_as_it_stands(judged: Database) -> None:
    week = Period(epoch_ms(END) - 9 * DAY_MS, epoch_ms(END) - 2 * DAY_MS)
    difference = replay.run(judged, replay.Question(LATER_MS, period=week))
    standing = on_record(judged, week)
    assert difference.same.total() == len(standing) > 5
    assert (difference.new.total(), dict(difference.gone)) == (0, {})
    assert len(standing) < len(on_record(judged, Period()))


def test_two_processes_find_what_one_does(judged: Database) -> None:
    question = replay.Question(LATER_MS)
    assert found(judged, question, processes=2) == found(judged, question)


def test_another_threshold_finds_other_things_and_changes_nothing(judged: Database) -> None:
    standing = on_record(judged, Period())
    question = replay.Question(
        LATER_MS, frozenset({"overfill"}), thresholds={"overfill.mass_tolerance_kg": -100.0}
    )
    difference = replay.run(judged, question)
    assert difference.new["overfill"] > 50
    assert not difference.gone
    assert set(difference.by_day) == {"overfill"}
    assert len(difference.samples["overfill", "new"]) == question.sample
    quiet = replay.Question(
        LATER_MS, frozenset({"overfill"}), thresholds={"overfill.mass_tolerance_kg": 100.0}
    )
    assert len(replay.run(judged, quiet).gone["overfill"]) == len(of_rules(standing, (RULES["overfill"],)))
    assert on_record(judged, Period()) == standing
    assert load().number("overfill.mass_tolerance_kg", END.date()) < 10


def test_a_threshold_that_there_is_not_is_refused_with_those_of_its_rule(judged: Database) -> None:
    with pytest.raises(NoLawForThat, match=r"long_dwell\.household_days"):
        replay.run(judged, replay.Question(LATER_MS, thresholds={"long_dwell.houshold": 1.0}))


def test_a_sample_leads_to_the_pages(judged: Database) -> None:
    report = replay.run(judged, replay.Question(LATER_MS, sample=1)).report("https://qp.example")
    [one] = report["overfill"]["sample"]
    assert one["alert"] == f"https://qp.example/alerts/{one['fingerprint']}"
    assert one["cylinder"] == f"https://qp.example/cylinders/{one['subject']}"
    assert sum(report["overfill"]["by_day"].values()) == report["overfill"]["found"]


def test_what_is_gone_is_what_stood_in_the_period_and_is_not_shown() -> None:
    standing = [("a", "overfill", 5), ("b", "overfill", 50)]
    difference = Difference(Period(0, 10), frozenset({"overfill"}), standing)
    difference.close()
    assert difference.gone == {"overfill": ["a"]}


@contextmanager
def asked(monkeypatch: pytest.MonkeyPatch, url: str, folder: Path) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("CYLINDER_TRACE_DATABASE_URL", url)
        patch.chdir(folder)
        yield


def test_the_command_prints_and_writes_the_difference(
    judged: Database,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with asked(monkeypatch, url, tmp_path):
        words = ["replay", "--rules", "long_dwell", "--as-of", moment_of(LATER_MS).isoformat()]
        assert cli.main([*words, "--set", "long_dwell.household_days=1", "--json", "out.json"]) == 0
        assert "long_dwell" in capsys.readouterr().out
        assert json.loads(Path("out.json").read_text())["rules"]["long_dwell"]["new"] > 50
        for wrong, said in (
            (["--rules", "overfil"], "there is no rule overfil; known are"),
            (["--set", "overfill.kg=1"], "overfill.mass_tolerance_kg"),
            (["--set", "overfill.mass_tolerance_kg"], "give a threshold and a number"),
            (["--set", "overfill.mass_tolerance_kg=nan"], "give a threshold and a number"),
        ):
            assert cli.main(["replay", *wrong]) == 2
            assert said in capsys.readouterr().err
    assert judged.engine is not None
