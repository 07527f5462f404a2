"""Walk: try rules on the past before they are switched on. Nothing is written but how far it is, and what came out."""

import logging
import os
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cylinder_trace import replay
from cylinder_trace.difference import Difference, Found, Period
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.law.tables import load
from cylinder_trace.settings import PREFIX
from cylinder_trace.store import alerts, cylinders, trials
from cylinder_trace.store.database import Database

log = logging.getLogger(__name__)

MOST_DAYS = 366
MOST_OVERLAP = 100_000
"""Findings that are compared with other rules' alerts."""
SAMPLE = 8
LONGEST_S = 6 * 3600
_BEAT_S = 2.0


def begin(url: str, trial_id: str) -> None:
    """Run a trial that was asked for in a process of its own, on one core and giving way to all others."""
    command = [sys.executable, "-m", "cylinder_trace", "trial", trial_id]
    process = subprocess.Popen(
        command,
        env=os.environ | {f"{PREFIX}DATABASE_URL": url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Somebody has to wait for its end, or the system keeps its entry.
    threading.Thread(target=process.wait, daemon=True).start()


def asked_of(rules: Iterable[str], thresholds: Mapping[str, float], days: int, now_ms: int) -> dict[str, Any]:
    """What a trial is asked, as it is kept. Raises NoLawForThat for a threshold that there is not."""
    load().with_numbers(thresholds)
    return {
        "rules": sorted(rules),
        "thresholds": dict(thresholds),
        "days": days,
        "from_ms": now_ms - days * DAY_MS,
        "to_ms": now_ms,
    }


def run(
    database: Database,
    trial_id: str,
    now_ms: Callable[[], int],
    when_lost: Callable[[], object] = lambda: None,
) -> bool:
    """Do it; gives whether it came to its end. `when_lost` is called where somebody stopped it, to end it at once."""
    with database.reading() as connection:
        row = trials.one(connection, trial_id, now_ms())
    if row is None or row["state"] != "running":
        return False
    progress = _Progress()
    beating = threading.Thread(
        target=_beat, args=(database, trial_id, progress, now_ms, when_lost), daemon=True
    )
    beating.start()
    try:
        found: dict[str, Any] = {"state": "done", "result": _tried(database, row["asked"], progress)}
    except _Lost:
        return False
    except Exception as error:
        log.exception("trial %s failed", trial_id)
        found = {"state": "failed", "error": f"{type(error).__name__}: {error}"[:500]}
    finally:
        progress.over.set()
        beating.join()
    with database.writing() as connection:
        return trials.end(connection, trial_id, now_ms=now_ms(), **found) and found["state"] == "done"


class _Lost(Exception):
    """Somebody stopped the trial."""


@dataclass(slots=True)
class _Progress:
    done: int = 0
    total: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)

    def told(self, what: str, number: int) -> None:
        """What a replay tells of how far it is."""
        if self.lost.is_set():
            raise _Lost
        if what == "to tell":
            self.total = number
        elif what == "cylinders":
            self.done += number


def _beat(
    database: Database,
    trial_id: str,
    progress: _Progress,
    now_ms: Callable[[], int],
    when_lost: Callable[[], object],
) -> None:
    waited_s = 0.0
    while not progress.over.wait(_BEAT_S):
        waited_s += _BEAT_S
        with database.writing() as connection:
            if waited_s > LONGEST_S:
                trials.end(connection, trial_id, "failed", now_ms(), error=f"it took more than {LONGEST_S} s")
            goes_on = trials.beat(connection, trial_id, progress.done, progress.total, now_ms())
        if not goes_on:
            progress.lost.set()
            when_lost()
            return


def _tried(database: Database, asked: Mapping[str, Any], progress: _Progress) -> dict[str, Any]:
    rules, period = frozenset(asked["rules"]), Period(asked["from_ms"], asked["to_ms"])
    question = replay.Question(asked["to_ms"], rules, period, asked["thresholds"], SAMPLE)
    with database.reading() as connection:
        standing = alerts.standing_open(connection, rules)
        difference = Difference(period, rules, standing, SAMPLE)
        number = cylinders.count(connection)
    overlap = _Overlap(period, rules)
    for found in replay.findings(database, question, progress.told, processes=1):
        difference.add(found)
        overlap.add(found)
    difference.close()
    others = overlap.with_others(database)
    report = difference.report("")
    for name, its in report.items():
        its["a_day"] = round(its["found"] / asked["days"], 2)
        its["overlap"] = others.get(name, {"compared": 0, "alerted_by_others": 0, "by_rule": {}})
    found_in_all = sum(its["found"] for its in report.values())
    load_now = found_in_all / asked["days"] / (number / 1000) if number else None
    return {
        "cylinders": number,
        "a_day": round(found_in_all / asked["days"], 2),
        "per_1000_cylinders_and_day": None if load_now is None else round(load_now, 4),
        "rules": report,
    }


@dataclass(slots=True)
class _Overlap:
    """The events that show what is found, to be looked up among the alerts of other rules."""

    period: Period
    rules: frozenset[str]
    events: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, found: Iterable[Found]) -> None:
        """Take in what was found."""
        for one, _ in found:
            if one.rule in self.rules and one.at_ms in self.period and len(self.events) < MOST_OVERLAP:
                self.events.setdefault(one.fingerprint, (one.rule, one.evidence[0]))

    def with_others(self, database: Database) -> dict[str, dict[str, Any]]:
        """By rule: how many were compared, how many of them another rule alerts by the same event, and which."""
        compared: Counter[str] = Counter(rule for rule, _ in self.events.values())
        also: Counter[str] = Counter()
        by_rule: dict[str, Counter[str]] = defaultdict(Counter)
        with database.reading() as connection:
            known = alerts.of_events(connection, sorted({event_id for _, event_id in self.events.values()}))
        for rule, event_id in self.events.values():
            others = set(known.get(event_id, ())) - {rule}
            also[rule] += bool(others)
            by_rule[rule].update(others)
        return {
            rule: {
                "compared": number,
                "alerted_by_others": also[rule],
                "by_rule": dict(by_rule[rule].most_common()),
            }
            for rule, number in compared.items()
        }
