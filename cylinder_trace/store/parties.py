"""Sites, owners and persons, and the reference data that judging asks; loaded again only when they changed."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select, update

from cylinder_trace.contract.event import REFERENCE_KINDS
from cylinder_trace.contract.master import read_record
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.tables import Law
from cylinder_trace.store import ledger
from cylinder_trace.store.database import add_missing, put
from cylinder_trace.store.tables import party, reference_version


class ReferenceCache:
    """The reference data as of the newest change, kept in memory by a process."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._version = -1
        self._reference = Reference(law)

    def read(self, connection: Connection) -> Reference:
        """The reference data in force; costs one small query when nothing changed."""
        version = connection.scalar(select(reference_version.c.version)) or 0
        if version != self._version:
            bodies = connection.scalars(select(party.c.body).where(party.c.record != "person"))
            entries = ledger.of_kinds(connection, [*sorted(REFERENCE_KINDS), "correct"])
            messages = [entry.message for entry in entries]
            self._reference = Reference.of(self._law, (read_record(body) for body in bodies), messages)
            self._version = version
        return self._reference


def put_records(connection: Connection, records: Iterable[Any]) -> None:
    """Remember master records; a record of a known id replaces it."""
    rows = [
        {
            "record": one.record,
            "id": getattr(one, f"{one.record}_id"),
            "body": one.model_dump_json(exclude_none=True),
        }
        for one in records
    ]
    put(connection, party, rows)
    changed(connection)


def changed(connection: Connection) -> None:
    """Tell every process that the reference data it holds are out of date."""
    add_missing(connection, reference_version, [{"one": 1, "version": 0}])
    connection.execute(update(reference_version).values(version=reference_version.c.version + 1))
