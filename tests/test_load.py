"""Outside data are read line by line, safely repeated, and every line that is not taken is named with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cylinder_trace import load, sweep
from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.receipt import LARGEST_BATCH
from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import event
from tests.world import (
    DEPOT,
    FAR_CUSTOMER,
    MONDAY_MS,
    World,
    code,
    filled,
    moved,
    ms,
    registered,
    well_filled,
)


def written(path: Path, *lines: Any) -> Path:
    """A file with these lines: objects as JSON, bytes as they are."""
    with path.open("wb") as file:
        for line in lines:
            file.write(
                (line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode()) + b"\n"
            )
    return path


def received(message: dict[str, Any], hours: float) -> dict[str, Any]:
    return {"received_at": moment_of(ms(hours)).isoformat(), "event": message}


def test_a_file_read_twice_is_on_record_once(database: Database, tmp_path: Path) -> None:
    messages = [registered(code(1)), *well_filled(code(1), 1)]
    events = written(tmp_path / "events.jsonl", *(received(one, 2) for one in messages))
    told: list[int] = []
    first = load.run(database, None, events, MONDAY_MS, told.append)
    again = load.run(database, None, events, MONDAY_MS)
    assert (first.counts["stored"], again.counts["duplicate"], again.counts["stored"]) == (4, 4, 0)
    assert sum(told) == 4
    with database.reading() as connection:
        assert set(connection.scalars(select(event.c.received_ms))) == {ms(2)}


def test_an_event_without_a_time_of_receipt_is_received_now(database: Database, tmp_path: Path) -> None:
    load.run(database, None, written(tmp_path / "events.jsonl", filled(code(1), 1)), ms(5))
    with database.reading() as connection:
        assert list(connection.scalars(select(event.c.received_ms))) == [ms(5)]


def test_each_bad_line_is_named_and_costs_no_other(database: Database, tmp_path: Path) -> None:
    fill, twice = filled(code(1), 1), b'{"kind":"fill","kind":"scrap"}'
    lines = [
        received(fill, 2),
        b"not json",
        twice,
        b"",
        {"received_at": "2026-05-04T10:00:00", "event": filled(code(2), 1)},
        {"received_at": "yesterday", "event": filled(code(3), 1)},
        {"event": filled(code(4), 1)},
        filled(code(5), 1) | {"colour": "red"},
        "测".encode("gbk"),
        b'{"event":' * 3000,
        received(filled(code(6), 1), 2),
    ]
    report = load.run(database, None, written(tmp_path / "events.jsonl", *lines), MONDAY_MS)
    assert report.counts == {"records": 0, "stored": 2, "duplicate": 0, "refused": 8}
    numbers = [
        line.partition(":")[0] for line in sorted(report.refused, key=lambda one: int(one.split()[1][:-1]))
    ]
    assert numbers == [f"line {number}" for number in (2, 3, 5, 6, 7, 8, 9, 10)]
    said = " ".join(report.refused)
    for words in ("kind: is given more than once", "received_at", "colour: is no field", "UTF-8"):
        assert words in said


def test_master_records_are_read_and_bad_ones_named(database: Database, tmp_path: Path) -> None:
    world = World(database, licences=False)
    site = {
        "record": "site",
        "site_id": "new",
        "name": "新站",
        "type": "filling_station",
        "district": "310112",
    }
    master = written(tmp_path / "master.jsonl", site, site | {"district": "闵行"}, {"record": "house"})
    report = load.run(database, master, None, MONDAY_MS)
    assert (report.counts["records"], report.counts["refused"]) == (1, 2)
    assert [line.partition(":")[0] for line in report.refused] == ["line 2", "line 3"]
    with database.reading() as connection:
        assert "new" in world.cache.read(connection).sites


def test_a_loaded_backlog_is_judged_for_the_time_it_was_received(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that came an hour after its fill explains it, though both are judged long after, one by one."""
    monkeypatch.setattr(sweep, "BATCH", 1)
    world = World(database)
    fill, *checks = filled(code(1), 1), *well_filled(code(1), 1)[::2]
    # One after the other: which of two that came in the same moment is judged first alone is nobody's promise.
    late = [received(check, 2 + number / 10) for number, check in enumerate(checks)]
    lines = [received(registered(code(1)), 0), received(fill, 1), *late]
    load.run(database, None, written(tmp_path / "events.jsonl", *lines), ms(900))
    world.sweep(900)
    assert world.alerts() == set()
    assert world.alerts("withdrawn") == set()


def test_a_file_may_have_more_lines_than_a_batch(database: Database, tmp_path: Path) -> None:
    lines = [filled(code(number), 1) for number in range(LARGEST_BATCH + 1)]
    report = load.run(database, None, written(tmp_path / "events.jsonl", *lines), MONDAY_MS)
    assert report.counts["stored"] == LARGEST_BATCH + 1


def test_a_life_imported_from_long_ago_fails_no_rule(database: Database) -> None:
    """Thresholds hold for whatever is judged; only what a legislator limits has a first day."""
    world = World(database)
    long_ago = -24 * 365 * 60
    world.post([registered(code(1), long_ago, working_pressure_mpa=2.1), filled(code(1), long_ago + 1)])
    world.post([filled(code(1), long_ago + 2, gas_mass_kg=None, pressure_mpa=3.0)])
    world.post([moved("deliver", code(1), long_ago + 3, DEPOT, FAR_CUSTOMER)])
    assert world.sweep(1)["failed"] == world.sweep(100)["failed"] == 0
