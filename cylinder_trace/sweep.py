"""Walk 2: on a timetable. Pending events, then woken cylinders, then the network around changed sites."""

from collections.abc import Callable

from cylinder_trace import intake
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.rules import NETWORK_RULES
from cylinder_trace.store import alerts, consequences, cylinders, legs
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

BATCH = 2000


def run(
    database: Database,
    cache: ReferenceCache,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, int]:
    """Bring everything up to `now_ms`; gives how many events, cylinders and sites were looked at.

    `progress(what, number)` is called after every transaction. What is interrupted goes on at the next run.
    """
    looked = {"events": 0, "cylinders": 0, "sites": 0}
    for what, step in (("events", _pending), ("cylinders", _woken), ("sites", _network)):
        while number := step(database, cache, now_ms):
            looked[what] += number
            if progress:
                progress(what, number)
    return looked


def _pending(database: Database, cache: ReferenceCache, now_ms: int) -> int:
    return intake.judge(database, cache, now_ms, BATCH)


def _woken(database: Database, cache: ReferenceCache, now_ms: int) -> int:
    with database.writing() as connection:
        due = cylinders.due(connection, now_ms, BATCH)
        if due:
            intake.judge_stories(connection, cache, (), now_ms, wake=due)
    return len(due)


def _network(database: Database, cache: ReferenceCache, now_ms: int) -> int:
    with database.writing() as connection:
        # Before the sites are taken: a judge that holds the alerts may be about to mark one of them.
        alerts.hold_shared(connection)
        sites = legs.touched(connection, BATCH)
        reference = cache.read(connection)
        for site in sites:
            graph = movements(legs.suspicious_around(connection, site), reference)
            findings = [finding for rule in NETWORK_RULES for finding in rule.find(graph, site, reference)]
            consequences.draw(
                connection, f"site:{site}", findings, reference, now_ms, anew=True, at_site=site
            )
    return len(sites)
