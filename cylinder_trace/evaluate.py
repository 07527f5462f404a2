"""Measuring the judge: a simulated city is recorded, judged, swept and told as it would have been, then scored.

The real walks work on a database of their own, which is gone afterwards. Time passes as the events arrive: what
arrived in ten minutes is judged together, a sweep comes every hour, and notices that are due count as told.
"""

import gc
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from cylinder_trace import intake, sweep
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.receipt import LARGEST_BATCH
from cylinder_trace.judging.handling.routing import EVERYWHERE, Recipient
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, MINUTE_MS
from cylinder_trace.law.tables import Law, load
from cylinder_trace.scoring import Busyness, City, Raised, Score, scored
from cylinder_trace.simulator.plan import Arrival, Label, Missed
from cylinder_trace.store import codes, lives, notices, outcomes, parties, recipients
from cylinder_trace.store.database import Database, open_database, upgrade
from cylinder_trace.store.parties import ReferenceCache

STAYS_BUSY_MS = 2 * DAY_MS
"""How long after a device's scan the timetable is kept; the papers of quiet years are taken in day by day."""

Told = Callable[[int], object]


@dataclass(slots=True)
class Timetable:
    """How the server works in the simulated time."""

    judge_every_ms: int = 10 * MINUTE_MS
    sweep_every_ms: int = HOUR_MS


@dataclass(slots=True)
class _Course:
    """What is noted while time passes. `told` and `taken_back` say when people first heard of an alert, and of its end."""

    now_ms: int = 0
    swept_ms: int = 0
    scanned_ms: int = 0
    busyness: Busyness = field(default_factory=Busyness)
    at_ms: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    taken_back: dict[str, int] = field(default_factory=dict)

    def is_busy(self, at_ms: int) -> bool:
        """Whether devices scan in these days."""
        return at_ms < self.scanned_ms + STAYS_BUSY_MS


def evaluate(
    records: Iterable[Any],
    arrivals: Iterable[Arrival],
    labels: Iterable[Label],
    missed: Iterable[Missed] = (),
    told: Told = lambda _number: None,
    law: Law | None = None,
    timetable: Timetable | None = None,
) -> Score:
    """Score the judge over a city, which is judged for the moment its last event arrived; `told(number)` as events are done.

    `arrivals` come in the order they arrived and may be a stream.
    """
    labels = list(labels)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'evaluated.sqlite3'}"
        upgrade(url)
        database = open_database(url, is_scratch=True)
        # The city stays: looking through it for what can be given back took a good part of the time.
        gc.freeze()
        try:
            cache = ReferenceCache(law or load())
            with database.writing() as connection:
                parties.put_records(connection, list(records))
                recipients.put(connection, Recipient("everybody@example.org", EVERYWHERE, ""))
            named = {str(one) for label in labels for one in label.event_ids}
            course = _lived(database, cache, arrivals, named, told, timetable or Timetable())
            return _score(database, course, labels, missed)
        finally:
            gc.unfreeze()
            database.close()


def _lived(
    database: Database,
    cache: ReferenceCache,
    arrivals: Iterable[Arrival],
    named: set[str],
    told: Told,
    timetable: Timetable,
) -> _Course:
    course = _Course()

    def slot(arrival: Arrival) -> int:
        received_ms = epoch_ms(arrival.received_at)
        device = getattr(arrival.event, "device_id", None)
        course.busyness.note(received_ms, device)
        if device is not None:
            course.scanned_ms = received_ms
        return received_ms // (timetable.judge_every_ms if course.is_busy(received_ms) else DAY_MS)

    for _, arrived in groupby(arrivals, key=slot):
        batch = list(arrived)
        _pass_time(database, cache, course, epoch_ms(batch[0].received_at), timetable)
        for arrival in batch:
            event_id = str(arrival.event.event_id)
            if event_id in named:
                course.at_ms[event_id] = epoch_ms(arrival.event.occurred_at)
        for start in range(0, len(batch), LARGEST_BATCH):
            some = batch[start : start + LARGEST_BATCH]
            moments = [one.received_at for one in some]
            intake.record(database, [one.event for one in some], moments[-1], None, each_at=moments)
        course.now_ms = max(course.now_ms, epoch_ms(batch[-1].received_at))
        course.swept_ms = course.swept_ms or course.now_ms
        while intake.judge(database, cache, course.now_ms, LARGEST_BATCH) == LARGEST_BATCH:
            pass
        _tell(database, course)
        told(len(batch))
    _sweep(database, cache, course, course.now_ms)
    return course


def _pass_time(
    database: Database, cache: ReferenceCache, course: _Course, until_ms: int, timetable: Timetable
) -> None:
    """Make the sweeps that lie between the last one and a moment."""
    while course.now_ms:
        every_ms = timetable.sweep_every_ms if course.is_busy(course.swept_ms) else DAY_MS
        next_ms = (course.swept_ms // every_ms + 1) * every_ms
        if next_ms > until_ms:
            return
        _sweep(database, cache, course, next_ms)


def _sweep(database: Database, cache: ReferenceCache, course: _Course, now_ms: int) -> None:
    course.now_ms = max(course.now_ms, now_ms)
    sweep.run(database, cache, course.now_ms)
    course.swept_ms = course.now_ms
    _tell(database, course)


def _tell(database: Database, course: _Course) -> None:
    """Count the notices that are due as told, without a mail."""
    with database.reading() as connection:
        if not notices.is_any_due(connection, course.now_ms):
            return
    with database.writing() as connection:
        while rows := notices.due(connection, course.now_ms, 500):
            notices.told(connection, rows)
            for row in rows:
                heard = course.taken_back if row["reason"] == "withdrawn" else course.told
                heard.setdefault(row["fingerprint"], course.now_ms)


def _score(database: Database, course: _Course, labels: Sequence[Label], missed: Iterable[Missed]) -> Score:
    missed = list(missed)
    with database.reading() as connection:
        alerts = [
            Raised(
                fingerprint=row["fingerprint"],
                rule=row["rule"],
                subject=row["subject"],
                at_ms=row["at_ms"],
                evidence=evidence,
                status=row["status"],
                opened_ms=row["first_opened_ms"],
                told_ms=course.told.get(row["fingerprint"]),
                taken_back_ms=course.taken_back.get(row["fingerprint"]),
            )
            for row, evidence in outcomes.every_alert(connection)
        ]
        named = {label.subject for label in labels} | {one.cylinder_code for one in missed}
        roots = codes.roots_of(connection, named | {alert.subject for alert in alerts})
        cylinders = lives.count(connection)
    city = City(
        labels, cylinders, course.busyness.days, course.at_ms, lambda code: roots.get(code, code), missed
    )
    return scored(city, alerts)
