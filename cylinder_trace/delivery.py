"""Walk 3: notices due -> one mail a recipient and group -> the channel -> marked as sent.

A mail is rendered once and kept; it is sent, then marked. A crash between the two repeats a mail under the same
Message-ID; nothing that was due is ever lost.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS
from cylinder_trace.store import notices
from cylinder_trace.store.database import Database
from cylinder_trace.store.notices import Mail
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
BATCH = 200


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
    """The channel did not take a mail. `for_good` means that trying again is pointless."""

    def __init__(self, answer: str, *, for_good: bool) -> None:
        self.answer = answer
        self.for_good = for_good
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
) -> dict[str, int]:
    """Render what is due and send what waits; gives how many were rendered, sent, put off and given up."""
    tally = {"rendered": 0, "sent": 0, "put off": 0, "given up": 0}
    while number := _render(database, cache, channel, now_ms):
        tally["rendered"] += number
    with database.reading() as connection:
        for district, number in notices.unheard(connection, now_ms).items():
            log.error("no recipient", extra={"district": district, "notices": number})
    while True:
        outcome = _send_next(database, channel, now_ms)
        if outcome is None:
            return tally
        tally[outcome] += 1
        if progress:
            progress(outcome, 1)


def _render(database: Database, cache: ReferenceCache, channel: Channel, now_ms: int) -> int:
    with database.writing() as connection:
        rows = notices.due(connection, now_ms, BATCH)
        reference = cache.read(connection)
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            groups[row["to_district"], row["rule"], row["site_id"], row["reason"]].append(row)
        mails = 0
        for (district, rule, site_id, reason), members in groups.items():
            addresses = notices.recipients(connection, district)
            names = sorted(f"{row['fingerprint']}:{row['transition_no']}" for row in members)
            key = hashlib.sha256("|".join(names).encode()).hexdigest()[:40]
            group = Group(key, rule, reason, site_id, district, members)
            for address in addresses:
                subject, message_id, body = channel.rendered(group, address, reference, now_ms)
                notices.post(connection, key, address, subject, message_id, body, now_ms)
                mails += 1
            notices.told(connection, members)
    return mails


def _send_next(database: Database, channel: Channel, now_ms: int) -> str | None:
    """Send one mail and mark it, holding its row so that two workers never send the same one at once."""
    with database.writing() as connection:
        waiting = notices.to_send(connection, now_ms, 1)
        if not waiting:
            return None
        mail = waiting[0]
        try:
            answer = channel.send(mail)
        except NotTaken as error:
            too_old = now_ms - mail.created_ms > DAY_MS
            give_up = error.for_good or too_old
            next_try_ms = now_ms + min(HOUR_MS, 30_000 * 2**mail.attempts)
            notices.failed(connection, mail.mail_id, error.answer, None if give_up else next_try_ms)
            return "given up" if give_up else "put off"
        notices.sent(connection, mail.mail_id, now_ms, answer)
        return "sent"
