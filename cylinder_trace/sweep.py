"""Walk 2: on a timetable. Pending events, woken cylinders, sites' days, then the network around changed sites."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from cylinder_trace import intake, site_days, stories
from cylinder_trace.judging.rules import network_findings, network_wake_ms
from cylinder_trace.store import alerts, codes, consequences, cylinders, days, ledger, legs, surroundings
from cylinder_trace.store.consequences import Judged
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
BATCH = 2000


@dataclass(frozen=True, slots=True)
class _Step:
    """One list of work: what is due on it, how some of it is done in one transaction, and how a piece is put off.

    What `gathers` lets more of the same come in before it is looked at.
    """

    what: str
    due: Callable[[Connection, int, int], list[str]]
    do: Callable[[Database, ReferenceCache, int, Sequence[str]], int]
    put_off: Callable[[Connection, str, int, str], None]
    gathers: bool = False


def run(
    database: Database,
    cache: ReferenceCache,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
    gathered_ms: int = 0,
) -> dict[str, int]:
    """Bring everything up to `now_ms`; gives how many events, cylinders and sites were looked at, and how many failed.

    `progress(what, number)` is called after every transaction. What is interrupted goes on at the next run.
    Days on which late events came wait for more of them; those that would wait no longer than `gathered_ms` do not.
    """
    looked = {step.what: 0 for step in _STEPS} | {"failed": 0}
    for step in _STEPS:
        while True:
            with database.reading() as connection:
                due = step.due(connection, now_ms + gathered_ms * step.gathers, BATCH)
            if not due:
                break
            done, failed = _done(step, database, cache, now_ms, due)
            looked[step.what] += done
            looked["failed"] += failed
            if progress:
                progress(step.what, done)
            if not done and not failed:  # others are at it
                break
    return looked


def _done(
    step: _Step, database: Database, cache: ReferenceCache, now_ms: int, keys: Sequence[str]
) -> tuple[int, int]:
    """Do some work; gives how many pieces were done, and failed. A batch that fails is halved until the bad piece is found."""
    failure: Exception
    try:
        return step.do(database, cache, now_ms, keys), 0
    except (OperationalError, InterfaceError):
        raise  # the database is away, which is no piece's fault
    except Exception as error:  # a rule that fails costs its own piece only: it is noted and tried again
        failure = error
    if len(keys) > 1:
        half = len(keys) // 2
        halves = [_done(step, database, cache, now_ms, some) for some in (keys[:half], keys[half:])]
        return sum(done for done, _ in halves), sum(failed for _, failed in halves)
    log.error("could not be judged, put off", exc_info=failure, extra={"what": step.what, "key": keys[0]})
    with database.writing() as connection:
        step.put_off(connection, keys[0], now_ms, f"{type(failure).__name__}: {failure}")
    return 0, 1


def _judge(database: Database, cache: ReferenceCache, now_ms: int, event_ids: Sequence[str]) -> int:
    return intake.judge(database, cache, now_ms, only=event_ids)


def _wake(database: Database, cache: ReferenceCache, now_ms: int, cylinder_ids: Sequence[str]) -> int:
    with database.writing() as connection:
        stories.move(connection, cache, (), {}, now_ms, now_ms, wake=cylinder_ids)
    return len(cylinder_ids)


def _look_around(database: Database, cache: ReferenceCache, now_ms: int, sites: Sequence[str]) -> int:
    with database.writing() as connection:
        codes.hold(connection, exclusively=False)
        # Before the sites are marked: a judge that holds the alerts may be about to mark one of them.
        alerts.hold_shared(connection)
        reference = cache.read(connection)
        # What a customer gives back, to whomever, changes how its suppliers stand.
        legs.touch(connection, {*sites, *surroundings.suppliers(connection, sites, reference, now_ms)})
        judged, again_ms = [], {}
        for site, graph in surroundings.around(connection, sites, reference, now_ms).items():
            found = network_findings(graph, site, reference, now_ms)
            judged.append(Judged(f"site:{site}", found, anew=True))
            again_ms[site] = network_wake_ms(graph, site, reference, now_ms)
        consequences.draw(connection, judged, reference, now_ms)
        legs.looked_at(connection, again_ms)
    return len(sites)


_STEPS = (
    _Step("events", ledger.waiting, _judge, ledger.put_off),
    _Step("cylinders", cylinders.due, _wake, cylinders.put_off),
    _Step("days", days.due, site_days.look_at_days, days.put_off, gathers=True),
    _Step("city days", days.city_due, site_days.look_back, days.put_off_city, gathers=True),
    _Step("sites", legs.touched, _look_around, legs.put_off),
)
