"""What has to be told to whom: notices that are due, and the addresses of those who hear of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from cylinder_trace.judging.handling.inhibition import INHIBITS
from cylinder_trace.judging.handling.routing import EVERYWHERE
from cylinder_trace.judging.handling.timing import DIGEST
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store.database import add_missing
from cylinder_trace.store.tables import alert, alert_history, device_heard, event, notice, recipient

OWED_FOR_MS = 72 * HOUR_MS
"""How long at most people are not told because a device of the site has not been heard."""
ACTIVE_BEFORE_MS = 72 * HOUR_MS
"""A device that made no scan for so long before is not waited for."""

_ENDS = ("withdrawn", "resolved", "closed")
_NOW_MS: ColumnElement[int] = bindparam("now_ms", type_=BigInteger)


@dataclass(frozen=True, slots=True)
class Due:
    """Notices that are told together: of one rule, site and reason, for one district; or, `in_digest`, all of its day.

    `level` is up to whom it has come: 0 the team that acts, 1 its head, 2 the city.
    """

    district: str | None
    in_digest: bool
    severity: int = 3
    level: int = 0
    rule: str = ""
    site_id: str | None = None
    reason: str = "digest"


def give(
    connection: Connection,
    fingerprint: str,
    transition_no: int,
    reason: str,
    district: str | None,
    due_ms: int,
    *,
    step: int = 0,
    level: int = 0,
) -> None:
    """Note that people are to be told of a transition, unless what they were told last says the same.

    It takes the place of what was not told yet: found and withdrawn before anybody heard of it is never told.
    An end goes to the district that was told last, whatever `district` the alert's site lies in by now, and as far up.
    A `step` tells of what came after the transition: nothing, while people have yet to hear of the alert anyway.
    """
    of_alert = notice.c.fingerprint == fingerprint
    untold = of_alert & (notice.c.state == "due")
    if step:
        if (
            reason != "escalated"
            and connection.scalar(select(notice.c.step).where(untold).limit(1)) is not None
        ):
            return
    else:
        connection.execute(update(notice).where(untold).values(state="cancelled"))
        heard = select(notice.c.reason, notice.c.district, notice.c.level)
        heard = heard.where(of_alert, notice.c.state == "told")
        newest_first = heard.order_by(notice.c.transition_no.desc(), notice.c.step.desc())
        last = connection.execute(newest_first.limit(1)).one_or_none()
        # Who dealt with an alert that was no fact after all has to know.
        is_news = last is not None and (last.reason, reason) == ("closed", "withdrawn")
        if (reason in _ENDS) == (last is None or last.reason in _ENDS) and not is_news:
            return
        if last is None:
            reason = "first"
        elif reason in _ENDS:
            district, level = last.district, last.level
    row = {
        "fingerprint": fingerprint,
        "transition_no": transition_no,
        "step": step,
        "reason": reason,
        "district": district,
        "level": level,
        "due_ms": due_ms,
        "state": "due",
    }
    add_missing(connection, notice, [row])


def due(connection: Connection, now_ms: int, limit: int) -> list[dict[str, Any]]:
    """Notices that may be told now, with their alert and the event that made the difference, whatever their group."""
    return _read(connection, _members(limit), now_ms)


def due_groups(connection: Connection, now_ms: int, limit: int) -> list[Due]:
    """Which groups have notices that may be told now: those by themselves, the longest due first, then digests."""
    its = (alert.c.severity, notice.c.level, alert.c.rule, alert.c.site_id, notice.c.reason)
    single = select(notice.c.district, *its).join(alert, alert.c.fingerprint == notice.c.fingerprint)
    single = single.where(*_MAY_BE_TOLD, ~_in_digest()).group_by(notice.c.district, *its)
    single = single.order_by(func.min(notice.c.due_ms), alert.c.rule, alert.c.site_id).limit(limit)
    found = [
        Due(district, False, *which) for district, *which in connection.execute(single, {"now_ms": now_ms})
    ]
    whole = select(notice.c.district).join(alert, alert.c.fingerprint == notice.c.fingerprint)
    whole = whole.where(*_MAY_BE_TOLD, _in_digest()).distinct().limit(limit)
    return found + [Due(district, True) for district in connection.scalars(whole, {"now_ms": now_ms})]


def members(connection: Connection, group: Due, now_ms: int) -> list[dict[str, Any]]:
    """The notices of a group that may be told now and that no other worker is telling, the longest due first."""
    statement = _members(None).where(notice.c.district.is_not_distinct_from(group.district))
    if group.in_digest:
        statement = statement.where(_in_digest())
    else:
        statement = statement.where(
            ~_in_digest(),
            notice.c.level == group.level,
            notice.c.reason == group.reason,
            alert.c.severity == group.severity,
            alert.c.rule == group.rule,
            alert.c.site_id.is_not_distinct_from(group.site_id),
        )
    return _read(connection, statement, now_ms)


def _read(connection: Connection, statement: Select[Any], now_ms: int) -> list[dict[str, Any]]:
    if connection.dialect.name == "postgresql":
        statement = statement.with_for_update(of=notice, skip_locked=True)
    return [dict(row) for row in connection.execute(statement, {"now_ms": now_ms}).mappings()]


def _members(limit: int | None) -> Select[Any]:
    this_one = (alert_history.c.fingerprint == notice.c.fingerprint) & (
        alert_history.c.transition_no == notice.c.transition_no
    )
    return (
        select(
            notice.c.transition_no.label("told_no"),
            notice.c.step,
            notice.c.level,
            notice.c.reason,
            notice.c.district.label("to_district"),
            event.c.body.label("because_body"),
            event.c.received_ms.label("because_received_ms"),
            alert,
        )
        .join(alert, alert.c.fingerprint == notice.c.fingerprint)
        .outerjoin(alert_history, this_one)
        .outerjoin(event, event.c.event_id == alert_history.c.because)
        .where(*_MAY_BE_TOLD)
        .order_by(notice.c.due_ms, notice.c.fingerprint, notice.c.step)
        .limit(limit)
    )


def _in_digest() -> ColumnElement[bool]:
    return or_(alert.c.severity == DIGEST, notice.c.in_digest)


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


def _is_inhibited() -> ColumnElement[bool]:
    """Whether an open alert of the same site holds this one back: it is that one's consequence."""
    other = alert.alias("other")
    held = [
        and_(
            alert.c.rule.in_(sorted(rules)),
            exists().where(
                other.c.site_id == alert.c.site_id, other.c.rule == inhibitor, other.c.status == "open"
            ),
        )
        for inhibitor, rules in INHIBITS.items()
    ]
    return and_(notice.c.reason.not_in(_ENDS), or_(*held))


