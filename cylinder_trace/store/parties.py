"""Sites, owners and persons, and the reference data that judging asks; loaded again only when they changed."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, select

from cylinder_trace.contract.event import REFERENCE_KINDS
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import read_record
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.law.tables import Law
from cylinder_trace.store import codes, cylinders, ledger, legs
from cylinder_trace.store.database import chunked, put
from cylinder_trace.store.ledger import Entry
from cylinder_trace.store.tables import party, reference_version


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
            bodies = connection.scalars(select(party.c.body).where(party.c.record != "person"))
            messages = [entry.message for entry in ledger.of_kinds(connection, sorted(REFERENCE_KINDS))]
            corrections = ledger.corrections_of(connection, [one["event_id"] for one in messages])
            messages += [
                {"kind": "correct", "event_id": one, "corrects": corrected}
                for one, corrected in corrections.items()
            ]
            reference = Reference.of(self._law, (read_record(body) for body in bodies), messages)
            # In one assignment, because threads share it.
            self._kept = (version, reference)
        return reference


def put_records(connection: Connection, records: Iterable[Any]) -> None:
    """Remember master records; a record of a known id replaces it, and the stories that it changes are judged again."""
    latest = {(one.record, getattr(one, f"{one.record}_id")): one for one in records}
    if not latest:
        return
    codes.hold(connection, exclusively=True)
    known = _known(connection, [record_id for _, record_id in latest])
    sites, owners = (
        [
            record_id
            for (kind, record_id), one in latest.items()
            if kind == which and _matters(one, known.get((kind, record_id)))
        ]
        for which in ("site", "owner")
    )
    rows = [
        {"record": kind, "id": record_id, "body": one.model_dump_json(exclude_none=True)}
        for (kind, record_id), one in latest.items()
    ]
    put(connection, party, rows)
    changed(connection)
    seen = codes.roots_of(connection, ledger.codes_seen_at(connection, sites))
    moved = legs.cylinders_of(connection, sites, owners)
    cylinders.ask_again(connection, {*seen.values(), *moved, *cylinders.of_owners(connection, owners)}, None)
    legs.touch(connection, {*sites, *legs.origins_to(connection, sites)})


def note_acts(connection: Connection, acts: Mapping[str, Entry]) -> None:
    """Licences and agreements came or were corrected: the stories of what was scanned there since are judged again.

    `acts` maps the id of the event that made the difference to the act itself.
    """
    # Before the list of those to be told anew grows: a judge with the old law may be taking it down.
    codes.hold(connection, exclusively=True)
    changed(connection)
    for because, act in acts.items():
        message = act.message
        site = message.get("licensed_site_id") or message.get("station_id")
        if site is not None:
            seen = ledger.codes_seen_at(connection, [site], _in_force_from_ms(message))
            cylinders.ask_again(connection, codes.roots_of(connection, seen).values(), because)


def changed(connection: Connection) -> None:
    """Tell every process that the reference data it holds are out of date."""
    # By chance and not by counting on: a transaction that is rolled back would otherwise leave its number, with
    # what it alone had seen, in a process that takes the next change for the one it knows.
    put(connection, reference_version, [{"one": 1, "version": secrets.randbits(62)}])


def _known(connection: Connection, record_ids: list[str]) -> dict[tuple[str, str], Any]:
    known: dict[tuple[str, str], Any] = {}
    for some in chunked(record_ids):
        for row in connection.execute(select(party).where(party.c.id.in_(some))):
            known[row.record, row.id] = read_record(row.body)
    return known


_JUDGED_BY = {"site": ("type", "owner_id", "district"), "owner": ("districts",)}
"""The fields of a record that judging asks for."""


def _matters(new: Any, known: Any) -> bool:
    return known is None or any(getattr(new, name) != getattr(known, name) for name in _JUDGED_BY[new.record])


def _in_force_from_ms(message: Mapping[str, Any]) -> int:
    if "valid_from" in message:
        # A day of Shanghai; a day early is harmless.
        return epoch_ms(datetime.combine(date.fromisoformat(message["valid_from"]), time(), UTC)) - DAY_MS
    return epoch_ms(datetime.fromisoformat(message["occurred_at"]))
