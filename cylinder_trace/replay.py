"""Walk 6: run the rules over history without effects: what would they have found?"""

from collections.abc import Callable

from cylinder_trace import stories
from cylinder_trace.judging import story
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.rules import network_findings
from cylinder_trace.judging.state import Leg
from cylinder_trace.store import cylinders
from cylinder_trace.store.database import Database, chunked
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
        for some in chunked(cylinders.all_ids(connection)):
            for cylinder_id, its in stories.whole(connection, some).items():
                chapter = story.told(cylinder_id, its.scans, reference, as_of_ms, its.corrections)
                findings += chapter.findings
                latest = {leg.no: leg for leg in chapter.legs}
                carried += [(cylinder_id, leg) for leg in latest.values()]
            if progress:
                progress(len(some))
    graph = movements(carried, reference)
    for site in sorted(graph):
        findings += network_findings(graph, site, reference)
    return findings
