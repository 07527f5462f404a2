"""The outbox: rendered mails, one row a recipient, from the moment they are made until a server took them."""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store.database import add_missing
from cylinder_trace.store.tables import outbox


@dataclass(frozen=True, slots=True)
class Mail:
    """One rendered mail to one recipient; `body` is what goes over the wire.

    `attempts` counts this one too; `last_answer` is what the one before it ended with, None at the first.
    """

    mail_id: int
    recipient: str
    message_id: str
    body: bytes
    attempts: int
    created_ms: int
    last_answer: str | None


def post(
    connection: Connection,
    group_key: str,
    address: str,
    subject: str,
    message_id: str,
    body: bytes,
    now_ms: int,
) -> None:
    """Put a rendered mail into the outbox; a group goes to a recipient once."""
    row = {
        "group_key": group_key,
        "recipient": address,
        "subject": subject[:300],
        "message_id": message_id,
        "body": body,
        "body_sha256": hashlib.sha256(body).digest(),
        "state": "waiting",
        "attempts": 0,
        "next_try_ms": now_ms,
        "created_ms": now_ms,
    }
    add_missing(connection, outbox, [row])


def lease(connection: Connection, due_ms: int, until_ms: int) -> Mail | None:
    """Take a mail whose try was due: nobody else gets it before `until_ms`. None when nothing is due.

    The least tried comes first, of those the oldest: mails that fail again and again starve no other. The attempt
    is counted here, so that one that ends in a crash is counted too.
    """
    waits = (outbox.c.state == "waiting") & (outbox.c.next_try_ms <= due_ms)
    # Who leases at the same moment takes another instead of waiting for this; SQLite has one writer anyway.
    next_one = (
        select(outbox.c.mail_id)
        .where(waits)
        .order_by(outbox.c.attempts, outbox.c.mail_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(outbox)
        .where(outbox.c.mail_id == next_one, waits)
        .values(next_try_ms=until_ms, attempts=outbox.c.attempts + 1)
        .returning(*(outbox.c[name] for name in Mail.__slots__))
    )
    row = connection.execute(statement).one_or_none()
    return Mail(*row) if row else None


def hours_of_service(connection: Connection, mail: Mail) -> int:
    """In how many different hours mails younger than this one were sent: while it waited, the server did serve."""
    # Younger by their number, which the database finds at once; those before it are none of its business.
    others = (outbox.c.mail_id > mail.mail_id) & (outbox.c.state == "sent")
    hours = select(outbox.c.sent_ms // HOUR_MS).where(others).distinct().subquery()
    return connection.scalar(select(func.count()).select_from(hours)) or 0


def sent(connection: Connection, mail: Mail, now_ms: int, answer: str) -> None:
    """The server took it. That is a fact whoever holds the lease by now, and whatever another try came to."""
    which = (outbox.c.mail_id == mail.mail_id) & (outbox.c.state != "sent")
    values = {"state": "sent", "sent_ms": now_ms, "last_answer": answer[:500]}
    connection.execute(update(outbox).where(which).values(**values))


def failed(connection: Connection, mail: Mail, answer: str, next_try_ms: int | None) -> None:
    """The server did not take it: try again then, or never (a dead letter) where no time is given.

    Says nothing once the lease has run out and another has leased the mail: its own try decides.
    """
    still_ours = (outbox.c.state == "waiting") & (outbox.c.attempts == mail.attempts)
    values: dict[str, Any] = {"last_answer": answer[:500]}
    values |= {"state": "dead"} if next_try_ms is None else {"next_try_ms": next_try_ms}
    connection.execute(update(outbox).where(outbox.c.mail_id == mail.mail_id, still_ours).values(**values))


def counts(connection: Connection) -> dict[str, int]:
    """Mails by state."""
    statement = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return {"waiting": 0, "sent": 0, "dead": 0} | {
        state: number for state, number in connection.execute(statement)
    }
