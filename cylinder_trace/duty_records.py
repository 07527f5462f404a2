"""Walk: what stations owe. Drafts of records when a period is over, reminders of unsigned ones, due lists, idle cylinders."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from cylinder_trace.judging.handling.duties import first_day_of
from cylinder_trace.judging.handling.routing import chosen
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import HOUR_MS, local_day
from cylinder_trace.store import contacts, duties, idle, outbox, recipients
from cylinder_trace.store.database import Database
from cylinder_trace.store.due_lists import Party
from cylinder_trace.store.duties import Record
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
REMINDED_AT_ONCE = 500
LISTS_AT_ONCE = 10
"""Due lists made in one transaction: each reads cylinders and makes a workbook."""
IDLE_AT_ONCE = 2000
NOT_WRITTEN_WAIT_MS = HOUR_MS
"""Until a reminder that could not be made into a mail is tried again."""
_DIGEST = 3
"""A reminder can wait until somebody reads digests."""

Mail = tuple[str, str, bytes]
"""Subject, Message-ID and bytes."""


class Letters(Protocol):
    """Puts into words what a station, a firm or a district is told of its duties."""

    def reminder(
        self,
        recipient: str,
        records: Sequence[Record],
        reference: Reference,
        key: str,
        now_ms: int,
        *,
        of_district: bool,
    ) -> Mail:
        """A mail about records that are not signed, to the station itself or to its district."""

    def due_list(
        self,
        connection: Connection,
        recipient: str,
        party: Party,
        reference: Reference,
        key: str,
        now_ms: int,
    ) -> Mail | None:
        """A mail with what runs out; None where nothing does."""


def run(
    database: Database,
    cache: ReferenceCache,
    letters: Letters,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, int]:
    """Do what is due by now; gives how many records can be signed, were reminded of, and how many lists were mailed."""
    done: dict[str, int] = defaultdict(int)

    def note(what: str, number: int) -> None:
        done[what] += number
        if progress:
            progress(what, number)

    with database.writing() as connection:
        note("owed", duties.note_owed(connection, cache.read(connection), now_ms))
    while number := _remind(database, cache, letters, now_ms):
        note("reminded", number)
    while (mails := _mail_due_lists(database, cache, letters, now_ms)) is not None:
        note("due lists", mails)
    is_done = False
    while not is_done:
        with database.writing() as connection:
            come, left, is_done = idle.bring_up(connection, cache.read(connection), now_ms, IDLE_AT_ONCE)
        note("idle", come)
        note("seen again", left)
    return dict(done)


def _remind(database: Database, cache: ReferenceCache, letters: Letters, now_ms: int) -> int:
    """Tell of some unsigned records: the station first, then its district. Gives of how many."""
    with database.writing() as connection:
        records = duties.to_remind(connection, now_ms, REMINDED_AT_ONCE)
        reference = cache.read(connection)
        groups: dict[tuple[bool, str], list[Record]] = defaultdict(list)
        for record in records:
            of_district = record.reminded > 0
            groups[of_district, (record.district or "") if of_district else record.site_id].append(record)
        for (of_district, whose), its in sorted(groups.items()):
            key = _key(
                "reminder", *(f"{one.site_id}:{one.kind}:{one.first_day}:{one.reminded}" for one in its)
            )
            try:
                with connection.begin_nested():
                    for address in _addresses(connection, whose, of_district=of_district):
                        mail = letters.reminder(address, its, reference, key, now_ms, of_district=of_district)
                        outbox.post(connection, key, address, *mail, now_ms)
                    duties.reminded(connection, its, reference, now_ms)
            except Exception:  # whatever is wrong with one group, the others are told
                log.exception("%d records of %s can not be reminded of yet", len(its), whose)
                duties.put_off(connection, its, now_ms + NOT_WRITTEN_WAIT_MS)
    return len(records)


def _addresses(connection: Connection, whose: str, *, of_district: bool) -> list[str]:
    if not of_district:
        return contacts.of(connection, whose)
    everyone = recipients.everyone(connection)
    found = chosen(everyone, whose, "duty_record", _DIGEST, is_working_time=True)
    return [one.address for one in found]


def _mail_due_lists(database: Database, cache: ReferenceCache, letters: Letters, now_ms: int) -> int | None:
    """Mail some of this week's due lists; gives how many there were, None where all of the week are done."""
    with database.writing() as connection:
        reference = cache.read(connection)
        begins_ms = int(reference.number("duty_record.reminded_at_h", now_ms) * HOUR_MS)
        week = first_day_of("week", local_day(now_ms - begins_ms))
        parties = contacts.to_tell(connection, week, LISTS_AT_ONCE)
        mails = 0
        for party_id in parties:
            party = Party(party_id, is_owner=party_id not in reference.sites)
            key = _key("due list", party_id, str(week))
            try:
                with connection.begin_nested():
                    for address in contacts.of(connection, party_id):
                        mail = letters.due_list(connection, address, party, reference, key, now_ms)
                        if mail is not None:
                            outbox.post(connection, key, address, *mail, now_ms)
                            mails += 1
            except Exception:  # the others' lists are sent; this one is on the page, and is tried next week
                log.exception("no due list of %s", party_id)
        contacts.told(connection, parties, week)
    return mails if parties else None


def _key(*names: str) -> str:
    return hashlib.sha256("|".join(names).encode()).hexdigest()[:40]
