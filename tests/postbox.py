"""A real mail server for tests, with an inbox to look into, and what there is to be delivered to it."""

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from sqlalchemy import select

from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import outbox
from tests.world import World, code, filled, registered

TEAM = "minhang@example.org"


class Inbox:
    """A mail server's handler: keeps what it takes, and answers a recipient as it is told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.taken: list[tuple[str, EmailMessage]] = []
        self.answers: dict[str, str] = {}
        self.refuses_sender = False

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.refuses_sender:
            return "550 who are you"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken += [(address, message) for address in envelope.rcpt_tos]
        return "250 taken"


@contextmanager
def receiving(make: type[Inbox] = Inbox) -> Iterator[Inbox]:
    """The server on a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        inbox = make(probe.getsockname()[1])
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


def overdue(world: World, *numbers: int, hours: float = 1) -> None:
    """Overdue fills at the first station, judged."""
    world.post([registered(code(number), valid_until="2026-01-31") for number in numbers])
    world.post([filled(code(number), hours) for number in numbers])
    world.sweep(hours + 0.1)


def outbox_rows(database: Database) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(outbox).order_by(outbox.c.mail_id)))
