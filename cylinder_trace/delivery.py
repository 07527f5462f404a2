"""Walk 3: notices due -> one mail a recipient and group -> the channel -> marked as sent.

A mail is rendered once and kept; it is leased, sent outside any transaction, then marked. A crash between sending
and marking repeats it after the lease under the same Message-ID; nothing that was due is ever lost.
"""

import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS
from cylinder_trace.store import notices
from cylinder_trace.store.database import Database
from cylinder_trace.store.notices import Mail
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
BATCH = 200
"""Notices looked at together; what is due at once beyond them makes further mails."""
MAILS_AT_ONCE = 25
"""Mails rendered in one transaction, or those of one group: scans into SQLite wait for it, about 3 ms a mail."""
LEASE_MS = 10 * 60_000
"""How long a mail is one sender's own.

A mail server's timeout counts for each answer, and a mail takes about ten of them: with the largest timeout that
settings allow a dead or slow server is done within the lease. One that sends its answers byte by byte can still
outlast it. Then another may send the same mail a second time, under the same Message-ID; to wait longer instead
would keep what a crash left behind from the district for longer.
"""
NOT_RENDERED_WAIT_MS = HOUR_MS
"""Until a group that could not be made into a mail is tried again: somebody has to mend something first."""
LONGEST_WAIT_MS = HOUR_MS
LONGEST_WAIT_FOR_SERVER_MS = 5 * 60_000
"""Shorter, because it is hardly the mail's fault and a run asks a server that fails a few times only."""
SERVER_FAILURES_IN_A_ROW = 3
"""At so many different mails the failure is the server's indeed, and the rest of a run would only run into it too."""
MOST_TRIES = 20
"""A mail at which the server fails so often is a dead letter, if others were sent in as many hours meanwhile.

Without the others a long outage would kill what waited for its end: hours, because many sent at once after an
outage say nothing about the time before.
"""
# The server is closing (RFC 5321) or does not know us (RFC 4954): it would say the same of any mail.
_OF_US = ("421", "454", "530", "534", "535", "538")


@dataclass(frozen=True, slots=True)
class Group:
    """What one mail tells: alerts of one rule at one site, for one district, and why now."""

    key: str
    rule: str
    reason: str
    site_id: str | None
    district: str | None
    alerts: list[dict[str, Any]]


class NotTaken(Exception):
    """The channel did not take a mail. `for_good` means that trying this one again is pointless.

    `answer` is the server's, beginning with its code; without a code it is the channel's word that none came.
    `of_server` means that it does not look to be about this mail; `unreached`, that the server did not even hear
    of a mail, so that no other would fare better now.
    """

    def __init__(self, answer: str, *, for_good: bool, unreached: bool = False) -> None:
        self.answer = answer
        self.unreached = unreached
        self.of_server = unreached or _is_of_server(answer)
        self.for_good = for_good and not self.of_server
        super().__init__(answer)


class Channel(Protocol):
    """Where mails go."""

    def rendered(
        self, group: Group, recipient: str, reference: Reference, now_ms: int
    ) -> tuple[str, str, bytes]:
        """Subject, Message-ID and bytes of the mail for this recipient."""

    def send(self, mail: Mail) -> str:
        """Hand the mail over; gives the server's answer. Raises NotTaken."""


