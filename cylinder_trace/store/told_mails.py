"""Which mails told of which notice of an alert: what went out about it, to whom, why, and whether it arrived."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, select

from cylinder_trace.store.database import add_missing
from cylinder_trace.store.tables import notice, notice_mail, outbox, recipient


def note(connection: Connection, rows: Sequence[dict[str, Any]], group_key: str) -> None:
    """These notices are told by the mails of a group."""
    told = [
        {
            "fingerprint": row["fingerprint"],
            "transition_no": row["told_no"],
            "step": row["step"],
            "group_key": group_key,
        }
        for row in rows
    ]
    add_missing(connection, notice_mail, told)


def about(connection: Connection, fingerprint: str) -> list[dict[str, Any]]:
    """The mails that told of an alert, the first first: reason, level and district of the notice; state of the mail."""
    its = and_(
        notice.c.fingerprint == notice_mail.c.fingerprint,
        notice.c.transition_no == notice_mail.c.transition_no,
        notice.c.step == notice_mail.c.step,
    )
    to = (recipient.c.address == outbox.c.recipient) & (recipient.c.district == notice.c.district)
    columns = [outbox.c[name] for name in ("mail_id", "recipient", "state", "created_ms", "sent_ms")]
    told = select(notice.c.reason, notice.c.level, notice.c.district, recipient.c.name, *columns)
    told = told.select_from(notice_mail).join(notice, its)
    told = told.join(outbox, outbox.c.group_key == notice_mail.c.group_key).outerjoin(recipient, to)
    told = told.where(notice_mail.c.fingerprint == fingerprint)
    rows = connection.execute(told.order_by(outbox.c.created_ms, outbox.c.mail_id)).mappings()
    return [dict(row) for row in rows]
