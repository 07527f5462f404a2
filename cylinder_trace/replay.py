"""Walk 6: run the rules over history without effects: what would they have found? Nothing is written.

Every cylinder's story is told anew, some hundred cylinders at a time and in as many processes as are asked for, so
that memory grows with none of them.
"""

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Any, TypeVar

from cylinder_trace import days_anew
from cylinder_trace.days_anew import Evidence, Shown, Stretch
from cylinder_trace.difference import ALWAYS, Difference, Found, Period
from cylinder_trace.judging import story
from cylinder_trace.judging.rule import Rule
from cylinder_trace.judging.rules import LEDGER_RULES, NETWORK_RULES, SITE_RULES, network_findings
from cylinder_trace.law.tables import load as load_law
from cylinder_trace.store import alerts, lives, surroundings
from cylinder_trace.store.database import Database, chunked, open_database
from cylinder_trace.store.parties import ReferenceCache

CYLINDERS_AT_ONCE = 300
"""About 15,000 events: what one process holds in memory of them."""
FEWEST_FOR_PROCESSES = 3000
"""Cylinders from which on a second process is worth its start."""
_WAITING = 3
"""Slices handed to each process ahead of time."""

Told = Callable[[str, int], object]
Key = TypeVar("Key")
Answer = TypeVar("Answer")
_EVERY_RULE = frozenset(LEDGER_RULES)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of history: which rules, in which period, with which thresholds instead of the law's.

    Stories are judged for `as_of_ms` with everything that is on record by now, so that an answer for the rules in
    force is what stands.
    """

    as_of_ms: int
    rules: frozenset[str] = _EVERY_RULE
    period: Period = ALWAYS
    thresholds: Mapping[str, float] = field(default_factory=dict)
    sample: int = 5


def run(
    database: Database,
    question: Question,
    told: Told = lambda _what, _number: None,
    processes: int | None = None,
) -> Difference:
    """What the rules would have found, against what stands. `told(what, number)` is called as it goes.

    Raises NoLawForThat for a threshold that there is not. `processes` None takes two where it is worth it.
    """
    load_law().with_numbers(question.thresholds)
    with database.reading() as connection:
        standing = alerts.standing_open(connection, question.rules)
        difference = Difference(question.period, question.rules, standing, question.sample)
    for found in findings(database, question, told, processes):
        difference.add(found)
    difference.close()
    return difference


def findings(
    database: Database,
    question: Question,
    told: Told = lambda _what, _number: None,
    processes: int | None = None,
) -> Iterator[list[Found]]:
    """All that the rules find in the whole ledger, some whole cylinders, days or sites at a time."""
    here = _Reader(database, question)
    with database.reading() as connection:
        number = lives.count(connection)
    told("to tell", number)
    with _hands(here, number, processes) as hands:
        evidence = Evidence()
        if question.rules - _names(NETWORK_RULES):
            for size, found in hands.cylinders():
                evidence.note(one for one, _ in found)
                yield found
                told("cylinders", size)
        if question.rules & _names(SITE_RULES):
            with database.reading() as connection:
                stretches = partial(hands.stretches, evidence)
                for its in days_anew.city_weeks(connection, here.reference, question.as_of_ms, stretches):
                    yield [(one, None) for one in its]
                    told("days", 1)
        if question.rules & _names(NETWORK_RULES):
            for size, found in hands.networks():
                yield found
                told("sites", size)


def _names(rules: Iterable[Rule]) -> set[str]:
    return {rule.name for rule in rules}


@contextmanager
def _hands(here: "_Reader", cylinders: int, processes: int | None) -> "Iterator[_Hands]":
    """Who does the work: this process, or so many others."""
    if processes is None:
        processes = 2 if cylinders >= FEWEST_FOR_PROCESSES else 1
    if processes == 1:
        yield _Hands(here)
        return
    url = here.database.engine.url.render_as_string(hide_password=False)
    # Spawned, not forked: a fork would share our connections and whatever locks our threads hold.
    with ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_begin, initargs=(url, here.question)
    ) as pool:
        yield _Hands(here, pool, processes * _WAITING)


@dataclass(frozen=True, slots=True)
class _Hands:
    """Work handed out a few pieces ahead, so that neither pieces nor answers pile up."""

    here: "_Reader"
    pool: ProcessPoolExecutor | None = None
    ahead: int = 1

    def cylinders(self) -> Iterator[tuple[int, list[Found]]]:
        """By so many cylinders, what their stories show."""
        with self.here.database.reading() as connection:
            slices = lives.slices(connection, CYLINDERS_AT_ONCE)
            yield from self._each(_of_slice, ((size, (first, last)) for first, last, size in slices))

    def stretches(
        self, evidence: Evidence, sites: list[str], first: int, last: int
    ) -> Iterator[tuple[str, Stretch]]:
        """By site, what its days show."""
        pieces = ((site, (site, first, last, evidence.at(site, first, last))) for site in sites)
        yield from self._each(_of_stretch, pieces)

    def networks(self) -> Iterator[tuple[int, list[Found]]]:
        """By so many sites, what the networks around them show."""
        with self.here.database.reading() as connection:
            sites = sorted(surroundings.judged_sites(connection))
        yield from self._each(_of_sites, ((len(some), (some,)) for some in chunked(sites)))

    def _each(
        self, do: "Callable[..., Answer]", pieces: Iterable[tuple[Key, tuple[Any, ...]]]
    ) -> Iterator[tuple[Key, Answer]]:
        if self.pool is None:
            for key, piece in pieces:
                yield key, do(*piece, reader=self.here)
            return
        waiting: deque[tuple[Key, Future[Answer]]] = deque()
        for key, piece in pieces:
            waiting.append((key, self.pool.submit(do, *piece)))
            if len(waiting) >= self.ahead:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for cycles in what is held: half the time of reading events went into that."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Reader:
    """One process's view of the ledger: its connection, the reference data under the question's thresholds."""

    def __init__(self, database: Database, question: Question) -> None:
        self.database = database
        self.question = question
        with database.reading() as connection:
            law = load_law().with_numbers(question.thresholds)
            self.reference = ReferenceCache(law).read(connection)
            self.corrections = lives.corrections(connection)
            self.void = self.corrections.void

    def cylinders(self, first: str, last: str) -> list[Found]:
        """What the stories of the cylinders from `first` to `last` show."""
        found: list[Found] = []
        with self.database.reading() as connection:
            read = lives.between(connection, first, last)
        for one, scans in read.items():
            corrections = self.corrections.of(scan.event_id for scan in scans)
            made_with = self.corrections.made_with
            devices = {event_id: made_with[event_id] for event_id in corrections if event_id in made_with}
            chapter = story.told(one, scans, self.reference, self.question.as_of_ms, corrections, devices)
            found += [(finding, one) for finding in chapter.findings]
        return found

    def networks(self, sites: list[str]) -> list[Found]:
        """What the networks around some sites show. The legs are those on record: no threshold makes or moves a leg."""
        as_of_ms = self.question.as_of_ms
        with self.database.reading() as connection:
            graphs = surroundings.around(connection, sites, self.reference, as_of_ms)
            return [
                (one, None)
                for site, graph in graphs.items()
                for one in network_findings(graph, site, self.reference, as_of_ms)
            ]

    def stretch(self, site: str, first: int, last: int, evidence: dict[int, list[Shown]]) -> Stretch:
        """What some days of a site show."""
        with self.database.reading() as connection:
            return days_anew.stretch(connection, self.reference, self.void, site, first, last, evidence)


_reader: _Reader | None = None


def _begin(url: str, question: Question) -> None:
    global _reader  # noqa: PLW0603 - one reader for the life of a process of the pool
    _reader = _Reader(open_database(url, reads_all=True), question)
    # What is loaded by now stays: it need not be looked through after every piece.
    gc.freeze()


def _of_slice(first: str, last: str, reader: _Reader | None = None) -> list[Found]:
    with _uncollected():
        return _ours(reader).cylinders(first, last)


def _of_stretch(
    site: str, first: int, last: int, evidence: dict[int, list[Shown]], reader: _Reader | None = None
) -> Stretch:
    with _uncollected():
        return _ours(reader).stretch(site, first, last, evidence)


def _of_sites(sites: list[str], reader: _Reader | None = None) -> list[Found]:
    with _uncollected():
        return _ours(reader).networks(sites)


def _ours(reader: _Reader | None) -> _Reader:
    if reader is None:
        reader = _reader
    assert reader is not None
    return reader
