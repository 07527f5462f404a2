"""Promise 7, known to arrive: over one connection for many mails, encrypted and signed in, whatever the server does."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import update

from cylinder_trace import delivery
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, MINUTE_MS
from cylinder_trace.mail import Channels
from cylinder_trace.settings import Settings
from cylinder_trace.stage import free_port
from cylinder_trace.store import outbox
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.store.tables import outbox as outbox_table
from tests.postbox import Inbox, outbox_rows
from tests.world import LAW

_BODY = "Message-ID: {}\r\nSubject: x\r\n\r\n" + "a fact\r\n" * 40


@pytest.fixture
def lasting(sqlite_url: str) -> Iterator[Database]:
    database = open_database(sqlite_url)
    yield database
    database.close()


def waiting(database: Database, *addresses: str) -> None:
    """A message to each of them is due since 0."""
    with database.writing() as connection:
        for number, address in enumerate(addresses):
            message_id = f"<{number}@example.org>"
            outbox.post(connection, "g", address, "s", message_id, _BODY.format(message_id).encode(), 0)


def no_key() -> Any:
    raise AssertionError("no mail is signed")


def deliver(database: Database, settings: Settings, at_ms: int = 0) -> dict[str, int]:
    tally = delivery.run(database, ReferenceCache(LAW), Channels(settings, no_key), at_ms)
    del tally["rendered"]
    return tally


def states(database: Database) -> list[str]:
    return [row.state for row in outbox_rows(database)]


class Temperamental(Inbox):
    """A server that fails as it is told, `times` times, and counts who connects."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.fault = ""
        self.times = 0
        self.greeted = 0
        self.mails_a_connection = 1000

    def _fails(self, fault: str) -> bool:
        fails = self.fault == fault and self.times > 0
        self.times -= fails
        return fails

    async def handle_EHLO(  # noqa: N802
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greeted += 1
        session.host_name, session.mails = hostname, 0
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, *asked: Any) -> str:  # noqa: N802
        session.mails += 1
        if session.mails > self.mails_a_connection:
            return "421 enough for one connection"
        return await super().handle_MAIL(server, session, envelope, *asked)

    async def handle_RCPT(self, server: Any, *asked: Any) -> str:  # noqa: N802
        if self._fails("greylisted"):
            return "451 greylisted, come again"
        if self._fails("hangs"):
            await asyncio.sleep(1.2)
        if self._fails("cut before the bytes"):
            server.transport.abort()
        return await super().handle_RCPT(server, *asked)

    async def handle_DATA(self, server: Any, *asked: Any) -> str:  # noqa: N802
        if self._fails("cut in the middle of the bytes"):
            server.transport.abort()
            return "451 not taken"
        if self._fails("slow"):
            await asyncio.sleep(0.3)
        answer = await super().handle_DATA(server, *asked)
        if self._fails("cut before its answer"):
            server.transport.abort()
        return answer


@contextmanager
def serving(**how: Any) -> Iterator[Temperamental]:
    inbox = Temperamental(free_port())
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port, **how)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


@pytest.fixture
def server() -> Iterator[Temperamental]:
    with serving() as inbox:
        yield inbox


def test_one_connection_serves_many_mails(lasting: Database, server: Temperamental) -> None:
    waiting(lasting, *(f"{number}@example.org" for number in range(30)))
    assert deliver(lasting, Settings(smtp_port=server.port))["sent"] == 30
    assert server.greeted == 1
    assert len({mail["Message-ID"] for _, mail in server.taken}) == 30


def test_a_mail_that_is_refused_harms_none_that_comes_after_it(
    lasting: Database, server: Temperamental
) -> None:
    waiting(lasting, "a@example.org", "b@example.org", "c@example.org")
    server.answers["b@example.org"] = "550 no such user"
    assert deliver(lasting, Settings(smtp_port=server.port)) == {"sent": 2, "put off": 0, "given up": 1}
    assert states(lasting) == ["sent", "dead", "sent"]
    assert "no such user" in outbox_rows(lasting)[1].last_answer
    assert server.greeted == 2


def test_a_server_that_takes_few_mails_a_connection_is_called_again(
    lasting: Database, server: Temperamental
) -> None:
    server.mails_a_connection = 4
    waiting(lasting, *(f"{number}@example.org" for number in range(10)))
    assert deliver(lasting, Settings(smtp_port=server.port))["sent"] == 10
    assert {row.attempts for row in outbox_rows(lasting)} == {1}
    assert server.greeted == 3


@pytest.mark.parametrize(
    ("fault", "twice"),
    [
        ("greylisted", False),
        ("hangs", False),
        ("cut before the bytes", False),
        ("cut in the middle of the bytes", False),
        ("slow", False),
        ("cut before its answer", True),
    ],
)
def test_promise_7_whatever_the_server_does_the_mail_arrives_under_one_id(
    lasting: Database, server: Temperamental, fault: str, twice: bool
) -> None:
    """Only where it took the mail and its answer was lost can nobody know, and the mail comes once more."""
    waiting(lasting, "a@example.org", "b@example.org")
    server.fault, server.times = fault, 1
    settings = Settings(smtp_port=server.port, smtp_timeout_s=0.6)
    tally = deliver(lasting, settings)
    assert tally["given up"] == 0
    assert tally["put off"] == (fault != "slow")
    deliver(lasting, settings, 5 * MINUTE_MS)
    assert states(lasting) == ["sent", "sent"]
    arrived = [mail["Message-ID"] for _, mail in server.taken]
    assert set(arrived) == {"<0@example.org>", "<1@example.org>"}
    assert len(arrived) == (3 if twice else 2)


