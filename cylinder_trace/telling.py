"""Notices due -> one mail a recipient and group, rendered into the outbox."""

import hashlib
import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store import notices, outbox
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
BATCH = 200
"""Notices looked at together; what is due at once beyond them makes further mails."""
MAILS_AT_ONCE = 25
"""Mails rendered in one transaction, or those of one group: scans into SQLite wait for it, about 3 ms a mail."""
NOT_RENDERED_WAIT_MS = HOUR_MS
"""Until a group that could not be made into a mail is tried again: somebody has to mend something first."""


@dataclass(frozen=True, slots=True)
class Group:
    """What one mail tells: alerts of one rule at one site, for one district, and why now."""

    key: str
    rule: str
    reason: str
    site_id: str | None
    district: str | None
    alerts: list[dict[str, Any]]


class Renderer(Protocol):
    """Puts into words what a group tells."""

    def rendered(
        self, group: Group, recipient: str, reference: Reference, now_ms: int
    ) -> tuple[str, str, bytes]:
        """Subject, Message-ID and bytes of the mail for this recipient."""


def run(database: Database, cache: ReferenceCache, channel: Renderer, now_ms: int) -> int:
    """Render what is due; gives how many mails that made."""
    mails = 0
    while (number := render(database, cache, channel, now_ms)) is not None:
        mails += number
    with database.reading() as connection:
        for district, number in notices.unheard(connection, now_ms).items():
            log.error("no recipient for %d notices of district %s", number, district)
    return mails


def render(database: Database, cache: ReferenceCache, channel: Renderer, now_ms: int) -> int | None:
    """How many mails one transaction rendered; None when nothing is due."""
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


def _posted(
    connection: Connection, channel: Renderer, group: Group, reference: Reference, now_ms: int
) -> int:
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
            outbox.post(connection, group.key, address, subject, message_id, body, now_ms)
            mails += 1
    if broken and not mails:
        raise broken
    notices.told(connection, group.alerts)
    return mails