_MAY_BE_TOLD = (
    notice.c.state == "due",
    notice.c.due_ms <= _NOW_MS,
    _has_recipient(),
    ~_is_owed(),
    ~_is_inhibited(),
)


def told(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """The notices are in the outbox."""
    _note(connection, rows, state="told")


def put_off(connection: Connection, rows: Sequence[dict[str, Any]], due_ms: int) -> None:
    """The notices could not be made into a mail: they stay due, but not before then."""
    _note(connection, rows, due_ms=due_ms)


def put_into_digest(connection: Connection, rows: Sequence[dict[str, Any]], due_ms: int) -> None:
    """There are too many of a rule today: these are told in the next digest, with their list."""
    _note(connection, rows, due_ms=due_ms, in_digest=True)


def _note(connection: Connection, rows: Sequence[dict[str, Any]], **values: Any) -> None:
    which = update(notice).where(
        notice.c.fingerprint == bindparam("its"),
        notice.c.transition_no == bindparam("number"),
        notice.c.step == bindparam("its_step"),
    )
    keys = [{"its": row["fingerprint"], "number": row["told_no"], "its_step": row["step"]} for row in rows]
    if keys:
        connection.execute(which.values(**values), keys)


def untold(connection: Connection) -> int:
    """How many notices are not told yet."""
    return connection.scalar(select(func.count()).where(notice.c.state == "due")) or 0
