"""What has to be told to whom: notices that are due, and the addresses of those who hear of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store.database import add_missing
from cylinder_trace.store.tables import alert, alert_history, device_heard, event, notice, recipient

EVERYWHERE = "*"
"""The district of the fallback recipients, who get what no district's team is named for."""

OWED_FOR_MS = 72 * HOUR_MS
"""How long at most people are not told because a device of the site has not been heard."""
ACTIVE_BEFORE_MS = 72 * HOUR_MS
"""A device that made no scan for so long before is not waited for."""

_ENDS = ("withdrawn", "resolved")
_NOW_MS: ColumnElement[int] = bindparam("now_ms", type_=BigInteger)


def give(
    connection: Connection,
    fingerprint: str,
    transition_no: int,
    reason: str,
    district: str | None,
    due_ms: int,
) -> None:
    """Note that people are to be told of a transition, unless what they were told last says the same.

    It takes the place of what was not told yet: found and withdrawn before anybody heard of it is never told.
    An end goes to the district that was told last, whatever `district` the alert's site lies in by now.
    """
    of_alert = notice.c.fingerprint == fingerprint
    untold = of_alert & (notice.c.state == "due")
    connection.execute(update(notice).where(untold).values(state="cancelled"))
    heard = select(notice.c.reason, notice.c.district).where(of_alert, notice.c.state == "told")
    last = connection.execute(heard.order_by(notice.c.transition_no.desc()).limit(1)).one_or_none()
    if (reason in _ENDS) == (last is None or last.reason in _ENDS):
        return
    if last is None:
        reason = "first"
    elif reason in _ENDS:
        district = last.district
    row = {
        "fingerprint": fingerprint,
        "transition_no": transition_no,
        "reason": reason,
        "district": district,
        "due_ms": due_ms,
        "state": "due",
    }
    add_missing(connection, notice, [row])


def due(connection: Connection, now_ms: int, limit: int) -> list[dict[str, Any]]:
    """Notices that are due and have somebody to be told, with their alert and the event that made the difference."""
    statement = _DUE
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(of=notice, skip_locked=True)
    asked = {"now_ms": now_ms, "most": limit}
    return [dict(row) for row in connection.execute(statement, asked).mappings()]


def _due() -> Select[Any]:
    this_one = (alert_history.c.fingerprint == notice.c.fingerprint) & (
        alert_history.c.transition_no == notice.c.transition_no
    )
    return (
        select(
            notice.c.transition_no,
            notice.c.reason,
            notice.c.district.label("to_district"),
            event.c.body.label("because_body"),
            event.c.received_ms.label("because_received_ms"),
            alert,
        )
        .join(alert, alert.c.fingerprint == notice.c.fingerprint)
        .outerjoin(alert_history, this_one)
        .outerjoin(event, event.c.event_id == alert_history.c.because)
        .where(notice.c.state == "due", notice.c.due_ms <= _NOW_MS, _has_recipient(), ~_is_owed())
        .order_by(notice.c.due_ms, notice.c.fingerprint)
        .limit(bindparam("most"))
    )


def is_any_due(connection: Connection, now_ms: int) -> bool:
    """Whether the time of any notice has come, to be told or to wait for somebody."""
    return connection.scalar(_ANY_DUE, {"now_ms": now_ms}) is not None


_ANY_DUE = select(notice.c.fingerprint).where(notice.c.state == "due").limit(1)
_ANY_DUE = _ANY_DUE.where(notice.c.due_ms <= _NOW_MS)


def _is_owed() -> ColumnElement[bool]:
    """Whether the scan that would explain an alert may still lie on a device of its site.

    That is so while one that scanned there shortly before has not been heard since; some days after it was found
    people are told whatever a device has yet to send.
    """
    silent = (
        (device_heard.c.site_id == alert.c.site_id)
        & (device_heard.c.last_occurred_ms < alert.c.at_ms)
        & (device_heard.c.last_occurred_ms > alert.c.at_ms - ACTIVE_BEFORE_MS)
    )
    rests_on_absence = alert.c.rule.in_([rule.name for rule in RULES.values() if rule.waits_for_late_scans])
    is_recent = alert.c.changed_ms > _NOW_MS - OWED_FOR_MS
    return rests_on_absence & notice.c.reason.not_in(_ENDS) & is_recent & exists().where(silent)


def unheard(connection: Connection, now_ms: int) -> dict[str | None, int]:
    """How many due notices wait, by district, because no recipient is named for them."""
    statement = select(notice.c.district, func.count()).group_by(notice.c.district)
    late = statement.where(notice.c.state == "due", notice.c.due_ms <= now_ms, ~_has_recipient())
    return {district: number for district, number in connection.execute(late)}


def _has_recipient() -> ColumnElement[bool]:
    # Asked by the database, so that what nobody can be told never stands in the way of what somebody can.
    named = or_(recipient.c.district == notice.c.district, recipient.c.district == EVERYWHERE)
    return exists().where(named)


_DUE = _due()
"""Asked again and again, and made once: making it takes longer than asking."""


def told(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """The notices are in the outbox."""
    _note(connection, rows, state="told")


def put_off(connection: Connection, rows: Sequence[dict[str, Any]], due_ms: int) -> None:
    """The notices could not be made into a mail: they stay due, but not before then."""
    _note(connection, rows, due_ms=due_ms)


def _note(connection: Connection, rows: Sequence[dict[str, Any]], **values: Any) -> None:
    for row in rows:
        which = (notice.c.fingerprint == row["fingerprint"]) & (
            notice.c.transition_no == row["transition_no"]
        )
        connection.execute(update(notice).where(which).values(**values))


def recipients(connection: Connection, district: str | None) -> list[str]:
    """The addresses of a district's team, or of the fallback where it has none."""
    for one in (district, EVERYWHERE):
        statement = (
            select(recipient.c.address).where(recipient.c.district == one).order_by(recipient.c.address)
        )
        if addresses := list(connection.scalars(statement)):
            return addresses
    return []


def put_recipient(connection: Connection, address: str, district: str, name: str) -> None:
    """Name an address for a district, or for `EVERYWHERE`."""
    which = (recipient.c.address == address) & (recipient.c.district == district)
    connection.execute(delete(recipient).where(which))
    connection.execute(insert(recipient).values(address=address, district=district, name=name))


def untold(connection: Connection) -> int:
    """How many notices are not told yet."""
    return connection.scalar(select(func.count()).where(notice.c.state == "due")) or 0
