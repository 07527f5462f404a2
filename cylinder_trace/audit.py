"""Walk 5: check what is on record, rebuild what was made of it, and compare. Nothing is written.

Leaves are hashed anew from the events; every cylinder's story is told from its beginning, every network and day judged again.
What waits to be judged is left out, so that an audit can run beside the work.
"""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import Connection

from cylinder_trace import site_days, stories
from cylinder_trace.contract.event import read_event
from cylinder_trace.contract.fields import epoch_ms, moment_of
from cylinder_trace.contract.leaf import leaf_hash_of
from cylinder_trace.judging.days import day_name, tallied
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import day_findings, network_findings
from cylinder_trace.store import alerts, cylinders, days, duties, flows, ledger, legs, surroundings
from cylinder_trace.store.database import Database, chunked
from cylinder_trace.store.ledger import Entry
from cylinder_trace.store.parties import ReferenceCache

Told = Callable[[str, int], object]


def run(database: Database, cache: ReferenceCache, told: Told = lambda _what, _number: None) -> Iterator[str]:
    """Every difference between the record and what it must be, in words; nothing where all is well.

    `told(what, number)` is called as events, cylinders and sites are checked.
    """
    with database.reading() as connection:
        for entries in ledger.in_order(connection):
            yield from (difference for entry in entries if (difference := _leaf(entry)))
            yield from _corrections(connection, entries)
            told("events", len(entries))
        reference = cache.read(connection)
        for some in chunked(cylinders.all_ids(connection)):
            yield from _cylinders(connection, some, reference)
            told("cylinders", len(some))
        as_of_ms = surroundings.judged_sites(connection)
        for sites in chunked(sorted(as_of_ms)):
            yield from _sites(connection, sites, as_of_ms, reference)
            told("sites", len(sites))
        for which in chunked(days.looked_at(connection)):
            yield from _days(connection, which, reference)
            told("days", len(which))
        yield from _weeks(connection, days.looked_back_on(connection), reference)
        yield from flows.at_odds(connection)
        yield from alerts.at_odds(connection)
        yield from duties.at_odds(connection)


def _leaf(entry: Entry) -> str | None:
    if leaf_hash_of(entry.body.encode(), moment_of(entry.received_ms)) != entry.leaf_hash:
        return f"event {entry.event_id}: its content or time of receipt is not what was hashed"
    event = read_event(entry.body)
    said = (str(event.event_id), event.kind, getattr(event, "code", None), epoch_ms(event.occurred_at))
    made = (event.site_id, event.operator_id, event.device_id, event.device_seq)
    kept = (entry.event_id, entry.kind, entry.code, entry.occurred_ms)
    if (said, made) != (kept, (entry.site_id, entry.operator_id, entry.device_id, entry.device_seq)):
        return f"event {entry.event_id}: its columns do not say what its content says"
    return None


def _corrections(connection: Connection, entries: list[Entry]) -> Iterator[str]:
    made = {one.event_id: one.message["corrects"] for one in entries if one.kind == "correct"}
    kept = ledger.corrections_kept(connection, [one.event_id for one in entries])
    for event_id in sorted(made.keys() | kept.keys()):
        if made.get(event_id) != kept.get(event_id):
            yield f"event {event_id}: it is not kept as the correction that it is"


def _cylinders(connection: Connection, cylinder_ids: list[str], reference: Reference) -> Iterator[str]:
    kept = cylinders.read_all(connection, cylinder_ids)
    shown = alerts.shown_by(connection, [f"cylinder:{one}" for one in cylinder_ids])
    for one, its in stories.whole(connection, cylinder_ids).items():
        state = kept[one]
        if state is None:
            yield f"cylinder {one}: its state can not be read; it is told anew with its next event"
            continue
        # As of when it was judged: what fell due since is the next sweep's.
        chapter = its.told(one, reference, state.lapsed_ms + 1)
        if chapter.state != state:
            yield f"cylinder {one}: its state is not what its events make it"
        if legs.of_cylinder(connection, one) != list({leg.no: leg for leg in chapter.legs}.values()):
            yield f"cylinder {one}: its legs are not what its events make them"
        if set(shown.get(f"cylinder:{one}", ())) != {finding.fingerprint for finding in chapter.findings}:
            yield f"cylinder {one}: its findings are not what its events show"


def _sites(
    connection: Connection, sites: list[str], as_of_ms: Mapping[str, int], reference: Reference
) -> Iterator[str]:
    shown = alerts.shown_by(connection, [f"site:{one}" for one in sites])
    for moment_ms in sorted({as_of_ms[one] for one in sites}):
        some = [one for one in sites if as_of_ms[one] == moment_ms]
        for one, graph in surroundings.around(connection, some, reference, moment_ms).items():
            found = {finding.fingerprint for finding in network_findings(graph, one, reference, moment_ms)}
            if set(shown.get(f"site:{one}", ())) != found:
                yield f"site {one}: its findings are not what the network around it shows"


def _days(connection: Connection, which: list[days.Day], reference: Reference) -> Iterator[str]:
    shown = alerts.shown_by(connection, [f"day:{site}:{day}" for site, day in which])
    for site, day in which:
        site_day = days.read(connection, site, day)
        tally = tallied(site_day, reference)
        if days.kept_tally(connection, site, day) != (tally.saved() if tally else None):
            yield f"day {day_name(day)} of {site}: its tally is not what was scanned"
        found = {finding.fingerprint for finding in day_findings(site_day, reference)}
        if set(shown.get(f"day:{site}:{day}", ())) != found:
            yield f"day {day_name(day)} of {site}: its findings are not what was scanned shows"


def _weeks(connection: Connection, some: list[int], reference: Reference) -> Iterator[str]:
    shown = alerts.shown_by(connection, [f"city:{day}" for day in some])
    for day, findings in site_days.weeks(connection, some, reference):
        if set(shown.get(f"city:{day}", ())) != {finding.fingerprint for finding in findings}:
            yield f"weeks to {day_name(day)}: their findings are not what the days show"
