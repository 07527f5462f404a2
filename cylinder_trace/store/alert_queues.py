"""What is to be done of the open alerts: those that nobody has acknowledged, that are overdue, put off, or somebody's own."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from cylinder_trace.store.alerts import OF_EPISODE, Scope, within
from cylinder_trace.store.tables import alert, alert_care

QUEUES = ("waiting", "overdue", "snoozed", "mine")


def in_queue(queue: str, username: str, now_ms: int) -> ColumnElement[bool] | None:
    """Whether an alert is in one of these; None for a name that is none of them.

    *Waiting* is what nobody has acknowledged or put off; *overdue* what waits longer than the term; *mine* what is assigned
    to the reader.
    """
    snoozed = alert_care.c.snoozed_until_ms.is_not(None)
    waiting = alert_care.c.acknowledged_ms.is_(None) & ~snoozed
    found = {
        "waiting": waiting,
        "overdue": waiting & ((alert_care.c.level > 0) | (alert_care.c.wake_ms <= now_ms)),
        "snoozed": snoozed,
        "mine": alert_care.c.assigned_to == username,
    }.get(queue)
    return None if found is None else and_(alert.c.status == "open", found)


def counts(connection: Connection, scope: Scope, username: str, now_ms: int) -> dict[str, int]:
    """How many alerts of a person's scope are in each."""
    conditions = [(queue, in_queue(queue, username, now_ms)) for queue in QUEUES]
    each: list[Any] = [
        func.count().filter(which).label(queue) for queue, which in conditions if which is not None
    ]
    statement: Select[Any] = select(*each).select_from(alert).join(alert_care, OF_EPISODE)
    row = connection.execute(within(statement.where(alert.c.status == "open"), scope)).one()
    return dict(zip(QUEUES, row, strict=True))
