"""Walk 3: what is told goes into the outbox -> the channel -> marked as sent.

A mail is rendered once and kept (`telling`); it is leased, sent outside any transaction, then marked. A crash between sending
and marking repeats it after the lease under the same Message-ID; nothing that was due is ever lost.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from cylinder_trace import telling
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS
from cylinder_trace.store import outbox
from cylinder_trace.store.database import Database
from cylinder_trace.store.outbox import Mail
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.telling import Renderer

log = logging.getLogger(__name__)
LEASE_MS = 10 * 60_000
"""How long a mail is one sender's own.

A mail server's timeout counts for each answer, and a mail takes about ten of them: with the largest timeout that
settings allow a dead or slow server is done within the lease. One that sends its answers byte by byte can still
outlast it. Then another may send the same mail a second time, under the same Message-ID; to wait longer instead
would keep what a crash left behind from the district for longer.
"""
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


class Channel(Renderer, Protocol):
    """Where mails go."""

    def send(self, mail: Mail) -> str:
        """Hand the mail over; gives the server's answer. Raises NotTaken."""

    def part(self) -> None:
        """A run is over: leave the servers that were kept for the next mail."""


def run(
    database: Database,
    cache: ReferenceCache,
    channel: Channel,
    now_ms: int,
    progress: Callable[[str, int], object] | None = None,
    stopwatch_s: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """Render what is due and send what waits; gives how many were rendered, sent, put off and given up.

    Each mail that was due at `now_ms` is tried once. Where a server does not answer, or fails at several mails in a
    row, what else is for it waits for another run, in which what it failed at comes last; other servers are asked
    meanwhile. `progress(outcome, 1)` is called after every mail. Leases count from when they are taken, which
    `stopwatch_s` tells: a run may take longer than a lease.
    """
    began_s = stopwatch_s()

    def later_ms() -> int:
        return now_ms + round((stopwatch_s() - began_s) * 1000)

    tally = {"rendered": 0, "sent": 0, "put off": 0, "given up": 0}
    tally["rendered"] = telling.run(database, cache, channel, now_ms)
    in_a_row: Counter[str] = Counter()
    away: set[str] = set()
    with database.writing() as connection:
        mail = outbox.lease(connection, now_ms, later_ms() + LEASE_MS)
    try:
        while mail is not None:
            answer = _handed_over(channel, mail)
            failed = isinstance(answer, NotTaken) and answer.of_server
            in_a_row[mail.server] = in_a_row[mail.server] + 1 if failed else 0
            if isinstance(answer, NotTaken) and _is_away(answer, in_a_row[mail.server]):
                log.warning("the server for %s does not serve us, the rest waits: %s", mail.server, answer)
                away.add(mail.server)
            # One transaction a mail: what became of this one, and which is next.
            with database.writing() as connection:
                outcome = _marked(connection, mail, answer, later_ms())
                mail = outbox.lease(connection, now_ms, later_ms() + LEASE_MS, away)
            tally[outcome] += 1
            _tell(progress, outcome, database, mail, now_ms)
    finally:
        channel.part()
    return tally


def _tell(
    progress: Callable[[str, int], object] | None,
    outcome: str,
    database: Database,
    mail: Mail | None,
    now_ms: int,
) -> None:
    try:
        if progress:
            progress(outcome, 1)
    except Exception:
        # Asked to end between two mails: the next is nobody's, and need not wait for its lease to run out.
        if mail is not None:
            with database.writing() as connection:
                outbox.give_back(connection, mail, now_ms)
        raise


def _is_away(answer: NotTaken, failures_in_a_row: int) -> bool:
    return answer.unreached or failures_in_a_row >= SERVER_FAILURES_IN_A_ROW


def _handed_over(channel: Channel, mail: Mail) -> str | NotTaken:
    """The server's answer or why there is none. No transaction is open: a hanging server holds up no scan."""
    if not mail.is_whole:
        return NotTaken("554 not sent: the bytes kept are not those that were rendered", for_good=True)
    try:
        return channel.send(mail)
    except NotTaken as error:
        return error
    except Exception as error:  # whatever one mail does to the channel, the others are sent
        log.exception("mail %d could not be sent", mail.mail_id)
        return NotTaken(f"451 local error: {type(error).__name__}: {error}", for_good=False)


def _marked(connection: Connection, mail: Mail, answer: str | NotTaken, now_ms: int) -> str:
    if isinstance(answer, str):
        outbox.sent(connection, mail, now_ms, answer)
        return "sent"
    if (
        answer.for_good
        or _put_off_for_a_day(mail, answer, now_ms)
        or _breaks_the_server(connection, mail, answer, now_ms)
    ):
        outbox.failed(connection, mail, answer.answer, None)
        return "given up"
    longest_ms = LONGEST_WAIT_FOR_SERVER_MS if answer.of_server else LONGEST_WAIT_MS
    wait_ms = min(longest_ms, 30_000 * 2 ** min(mail.attempts - 1, 20))
    outbox.failed(connection, mail, answer.answer, now_ms + wait_ms)
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
    return outbox.hours_of_service(connection, mail) >= MOST_TRIES


def _is_of_server(answer: str) -> bool:
    return not answer[:3].isdigit() or answer.startswith(_OF_US)
