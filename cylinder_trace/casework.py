"""Walk: the deadlines of cases that have passed -> noted once each, known to the next level, and told."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from cylinder_trace.judging.handling.cases import CLOCK, Deed, follow, overdue
from cylinder_trace.judging.handling.escalation import CITY
from cylinder_trace.judging.handling.routing import chosen
from cylinder_trace.judging.handling.timing import AT_ONCE, is_working_time
from cylinder_trace.judging.reference import Reference
from cylinder_trace.store import cases, contacts, outbox, recipients
from cylinder_trace.store.cases import Entry
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
BATCH = 200
RULE = "case_overdue"
"""What a recipient names who wants to hear of late cases only."""

Mail = tuple[str, str, bytes]
"""Subject, Message-ID and bytes."""


@dataclass(frozen=True, slots=True)
class Late:
    """A deadline that has passed: of which case, and what was not done until when."""

    case_id: int
    kind: str
    number: str | None
    district: str
    site_id: str | None
    step: str
    due_ms: int


class Letters(Protocol):
    """Puts into words what is told of late cases."""

    def overdue(
        self, recipient: str, late: Sequence[Late], reference: Reference, key: str, now_ms: int
    ) -> Mail:
        """A mail about cases that are late."""


def run(
    database: Database,
    cache: ReferenceCache,
    letters: Letters,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
) -> dict[str, int]:
    """Note and tell what was due and is not done; gives how often each was. `progress("noted", n)` follows a transaction."""
    tally: dict[str, int] = defaultdict(int)
    while True:
        with database.writing() as connection:
            reference = cache.read(connection)
            late = _noted(connection, reference, now_ms)
            for addresses, its in _groups(connection, late, reference, now_ms):
                _tell(connection, letters, addresses, its, reference, now_ms)
        for one in late:
            tally[one.step] += 1
        if progress and late:
            progress("noted", len(late))
        if len(late) < BATCH:
            return dict(tally)


def _noted(connection: Connection, reference: Reference, now_ms: int) -> list[Late]:
    late = []
    for row in cases.woken(connection, now_ms, BATCH):
        case, case_id = cases.case_of(row), row["case_id"]
        step = overdue(case, now_ms)
        if step is None:
            log.error("case %d woke with nothing overdue", case_id)
            continue
        after = follow(case, Deed(step, CLOCK, now_ms), reference)
        # Who acted meanwhile was in time to be seen, and what they did stands.
        if cases.move(connection, case_id, row["version"], after, Entry(step, CLOCK, "", now_ms)) is None:
            continue
        due_ms = case.appeal_due_ms if step == "late_verdict" else case.due_ms
        late.append(
            Late(case_id, case.kind, row["number"], case.district, case.site_id, step, due_ms or now_ms)
        )
    return late


def _groups(
    connection: Connection, late: Sequence[Late], reference: Reference, now_ms: int
) -> list[tuple[list[str], list[Late]]]:
    """Who is told of what: a district up to the city of all of it, a station of what it has not rectified itself."""
    of_district, of_site = defaultdict(list), defaultdict(list)
    for one in late:
        of_district[one.district].append(one)
        if one.step == "late_report" and one.site_id:
            of_site[one.site_id].append(one)
    everyone, at_work = recipients.everyone(connection), is_working_time(now_ms, reference)
    groups = [
        (
            [one.address for one in chosen(everyone, to, RULE, AT_ONCE, is_working_time=at_work, level=CITY)],
            its,
        )
        for to, its in sorted(of_district.items())
    ]
    return groups + [(contacts.of(connection, site_id), its) for site_id, its in sorted(of_site.items())]


def _tell(
    connection: Connection,
    letters: Letters,
    addresses: Sequence[str],
    late: Sequence[Late],
    reference: Reference,
    now_ms: int,
) -> None:
    said = "|".join(f"{one.case_id}:{one.step}:{one.due_ms}" for one in late)
    key = hashlib.sha256(f"late cases|{said}".encode()).hexdigest()[:40]
    for address in addresses:
        try:
            with connection.begin_nested():
                mail = letters.overdue(address, late, reference, key, now_ms)
                outbox.post(connection, key, address, *mail, now_ms)
        except (
            Exception
        ):  # an address that no header can hold: it stays on the screen, and the others are told
            log.exception("no mail to %r about %d late cases", address, len(late))
