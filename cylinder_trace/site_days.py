"""Read, judge, remember: what sites did day by day, and what the city's last weeks show. Two steps of the sweep."""

from collections.abc import Iterator, Sequence
from functools import partial

from sqlalchemy import Connection

from cylinder_trace.judging.days import tallied
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import city_findings, day_findings
from cylinder_trace.judging.windows import DAYS, City
from cylinder_trace.store import alerts, codes, consequences, days
from cylinder_trace.store.consequences import Judged
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache


def look_at_days(database: Database, cache: ReferenceCache, now_ms: int, keys: Sequence[str]) -> int:
    """Judge some sites' days and keep their tallies."""
    which = sorted(days.named(key) for key in keys)
    with database.writing() as connection:
        codes.hold(connection, exclusively=False)
        # Before the days are taken: a judge that holds the alerts may be about to mark one of them.
        alerts.hold_shared(connection)
        days.take_off(connection, which)
        reference = cache.read(connection)
        judged, tallies = [], {}
        for site, day in which:
            site_day = days.read(connection, site, day)
            judged.append(Judged(f"day:{site}:{day}", day_findings(site_day, reference), anew=True))
            tallies[site, day] = tallied(site_day, reference)
        consequences.draw(connection, judged, reference, now_ms)
        days.save(connection, tallies, reference, now_ms)
    return len(which)


def look_back(database: Database, cache: ReferenceCache, now_ms: int, keys: Sequence[str]) -> int:
    """Judge what the weeks that end with some of the city's days show."""
    which = sorted(int(key) for key in keys)
    with database.writing() as connection:
        codes.hold(connection, exclusively=False)
        alerts.hold_shared(connection)
        reference = cache.read(connection)
        days.take_off_city(connection, which, reference, now_ms)
        judged = [
            Judged(f"city:{day}", found, anew=True) for day, found in weeks(connection, which, reference)
        ]
        consequences.draw(connection, judged, reference, now_ms)
    return len(which)


def weeks(
    connection: Connection, which: Sequence[int], reference: Reference
) -> Iterator[tuple[int, list[Finding]]]:
    """What the weeks show that end with each of these days, which are in order."""
    for run in _runs(which):
        tallies = days.tallies(connection, run[0] - DAYS + 1, run[-1])
        for day in run:
            city = City.ending(day, tallies)
            yield day, city_findings(city, reference, partial(days.of_person, connection, day=day))


def _runs(which: Sequence[int]) -> list[list[int]]:
    """The days in runs whose windows overlap."""
    runs: list[list[int]] = []
    for day in which:
        if runs and day - runs[-1][-1] < DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
