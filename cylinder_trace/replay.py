"""Walk 6: run the rules over history without effects: what would they have found?"""

from collections.abc import Callable

from sqlalchemy import Connection

from cylinder_trace.judging import story
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import NETWORK_RULES
from cylinder_trace.judging.state import Leg
from cylinder_trace.store import cylinders, ledger
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache


def run(
    database: Database, cache: ReferenceCache, as_of_ms: int, progress: Callable[[int], object] | None = None
) -> list[Finding]:
    """Everything the rules in force find in the whole ledger as of a moment; nothing is written.

    `progress(number)` is called as cylinders are done. Memory grows with the legs and findings.
    """
    findings: list[Finding] = []
    carried: list[tuple[str, Leg]] = []
    with database.reading() as connection:
        reference = cache.read(connection)
        for cylinder_id in cylinders.all_ids(connection):
            chapter = _told(connection, cylinder_id, reference, as_of_ms)
            findings += chapter.findings
            latest = {leg.no: leg for leg in chapter.legs}
            carried += [(cylinder_id, leg) for leg in latest.values()]
            if progress:
                progress(1)
    graph = movements(carried, reference)
    for site in sorted(graph):
        for rule in NETWORK_RULES:
            findings += rule.find(graph, site, reference)
    return findings


def _told(connection: Connection, cylinder_id: str, reference: Reference, as_of_ms: int) -> story.Chapter:
    entries = ledger.of_codes(connection, cylinders.codes_of(connection, cylinder_id))
    return story.told(cylinder_id, [entry.scan for entry in entries], reference, as_of_ms)