def test_promise_7_a_server_that_refuses_connections_loses_nothing(lasting: Database) -> None:
    waiting(lasting, "a@example.org", "b@example.org")
    for at_ms in range(0, 3 * DAY_MS, HOUR_MS):
        assert deliver(lasting, Settings(smtp_port=1), at_ms)["given up"] == 0
    with serving() as server:
        assert deliver(lasting, Settings(smtp_port=server.port), 3 * DAY_MS)["sent"] == 2


def test_bytes_that_are_not_those_that_were_rendered_are_never_sent(
    lasting: Database, server: Temperamental
) -> None:
    waiting(lasting, "a@example.org", "b@example.org")
    with lasting.writing() as connection:
        changed = (
            update(outbox_table).where(outbox_table.c.mail_id == 1).values(body=b"Subject: other\r\n\r\nx")
        )
        connection.execute(changed)
    assert deliver(lasting, Settings(smtp_port=server.port)) == {"sent": 1, "put off": 0, "given up": 1}
    assert [address for address, _ in server.taken] == ["b@example.org"]
    assert "not those that were rendered" in outbox_rows(lasting)[0].last_answer


# --- encrypted, and signed in -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example.org")])
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(loopback, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "cert.pem", folder / "key.pem"


Starts = Callable[[ssl.SSLContext], dict[str, Any]]


def _lets_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"trace", b"secret"))


def _tls(context: ssl.SSLContext) -> dict[str, Any]:
    return {"ssl_context": context}


def _starttls(context: ssl.SSLContext) -> dict[str, Any]:
    signs_in = {"authenticator": _lets_in, "auth_required": True}
    return {"tls_context": context, "require_starttls": True, **signs_in}


ENCRYPTED = pytest.mark.parametrize(
    ("starts", "settings"),
    [
        pytest.param(_tls, {"smtp_tls": True}, id="tls"),
        pytest.param(
            _starttls,
            {"smtp_starttls": True, "smtp_user": "trace", "smtp_password": "secret"},
            id="starttls-and-sign-in",
        ),
    ],
)


@ENCRYPTED
def test_mails_go_out_encrypted(
    lasting: Database, certificate: tuple[Path, Path], starts: Starts, settings: dict[str, Any]
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with serving(**starts(context)) as server:
        waiting(lasting, "a@example.org", "b@example.org")
        known = Settings(smtp_port=server.port, smtp_ca_file=certificate[0], smtp_timeout_s=10, **settings)
        assert deliver(lasting, known)["sent"] == 2


@ENCRYPTED
def test_a_server_that_nobody_vouches_for_gets_no_mail_and_costs_none(
    lasting: Database, certificate: tuple[Path, Path], starts: Starts, settings: dict[str, Any]
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with serving(**starts(context)) as server:
        waiting(lasting, "a@example.org", "b@example.org")
        tally = deliver(lasting, Settings(smtp_port=server.port, smtp_timeout_s=10, **settings))
        assert tally == {"sent": 0, "put off": 1, "given up": 0}
        assert not server.taken
        assert "certificate" in outbox_rows(lasting)[0].last_answer.lower()


def test_two_ways_to_encrypt_are_one_too_many() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        Settings(smtp_tls=True, smtp_starttls=True)


# --- dead letters -----------------------------------------------------------------------------------------------


def test_a_dead_letter_is_sent_again_under_its_id_by_the_first_of_two_people(
    database: Database, server: Temperamental
) -> None:
    waiting(database, "a@example.org")
    server.answers["a@example.org"] = "550 mailbox full"
    deliver(database, Settings(smtp_port=server.port))
    assert states(database) == ["dead"]
    server.answers.clear()
    with database.writing() as connection:
        assert outbox.settle(connection, 1, 1, "waiting", DAY_MS * 3)
        assert not outbox.settle(connection, 1, 1, "let_go", DAY_MS * 3)
    assert deliver(database, Settings(smtp_port=server.port), DAY_MS * 3)["sent"] == 1
    assert [mail["Message-ID"] for _, mail in server.taken] == ["<0@example.org>"]


def test_a_dead_letter_that_failed_again_since_it_was_seen_is_not_settled(
    database: Database, server: Temperamental
) -> None:
    waiting(database, "a@example.org")
    server.answers["a@example.org"] = "550 mailbox full"
    deliver(database, Settings(smtp_port=server.port))
    with database.writing() as connection:
        assert outbox.settle(connection, 1, 1, "waiting", 5)
    deliver(database, Settings(smtp_port=server.port), 5)
    with database.writing() as connection:
        assert not outbox.settle(connection, 1, 1, "let_go", 6)
        assert outbox.settle(connection, 1, 2, "let_go", 6)
    assert states(database) == ["let_go"]
