"""Measuring ourselves: judging from memory, and what an event costs in a small and in a large ledger."""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from cylinder_trace import intake
from cylinder_trace.contract.event import written
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.judging import story
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.judging.scan import Scan
from cylinder_trace.law.tables import load
from cylinder_trace.simulator.city import City, Plan, simulate
from cylinder_trace.store import parties
from cylinder_trace.store.database import Database, open_database, upgrade
from cylinder_trace.store.parties import ReferenceCache

END = datetime(2026, 11, 1, tzinfo=UTC)
_SMALL, _LARGE = 10_000, 1_000_000
_BATCH, _ROUNDS = 100, 30


def main() -> int:
    """Print the measurements; ratios within one run can be compared, absolute times depend on the machine."""
    city = simulate(Plan(seed=3, cylinders=2000, days=60, end=END))
    print(f"judging from memory, {len(CYLINDER_RULES)} rules: {judging_rate(city):,.0f} steps/s on one core")
    with tempfile.TemporaryDirectory() as folder:
        small = event_cost_us(city, Path(folder) / "small.sqlite3", _SMALL)
        large = event_cost_us(city, Path(folder) / "large.sqlite3", _LARGE)
    print(
        f"judging one event in a ledger of {_SMALL:,}: {small:.0f} us; of {_LARGE:,}: {large:.0f} us; ratio {large / small:.2f}"
    )
    return 0


def judging_rate(city: City) -> float:
    """Steps a second of the fold over every story of a city, best of five."""
    messages = [written(arrival.event) for arrival in city.arrivals]
    reference = Reference.of(load(), city.records, [one for one in messages if "cylinder_code" not in one])
    stories: dict[str, list[Scan]] = defaultdict(list)
    for message in messages:
        if "cylinder_code" in message:
            scan = Scan.of(message)
            stories[scan.code].append(scan)
    as_of_ms = epoch_ms(city.plan.end)
    steps = sum(map(len, stories.values()))
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        for code, scans in stories.items():
            story.told(code, scans, reference, as_of_ms)
        best = min(best, time.perf_counter() - begun)
    return steps / best


def event_cost_us(city: City, path: Path, size: int) -> float:
    """Median microseconds to judge one new event, in batches, in a ledger that holds `size` events already."""
    url = f"sqlite:///{path}"
    upgrade(url)
    database = open_database(url)
    cache = ReferenceCache(load())
    try:
        with database.writing() as connection:
            parties.put_records(connection, city.records)
        messages = _copies(city)
        while size > 0:
            some = list(islice(messages, min(size, 5000)))
            intake.record(database, some, END, None)
            intake.judge(database, cache, epoch_ms(END))
            size -= len(some)
        return _judged_us(database, cache, city)
    finally:
        database.close()


def _judged_us(database: Database, cache: ReferenceCache, city: City) -> float:
    codes = sorted({arrival.event.code for arrival in city.arrivals if arrival.event.kind == "fill"})[:_BATCH]
    costs = []
    for turn in range(_ROUNDS):
        at = (END + timedelta(hours=1 + turn)).isoformat()
        checks: list[dict[str, Any]] = [
            {
                "kind": "observe",
                "event_id": str(uuid4()),
                "occurred_at": at,
                "cylinder_code": code,
                "site_id": "bench",
                "operator_id": "bench",
                "device_id": "bench",
                "device_seq": turn * _BATCH + number,
            }
            for number, code in enumerate(codes)
        ]
        intake.record(database, checks, END + timedelta(hours=1 + turn), None)
        begun = time.perf_counter()
        judged = intake.judge(database, cache, epoch_ms(END) + (turn + 1) * 3_600_000)
        costs.append((time.perf_counter() - begun) / judged * 1e6)
    return statistics.median(costs)


def _copies(city: City) -> Iterable[dict[str, Any]]:
    """The city's events over and over, each copy with cylinders of its own."""
    copy = 0
    messages = [written(arrival.event) for arrival in city.arrivals]
    while True:
        for message in messages:
            if copy == 0:
                yield message
            elif "cylinder_code" in message and message["kind"] not in {
                "correct",
                "tag_bind",
                "tag_replace",
                "register",
            }:
                yield message | {
                    "event_id": str(uuid4()),
                    "cylinder_code": f"{message['cylinder_code'][-20:]}-{copy}",
                }
        copy += 1
