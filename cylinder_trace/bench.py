"""Measuring ourselves: judging from memory, and what an event costs in a small and in a large ledger."""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from tqdm import tqdm

from cylinder_trace import intake
from cylinder_trace.contract.event import written
from cylinder_trace.contract.fields import epoch_ms, moment_of
from cylinder_trace.contract.receipt import LARGEST_BATCH
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
_LARGE = 1_000_000
_BATCH, _ROUNDS = 50, 40
_COPIES = UUID("6d0e6f39-8d57-4a0b-9a6f-0f6f5a1c2b11")

Message = dict[str, Any]


@dataclass(frozen=True)
class _Ledger:
    database: Database
    cache: ReferenceCache


def main() -> int:
    """Print the measurements; ratios within one run can be compared, absolute times depend on the machine."""
    city = simulate(Plan(seed=3, cylinders=2000, days=60, end=END))
    rate = judging_rate(city)
    print(f"judging from memory: {rate:,.0f} steps/s on one core, {len(CYLINDER_RULES)} rules", flush=True)
    small, large, ratio = event_costs_us(simulate(Plan(seed=4, cylinders=600, days=60, end=END)), _LARGE)
    print(
        f"judging a new event, in batches of {_BATCH}: {small:.0f} us in a ledger of 10 k events,"
        f" {large:.0f} us in one of 1 M; ratio {ratio:.2f} (median of {_ROUNDS} pairs)"
    )
    return 0


def judging_rate(city: City) -> float:
    """Steps a second of one core's time, folding every story of a city from its beginning; best of seven."""
    messages = _messages(city)
    reference = Reference.of(load(), city.records, [one for one in messages if "cylinder_code" not in one])
    stories: dict[str, list[Scan]] = defaultdict(list)
    for message in messages:
        if "cylinder_code" in message:
            scan = Scan.of(message)
            stories[scan.code].append(scan)
    as_of_ms = epoch_ms(city.plan.end)
    steps = sum(map(len, stories.values()))
    best = float("inf")
    for _ in range(7):
        begun = time.process_time()
        for code, scans in stories.items():
            story.told(code, scans, reference, as_of_ms)
        best = min(best, time.process_time() - begun)
    return steps / best


def event_costs_us(city: City, large: int) -> tuple[float, float, float]:
    """Median microseconds to judge a new event where the ledger holds a small city, and `large` events, and their ratio.

    The same events are judged in both, batch by batch in turn, so that a machine that others use slows both alike.
    The large ledger is the city and copies of it, each with cylinders of its own.
    """
    messages = _messages(city)
    history, news = messages[: -_BATCH * _ROUNDS], messages[-_BATCH * _ROUNDS :]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ledgers = [stack.enter_context(_opened(Path(folder) / f"{name}.sqlite3", city)) for name in "ab"]
        for ledger in ledgers:
            _fill(ledger, iter(history), len(history), "the small city")
        _fill(ledgers[1], _copies(history), large - len(history), "copies of it")
        costs: list[list[float]] = [[], []]
        for start in range(0, len(news), _BATCH):
            for ledger, its in zip(ledgers, costs, strict=True):
                its.append(_judged_us(ledger, news[start : start + _BATCH]))
    ratio = statistics.median(b / a for a, b in zip(*costs, strict=True))
    return statistics.median(costs[0]), statistics.median(costs[1]), ratio


@contextmanager
def _opened(path: Path, city: City) -> Iterator[_Ledger]:
    upgrade(f"sqlite:///{path}")
    database = open_database(f"sqlite:///{path}")
    try:
        with database.writing() as connection:
            parties.put_records(connection, city.records)
        yield _Ledger(database, ReferenceCache(load()))
    finally:
        database.close()


def _fill(ledger: _Ledger, messages: Iterator[Message], number: int, what: str) -> None:
    with tqdm(total=number, unit=" events", desc=what, disable=None) as bar:
        while number > 0:
            some = list(islice(messages, min(number, LARGEST_BATCH)))
            _judged_us(ledger, some)
            bar.update(len(some))
            number -= len(some)


def _judged_us(ledger: _Ledger, messages: Sequence[Message]) -> float:
    """Record these events and judge them; microseconds of judging each."""
    now = moment_of(max(epoch_ms(datetime.fromisoformat(one["occurred_at"])) for one in messages))
    intake.record(ledger.database, messages, now, None)
    begun = time.perf_counter()
    intake.judge(ledger.database, ledger.cache, epoch_ms(now))
    return (time.perf_counter() - begun) / len(messages) * 1e6


def _messages(city: City) -> list[Message]:
    """The city's events in the order they arrived, each once."""
    return [
        written(event)
        for event in {arrival.event.event_id: arrival.event for arrival in city.arrivals}.values()
    ]


def _copies(messages: Sequence[Message]) -> Iterator[Message]:
    """What happened to the cylinders over and over, each time to other cylinders."""
    about_cylinders = [one for one in messages if "cylinder_code" in one]
    for copy in count(1):
        for message in about_cylinders:
            yield _renamed(message, copy)


def _renamed(message: Message, copy: int) -> Message:
    renamed = message | {
        "event_id": str(uuid5(_COPIES, f"{copy}/{message['event_id']}")),
        "cylinder_code": f"{message['cylinder_code']}-{copy}",
    }
    if "new_code" in message:
        renamed["new_code"] = f"{message['new_code']}-{copy}"
    if "corrects" in message:
        renamed["corrects"] = str(uuid5(_COPIES, f"{copy}/{message['corrects']}"))
    if codes := message.get("cylinder", {}).get("codes"):
        others = [one | {"code": f"{one['code']}-{copy}"} for one in codes]
        renamed["cylinder"] = message["cylinder"] | {"codes": others}
    return renamed
