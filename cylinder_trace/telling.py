"""Notices due -> one mail a recipient and group, rendered into the outbox."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from cylinder_trace.judging.handling.routing import Recipient, chosen
from cylinder_trace.judging.handling.timing import DIGEST, again_from_ms, is_working_time, next_digest_ms
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, local_day
from cylinder_trace.store import notices, outbox, recipients, told_groups, told_mails
from cylinder_trace.store.database import Database
from cylinder_trace.store.notices import Due
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
MAILS_AT_ONCE = 25
"""Mails rendered in one transaction, or those of one group: scans into SQLite wait for it, about 3 ms a mail."""
NOT_RENDERED_WAIT_MS = HOUR_MS
"""Until a group that could not be made into a mail is tried again: somebody has to mend something first."""
REMEMBERED_FOR_MS = 30 * DAY_MS
"""After so long nobody remembers that he was told of a group: what comes then is the first again."""

_ENDS = ("withdrawn", "resolved", "closed")
_NOT_NEW = {"first": "more"}


@dataclass(frozen=True, slots=True)
class Group:
    """What one mail tells: alerts of one rule at one site, for one district, and why now.

    A digest has no rule and no site; what it tells of each alert is that alert's own reason.
    """

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
        groups = notices.due_groups(connection, now_ms, MAILS_AT_ONCE)
        if not groups:
            return None
        reference = cache.read(connection)
        teller = _Teller(connection, channel, reference, recipients.everyone(connection), now_ms)
        mails, is_any = 0, False
        for group in groups:
            if mails >= MAILS_AT_ONCE:
                break
            rows = notices.members(connection, group, now_ms)
            is_any = is_any or bool(rows)
            try:
                with connection.begin_nested():
                    mails += teller.told(group, rows)
            except Exception:  # whatever is wrong with one group, the others are told
                log.exception(
                    "%d notices of %s at %s can not be told yet", len(rows), group.rule, group.site_id
                )
                notices.put_off(connection, rows, now_ms + NOT_RENDERED_WAIT_MS)
    # Where another worker holds them all, it tells them.
    return mails if is_any else None


@dataclass(frozen=True, slots=True)
class _Teller:
    """One transaction's way from a group to the mails about it."""

    connection: Connection
    channel: Renderer
    reference: Reference
    recipients: Sequence[Recipient]
    now_ms: int

    def told(self, group: Due, rows: list[dict[str, Any]]) -> int:
        """Put the group's mails into the outbox, or put the group off; gives how many mails. Raises when there is none."""
        if not rows:
            return 0
        if group.in_digest:
            return self._post(group.district, "", "digest", None, self._readers_of_digest(rows), rows)
        day = local_day(self.now_ms)
        last_ms = told_groups.last_ms(self.connection, group)
        if group.reason not in _ENDS and not group.level:
            again_ms = last_ms and again_from_ms(group.severity, last_ms, self.reference)
            if again_ms and again_ms > self.now_ms:
                notices.put_off(self.connection, rows, again_ms)
                return 0
            most = self.reference.number("notice.most_groups_a_day", self.now_ms)
            if told_groups.mails_on(self.connection, group.rule, day) >= most:
                notices.put_into_digest(self.connection, rows, next_digest_ms(self.now_ms, self.reference))
                return 0
        is_known = last_ms is not None and self.now_ms - last_ms < REMEMBERED_FOR_MS
        reason = _NOT_NEW.get(group.reason, group.reason) if is_known else group.reason
        readers = dict.fromkeys(self._addresses(group.rule, group.severity, group.level, rows[0]), rows)
        mails = self._post(group.district, group.rule, reason, group.site_id, readers, rows)
        if group.reason not in _ENDS:
            told_groups.note(self.connection, group, self.now_ms, day)
        return mails

    def _readers_of_digest(self, rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """By address, what of the digest is for it."""
        readers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        known: dict[tuple[str, int, int], list[str]] = {}
        for row in rows:
            which = row["rule"], DIGEST, row["level"]
            if which not in known:
                known[which] = self._addresses(*which, row)
            for address in known[which]:
                readers[address].append(row)
        return readers

    def _addresses(self, rule: str, severity: int, level: int, row: dict[str, Any]) -> list[str]:
        at_work = is_working_time(self.now_ms, self.reference)
        found = chosen(
            self.recipients, row["to_district"], rule, severity, is_working_time=at_work, level=level
        )
        return [one.address for one in found]

    def _post(
        self,
        district: str | None,
        rule: str,
        reason: str,
        site_id: str | None,
        readers: dict[str, list[dict[str, Any]]],
        rows: list[dict[str, Any]],
    ) -> int:
        mails, broken = 0, None
        for address, its in readers.items():
            names = sorted(f"{row['fingerprint']}:{row['told_no']}:{row['step']}" for row in its)
            key = hashlib.sha256("|".join(names).encode()).hexdigest()[:40]
            group = Group(key, rule, reason, site_id, district, its)
            try:
                subject, message_id, body = self.channel.rendered(group, address, self.reference, self.now_ms)
            except Exception as error:  # an address that no header can hold: the rest of the team is told
                log.exception("no mail to %r about rule %s at %s", address, rule, site_id)
                broken = error
            else:
                told_mails.note(self.connection, its, key)
                outbox.post(self.connection, key, address, subject, message_id, body, self.now_ms)
                mails += 1
        if broken and not mails:
            raise broken
        notices.told(self.connection, rows)
        return mails
