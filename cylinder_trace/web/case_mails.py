"""Who hears by mail of a step in a case: the station of its orders, the district of what came in, the city of hazards."""

import hashlib
import logging
from typing import Any

from sqlalchemy import Connection

from cylinder_trace.casework import RULE
from cylinder_trace.judging.handling.cases import DIRECTIVE
from cylinder_trace.judging.handling.escalation import CITY, TEAM
from cylinder_trace.judging.handling.routing import chosen
from cylinder_trace.judging.handling.timing import AT_ONCE, is_working_time
from cylinder_trace.judging.reference import Reference
from cylinder_trace.mail.case_letter import CaseLetters
from cylinder_trace.settings import Settings
from cylinder_trace.store import contacts, outbox, recipients

log = logging.getLogger(__name__)
_TO_STATION = frozenset({"issue", "fail", "extend", "pass", "reject", "uphold"})
_TO_DISTRICT = frozenset({"report", "appeal"})
_TO_DISTRICT_OF_LETTERS = frozenset({"issue", "extend", "send_back", "close"})


def tell(
    connection: Connection,
    settings: Settings,
    row: dict[str, Any],
    step: str,
    reference: Reference,
    now_ms: int,
) -> None:
    """Put the mails about a step that was just taken into the outbox; `row` is the case after it."""
    letters = CaseLetters(settings)
    key = hashlib.sha256(f"case {row['case_id']}:{row['version']}".encode()).hexdigest()[:40]
    for address in _addresses(connection, row, step, reference, now_ms):
        try:
            with connection.begin_nested():
                mail = letters.step(address, row, step, reference, key, now_ms)
                outbox.post(connection, key, address, *mail, now_ms)
        except Exception:  # an address that no header can hold undoes no step
            log.exception("no mail to %r about case %d", address, row["case_id"])


def _addresses(
    connection: Connection, row: dict[str, Any], step: str, reference: Reference, now_ms: int
) -> list[str]:
    def offices(level: int) -> list[str]:
        everyone, at_work = recipients.everyone(connection), is_working_time(now_ms, reference)
        found = chosen(everyone, row["district"], RULE, AT_ONCE, is_working_time=at_work, level=level)
        return [one.address for one in found]

    if row["kind"] != DIRECTIVE:
        return offices(TEAM) if step in _TO_DISTRICT_OF_LETTERS else []
    addresses = contacts.of(connection, row["site_id"]) if step in _TO_STATION else []
    if step == "escalate" or (step == "issue" and row["is_escalated"]):
        addresses += offices(CITY)
    elif step in _TO_DISTRICT:
        addresses += offices(TEAM)
    return list(dict.fromkeys(addresses))
