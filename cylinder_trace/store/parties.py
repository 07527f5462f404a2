"""Sites, owners and persons, and the reference data that judging asks; loaded again only when they changed."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from cylinder_trace.contract.event import REFERENCE_KINDS
from cylinder_trace.contract.master import read_record
from cylinder_trace.judging.devices import Enrolment
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.tables import Law
from cylinder_trace.store import codes, ledger, retelling
from cylinder_trace.store.database import chunked, put
from cylinder_trace.store.ledger import Entry
from cylinder_trace.store.tables import device, party, reference_version


class ReferenceCache:
    """The reference data as of the newest change, kept in memory by a process."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._kept: tuple[int, Reference] = (-1, Reference(law))

    def read(self, connection: Connection) -> Reference:
        """The reference data in force; costs one small query when nothing changed."""
        version = connection.scalar(select(reference_version.c.version)) or 0
        kept, reference = self._kept
        if version != kept:
            bodies = connection.scalars(select(party.c.body))
            messages = [entry.message for entry in ledger.of_kinds(connection, sorted(REFERENCE_KINDS))]
            corrections = ledger.corrections_of(connection, [one["event_id"] for one in messages])
            messages += [
                {"kind": "correct", "event_id": one, "corrects": corrected}
                for one, corrected in corrections.items()
            ]
            which = select(device.c.device_id, device.c.site_id, device.c.is_office, device.c.enrolled_ms)
            enrolled = {one: Enrolment(*its) for one, *its in connection.execute(which)}
            reference = Reference.of(self._law, map(read_record, bodies), messages, enrolled)
            # In one assignment, because threads share it.
            self._kept = (version, reference)
        return reference


def put_records(connection: Connection, records: Iterable[Any]) -> None:
    """Remember master records, and have the stories that they change judged again.

    A record replaces the one of the same id that holds from the same day; the others of its history stand.
    """
    latest = {_key(one): one for one in records}
    if not latest:
        return
    codes.hold(connection, exclusively=True)
    before = _known(connection, {record_id for _, record_id, _ in latest})
    rows = [
        {"record": kind, "id": record_id, "valid_from": day, "body": one.model_dump_json(exclude_none=True)}
        for (kind, record_id, day), one in latest.items()
    ]
    put(connection, party, rows)
    changed(connection)
    retelling.of_records(connection, before, latest)


def note_acts(connection: Connection, acts: Mapping[str, Entry]) -> None:
    """Papers came or were corrected: the stories of which they decide are judged again.

    `acts` maps the id of the event that made the difference to the paper itself.
    """
    # Before the list of those to be told anew grows: a judge with the old law may be taking it down.
    codes.hold(connection, exclusively=True)
    changed(connection)
    for because, act in acts.items():
        retelling.of_paper(connection, act, because)


def note_device(connection: Connection, device_id: str, from_ms: int) -> None:
    """A device was enrolled: what it scanned since is judged again."""
    codes.hold(connection, exclusively=True)
    changed(connection)
    retelling.of_device(connection, device_id, from_ms)


def changed(connection: Connection) -> None:
    """Tell every process that the reference data it holds are out of date."""
    # By chance and not by counting on: a transaction that is rolled back would otherwise leave its number, with
    # what it alone had seen, in a process that takes the next change for the one it knows.
    put(connection, reference_version, [{"one": 1, "version": secrets.randbits(62)}])


def _key(record: Any) -> retelling.Key:
    day = record.valid_from.isoformat() if record.valid_from else ""
    return record.record, getattr(record, f"{record.record}_id"), day


def _known(connection: Connection, record_ids: Iterable[str]) -> dict[retelling.Key, Any]:
    known: dict[retelling.Key, Any] = {}
    for some in chunked(sorted(record_ids)):
        for row in connection.execute(select(party).where(party.c.id.in_(some))):
            known[row.record, row.id, row.valid_from] = read_record(row.body)
    return known
