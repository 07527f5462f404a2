"""The outbox: rendered messages, one row a recipient, from the moment they are made until a server took them.

A row waits, is sent, or is a dead letter: refused for good, or given up. A person sends a dead letter again or lets it go.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store.database import add_missing
from cylinder_trace.store.tables import outbox

MAIL, WEBHOOK = "mail", "webhook"
WAITING, LET_GO = "waiting", "let_go"
_BYTES = ("body", "body_sha256")


@dataclass(frozen=True, slots=True)
class Mail:
    """One rendered message to one recipient; `body` is what goes over the wire.

    `attempts` counts this one too; `last_answer` is what the one before it ended with, None at the first.
    """

    mail_id: int
    channel: str
    recipient: str
    message_id: str
    body: bytes
    body_sha256: bytes
    attempts: int
    created_ms: int
    last_answer: str | None

    @property
    def is_whole(self) -> bool:
        """Whether the bytes are those that were rendered."""
        return hashlib.sha256(self.body).digest() == self.body_sha256

    @property
    def server(self) -> str:
        """Who takes it: the mail server takes all mails, each webhook address is a server of its own."""
        return MAIL if self.channel == MAIL else self.recipient


def channel_to(address: str) -> str:
    """The channel that reaches an address: a message platform is named by its URL, anybody else has mail."""
    return WEBHOOK if address.startswith(("https://", "http://")) else MAIL


def post(
    connection: Connection,
    group_key: str,
    address: str,
    subject: str,
    message_id: str,
    body: bytes,
    now_ms: int,
) -> None:
    """Put a rendered message into the outbox; a group goes to a recipient once."""
    row = {
        "group_key": group_key,
        "channel": channel_to(address),
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


def lease(connection: Connection, due_ms: int, until_ms: int, but: Collection[str] = ()) -> Mail | None:
    """Take a message whose try was due: nobody else gets it before `until_ms`. None when nothing is due.

    The least tried comes first, of those the oldest: messages that fail again and again starve no other. The attempt
    is counted here, so that one that ends in a crash is counted too. `but` are servers that are not to be asked.
    """
    asked: dict[str, Any] = {"due_ms": due_ms, "until_ms": until_ms}
    if but:
        row = connection.execute(_LEASE_BUT, asked | {"but": sorted(but)}).one_or_none()
    else:
        row = connection.execute(_LEASE, asked).one_or_none()
    return Mail(*row) if row else None


def _lease(waits: ColumnElement[bool]) -> ReturningUpdate[Any]:
    # Who leases at the same moment takes another instead of waiting for this; SQLite has one writer anyway.
    next_one = (
        select(outbox.c.mail_id)
        .where(waits)
        .order_by(outbox.c.attempts, outbox.c.mail_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(outbox)
        .where(outbox.c.mail_id == next_one, waits)
        .values(next_try_ms=bindparam("until_ms"), attempts=outbox.c.attempts + 1)
        .returning(*(outbox.c[name] for name in Mail.__slots__))
    )


_WAITS = (outbox.c.state == "waiting") & (outbox.c.next_try_ms <= bindparam("due_ms", type_=BigInteger))
_BUT: BindParameter[Any] = bindparam("but", expanding=True)
_LEASE = _lease(_WAITS)
_LEASE_BUT = _lease(_WAITS & outbox.c.channel.not_in(_BUT) & outbox.c.recipient.not_in(_BUT))
_SENT = (
    update(outbox)
    .where(outbox.c.mail_id == bindparam("which"), outbox.c.state != "sent")
    .values(state="sent", sent_ms=bindparam("now_ms"), last_answer=bindparam("answer"))
)
"""Asked for every mail, and made once: making them takes longer than asking."""


def give_back(connection: Connection, mail: Mail, due_ms: int) -> None:
    """End a lease at which nothing was tried: the message is due again, and the attempt was none."""
    still_ours = (outbox.c.state == "waiting") & (outbox.c.attempts == mail.attempts)
    values = {"next_try_ms": due_ms, "attempts": outbox.c.attempts - 1}
    connection.execute(update(outbox).where(outbox.c.mail_id == mail.mail_id, still_ours).values(**values))


def hours_of_service(connection: Connection, mail: Mail) -> int:
    """In how many different hours its server took what is younger than this: while it waited, the server did serve."""
    # Younger by their number, which the database finds at once; those before it are none of its business.
    others = (outbox.c.mail_id > mail.mail_id) & (outbox.c.state == "sent")
    others &= outbox.c.channel == MAIL if mail.server == MAIL else outbox.c.recipient == mail.recipient
    hours = select(outbox.c.sent_ms // HOUR_MS).where(others).distinct().subquery()
    return connection.scalar(select(func.count()).select_from(hours)) or 0


def sent(connection: Connection, mail: Mail, now_ms: int, answer: str) -> None:
    """The server took it. That is a fact whoever holds the lease by now, and whatever another try came to."""
    connection.execute(_SENT, {"which": mail.mail_id, "now_ms": now_ms, "answer": answer[:500]})


def failed(connection: Connection, mail: Mail, answer: str, next_try_ms: int | None) -> None:
    """The server did not take it: try again then, or never (a dead letter) where no time is given.

    Says nothing once the lease has run out and another has leased the mail: its own try decides.
    """
    still_ours = (outbox.c.state == "waiting") & (outbox.c.attempts == mail.attempts)
    values: dict[str, Any] = {"last_answer": answer[:500]}
    values |= {"state": "dead"} if next_try_ms is None else {"next_try_ms": next_try_ms}
    connection.execute(update(outbox).where(outbox.c.mail_id == mail.mail_id, still_ours).values(**values))


def settle(connection: Connection, mail_id: int, attempts: int, becomes: str, now_ms: int) -> bool:
    """Send a dead letter again, under its Message-ID, or let it go; gives False where it is none any more.

    `attempts` are those that the person saw: who was slower changes nothing.
    """
    seen = (outbox.c.mail_id == mail_id) & (outbox.c.state == "dead") & (outbox.c.attempts == attempts)
    # Counted as made now, so that it is not given up at its first "later"; what it was refused with is no "asked before".
    again = {"next_try_ms": now_ms, "created_ms": now_ms, "last_answer": None} if becomes == WAITING else {}
    return connection.execute(update(outbox).where(seen).values(state=becomes, **again)).rowcount == 1


def _summary() -> list[Column[Any]]:
    return [column for column in outbox.c if column.name not in _BYTES]


def listed(
    connection: Connection, states: Collection[str], limit: int, offset: int = 0
) -> list[dict[str, Any]]:
    """Rows in these states without their bytes, the newest first."""
    statement = select(*_summary()).where(outbox.c.state.in_(states))
    page = statement.order_by(outbox.c.mail_id.desc()).limit(limit).offset(offset)
    return [dict(row) for row in connection.execute(page).mappings()]


def one(connection: Connection, mail_id: int) -> dict[str, Any] | None:
    """A row without its bytes, as it stands now."""
    row = connection.execute(select(*_summary()).where(outbox.c.mail_id == mail_id))
    found = row.mappings().one_or_none()
    return dict(found) if found else None


def counts(connection: Connection) -> dict[str, int]:
    """Messages by state."""
    statement = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return {"waiting": 0, "sent": 0, "dead": 0} | {
        state: number for state, number in connection.execute(statement)
    }
