"""Walk 6: run the rules over history without effects: what would they have found? Nothing is written.

Every cylinder's story is told anew, some hundred cylinders at a time and in as many processes as are asked for, so
that memory grows with none of them.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from cylinder_trace.difference import ALWAYS, Difference, Found, Period
from cylinder_trace.judging import story
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.rules import NETWORK_RULES, RULES, network_findings
from cylinder_trace.law.tables import load as load_law
from cylinder_trace.store import alerts, legs, lives
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache

CYLINDERS_AT_ONCE = 300
"""About 15,000 events: what one process holds in memory of them."""
FEWEST_FOR_PROCESSES = 3000
"""Cylinders from which on a second process is worth its start."""
_WAITING = 3
"""Slices handed to each process ahead of time."""

Told = Callable[[str, int], object]
_EVERY_RULE = frozenset(RULES)


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
    yield from _of_cylinders(here, number, told, processes)
    if question.rules & {rule.name for rule in NETWORK_RULES}:
        yield from here.networks(told)


def _of_cylinders(here: "_Reader", number: int, told: Told, processes: int | None) -> Iterator[list[Found]]:
    if processes is None:
        processes = 2 if number >= FEWEST_FOR_PROCESSES else 1
    with here.database.reading() as connection:
        slices = lives.slices(connection, CYLINDERS_AT_ONCE)
        if processes == 1:
            for first, last, size in slices:
                yield here.cylinders(first, last)
                told("cylinders", size)
            return
        url = here.database.engine.url.render_as_string(hide_password=False)
        # Spawned, not forked: a fork would share our connections and whatever locks our threads hold.
        with ProcessPoolExecutor(
            processes, get_context("spawn"), initializer=_begin, initargs=(url, here.question)
        ) as pool:
            for size, found in _in_turn(pool, slices, processes * _WAITING):
                yield found
                told("cylinders", size)


def _in_turn(
    pool: ProcessPoolExecutor, slices: Iterator[tuple[str, str, int]], ahead: int
) -> Iterator[tuple[int, list[Found]]]:
    """Hand out slices a few ahead, so that neither they nor their answers pile up."""
    waiting: deque[tuple[int, Future[list[Found]]]] = deque()
    for first, last, size in slices:
        waiting.append((size, pool.submit(_of_slice, first, last)))
        if len(waiting) >= ahead:
            yield _answer(*waiting.popleft())
    while waiting:
        yield _answer(*waiting.popleft())


def _answer(size: int, found: "Future[list[Found]]") -> tuple[int, list[Found]]:
    return size, found.result()


class _Reader:
    """One process's view of the ledger: its connection, the reference data under the question's thresholds."""

    def __init__(self, database: Database, question: Question) -> None:
        self.database = database
        self.question = question
        with database.reading() as connection:
            law = load_law().with_numbers(question.thresholds)
            self.reference = ReferenceCache(law).read(connection)
            self.corrections = lives.corrections(connection)

    def cylinders(self, first: str, last: str) -> list[Found]:
        """What the stories of the cylinders from `first` to `last` show."""
        found: list[Found] = []
        with self.database.reading() as connection:
            read = lives.between(connection, first, last)
        for one, scans in read.items():
            corrections = self.corrections.of(scan.event_id for scan in scans)
            chapter = story.told(one, scans, self.reference, self.question.as_of_ms, corrections)
            found += [(finding, one) for finding in chapter.findings]
        return found

    def networks(self, told: Told) -> Iterator[list[Found]]:
        """What the networks around the sites show. The legs are those on record: no threshold makes or moves a leg."""
        with self.database.reading() as connection:
            for site in legs.judged_sites(connection):
                graph = movements(legs.suspicious_around(connection, site), self.reference)
                yield [(one, None) for one in network_findings(graph, site, self.reference)]
                told("sites", 1)


_reader: _Reader | None = None


def _begin(url: str, question: Question) -> None:
    global _reader  # noqa: PLW0603 - one reader for the life of a process of the pool
    _reader = _Reader(open_database(url), question)


def _of_slice(first: str, last: str) -> list[Found]:
    assert _reader is not None
    return _reader.cylinders(first, last)