def run(
    database: Database,
    cache: ReferenceCache,
    channel: Channel,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
    stopwatch_s: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """Render what is due and send what waits; gives how many were rendered, sent, put off and given up.

    Each mail that was due at `now_ms` is tried once. Where no server answers, or it fails at several mails in a
    row, the rest waits for another run, in which what it failed at comes last. `progress(outcome, 1)` is called
    after every mail. Leases count from when they are taken, which `stopwatch_s` tells: a run may take longer than
    a lease.
    """
    began_s = stopwatch_s()

    def later_ms() -> int:
        return now_ms + round((stopwatch_s() - began_s) * 1000)

    tally = {"rendered": 0, "sent": 0, "put off": 0, "given up": 0}
    while (number := _render(database, cache, channel, now_ms)) is not None:
        tally["rendered"] += number
    with database.reading() as connection:
        for district, number in notices.unheard(connection, now_ms).items():
            log.error("no recipient for %d notices of district %s", number, district)
    in_a_row = 0
    while (mail := _leased(database, now_ms, later_ms() + LEASE_MS)) is not None:
        answer = _handed_over(channel, mail)
        outcome = _marked(database, mail, answer, later_ms())
        tally[outcome] += 1
        if progress:
            progress(outcome, 1)
        failure = answer if isinstance(answer, NotTaken) and answer.of_server else None
        in_a_row = in_a_row + 1 if failure else 0
        if failure and (failure.unreached or in_a_row == SERVER_FAILURES_IN_A_ROW):
            log.warning("the mail server does not serve us, the rest waits: %s", failure)
            break
    return tally


def _render(database: Database, cache: ReferenceCache, channel: Channel, now_ms: int) -> int | None:
    """How many mails were rendered; None when nothing is due."""
    with database.writing() as connection:
        rows = notices.due(connection, now_ms, BATCH)
        if not rows:
            return None
        reference = cache.read(connection)
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            groups[row["to_district"], row["rule"], row["site_id"], row["reason"]].append(row)
        mails = 0
        for (district, rule, site_id, reason), members in groups.items():
            if mails >= MAILS_AT_ONCE:
                break
            names = sorted(f"{row['fingerprint']}:{row['transition_no']}" for row in members)
            key = hashlib.sha256("|".join(names).encode()).hexdigest()[:40]
            group = Group(key, rule, reason, site_id, district, members)
            try:
                with connection.begin_nested():
                    mails += _posted(connection, channel, group, reference, now_ms)
            except Exception:  # whatever is wrong with one group, the others are told
                log.exception("%d notices of rule %s at %s can not be told yet", len(members), rule, site_id)
                notices.put_off(connection, members, now_ms + NOT_RENDERED_WAIT_MS)
    return mails


def _posted(connection: Connection, channel: Channel, group: Group, reference: Reference, now_ms: int) -> int:
    """Put the group's mail to each recipient into the outbox; gives how many. Raises when there is none to put."""
    addresses = notices.recipients(connection, group.district)
    mails, broken = 0, None
    for address in addresses:
        try:
            subject, message_id, body = channel.rendered(group, address, reference, now_ms)
        except Exception as error:  # an address that no header can hold: the rest of the team is told
            log.exception("no mail to %r about rule %s at %s", address, group.rule, group.site_id)
            broken = error
        else:
            notices.post(connection, group.key, address, subject, message_id, body, now_ms)
            mails += 1
    if broken and not mails:
        raise broken
    notices.told(connection, group.alerts)
    return mails


def _leased(database: Database, due_ms: int, until_ms: int) -> Mail | None:
    with database.writing() as connection:
        return notices.lease(connection, due_ms, until_ms)


def _handed_over(channel: Channel, mail: Mail) -> str | NotTaken:
    """The server's answer or why there is none. No transaction is open: a hanging server holds up no scan."""
    try:
        return channel.send(mail)
    except NotTaken as error:
        return error
    except Exception as error:  # whatever one mail does to the channel, the others are sent
        log.exception("mail %d could not be sent", mail.mail_id)
        return NotTaken(f"451 local error: {type(error).__name__}: {error}", for_good=False)


def _marked(database: Database, mail: Mail, answer: str | NotTaken, now_ms: int) -> str:
    with database.writing() as connection:
        if isinstance(answer, str):
            notices.sent(connection, mail, now_ms, answer)
            return "sent"
        if (
            answer.for_good
            or _put_off_for_a_day(mail, answer, now_ms)
            or _breaks_the_server(connection, mail, answer, now_ms)
        ):
            notices.failed(connection, mail, answer.answer, None)
            return "given up"
        longest_ms = LONGEST_WAIT_FOR_SERVER_MS if answer.of_server else LONGEST_WAIT_MS
        wait_ms = min(longest_ms, 30_000 * 2 ** min(mail.attempts - 1, 20))
        notices.failed(connection, mail, answer.answer, now_ms + wait_ms)
        return "put off"


def _put_off_for_a_day(mail: Mail, answer: NotTaken, now_ms: int) -> bool:
    # Only what was put off before: after a day without a server or a worker, a first "later" (greylisting) is no end.
    asked_before = mail.last_answer is not None and not _is_of_server(mail.last_answer)
    return not answer.of_server and asked_before and now_ms - mail.created_ms > DAY_MS


def _breaks_the_server(connection: Connection, mail: Mail, answer: NotTaken, now_ms: int) -> bool:
    """It failed for more than a day at this mail and took others meanwhile: then it is this mail after all."""
    if not answer.of_server or answer.unreached or mail.attempts <= MOST_TRIES:
        return False
    if now_ms - mail.created_ms <= DAY_MS:
        return False
    return notices.hours_of_service(connection, mail) >= MOST_TRIES


def _is_of_server(answer: str) -> bool:
    return not answer[:3].isdigit() or answer.startswith(_OF_US)
