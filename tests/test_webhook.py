"""A message platform is told the same as a mailbox: signed, once, within limits, and nowhere but where it was sent."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from cylinder_trace import delivery
from cylinder_trace.enrolment import kept_server_key
from cylinder_trace.judging.handling.routing import Recipient
from cylinder_trace.judging.scan import HOUR_MS, MINUTE_MS
from cylinder_trace.mail import Channels
from cylinder_trace.mail.webhook import KEY_ID
from cylinder_trace.settings import Settings
from cylinder_trace.store import outbox, recipients
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache
from tests.postbox import TEAM, Inbox, outbox_rows, overdue
from tests.world import LAW, MINHANG, World, ms


class Bridge:
    """A real HTTP server that keeps what it is posted and answers as it is told."""

    def __init__(self) -> None:
        self.posted: list[requests.PreparedRequest] = []
        self.code, self.pause_s = 200, 0.0
        bridge = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                address = f"{bridge.address}{self.path}"
                made = requests.Request("POST", address, data=body, headers=dict(self.headers))
                bridge.posted.append(made.prepare())
                time.sleep(bridge.pause_s)
                self.send_response(bridge.code)
                if bridge.code == 302:
                    self.send_header("Location", f"{bridge.address}/elsewhere")
                self.end_headers()
                self.wfile.write(b"noted")

            def log_message(self, *_: Any) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"


@contextmanager
def bridging() -> Iterator[Bridge]:
    bridge = Bridge()
    thread = threading.Thread(target=bridge.http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield bridge
    finally:
        bridge.http.shutdown()
        thread.join()
        bridge.http.server_close()


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with bridging() as one:
        yield one


@pytest.fixture
def lasting(sqlite_url: str) -> Iterator[Database]:
    database = open_database(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def settings(inbox: Inbox, tmp_path: Path) -> Settings:
    return Settings(smtp_port=inbox.port, secret_directory=tmp_path, webhook_timeout_s=0.5)


def waiting(database: Database, *addresses: str) -> None:
    with database.writing() as connection:
        for number, address in enumerate(addresses):
            outbox.post(connection, "g", address, "s", f"<{number}@x>", b'{"text":"x"}', 0)


def deliver(database: Database, settings: Settings, at_ms: int = 0) -> dict[str, int]:
    return delivery.run(
        database, ReferenceCache(LAW), Channels(settings, lambda: kept_server_key(settings)), at_ms
    )


def verified(posted: requests.PreparedRequest, settings: Settings) -> None:
    """What a bridge does before it believes a notice. Raises InvalidSignature."""
    assert isinstance(posted.body, bytes)
    keys = MappingKeyResolver(public_keys={KEY_ID: kept_server_key(settings).public_key()}, private_keys={})
    HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=keys).verify(posted, body=posted.body)


def test_a_platform_reads_what_the_mailbox_reads(
    lasting: Database, bridge: Bridge, inbox: Inbox, settings: Settings
) -> None:
    world = World(lasting)
    with lasting.writing() as connection:
        for address in (TEAM, f"{bridge.address}/notices"):
            recipients.put(connection, Recipient(address, MINHANG))
    overdue(world, 1)
    assert deliver(lasting, settings, ms(2.5))["sent"] == 2
    [(_, mail)], [posted] = inbox.taken, bridge.posted
    verified(posted, settings)
    said = json.loads(posted.body or b"")
    assert said["subject"] == mail["Subject"]
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert said["text"].splitlines() == plain.get_content().rstrip().splitlines()
    assert (said["rule"], said["reason"], said["district"]) == ("fill_overdue", "first", MINHANG)
    assert said["link"] == said["alerts"][0]["link"]
    assert said["link"] in said["text"]
    [row] = [row for row in outbox_rows(lasting) if row.channel == outbox.WEBHOOK]
    assert posted.headers["Idempotency-Key"] == said["id"] == row.message_id


def test_a_notice_that_was_changed_on_its_way_is_not_believed(
    lasting: Database, bridge: Bridge, settings: Settings
) -> None:
    waiting(lasting, f"{bridge.address}/a")
    deliver(lasting, settings)
    [posted] = bridge.posted
    verified(posted, settings)
    posted.headers["Idempotency-Key"] = "<other@x>"
    with pytest.raises(InvalidSignature):
        verified(posted, settings)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        *((code, "sent") for code in (200, 202, 204)),
        *((code, "dead") for code in (302, 400, 404, 410)),
        *((code, "waiting") for code in (408, 425, 429, 500, 503)),
    ],
)
def test_what_a_platform_answers_decides(
    lasting: Database, bridge: Bridge, settings: Settings, code: int, state: str
) -> None:
    """A redirect is not followed: what is told goes where it was sent, or nowhere."""
    bridge.code = code
    waiting(lasting, f"{bridge.address}/a")
    deliver(lasting, settings)
    [row] = outbox_rows(lasting)
    assert row.state == state
    assert row.last_answer.startswith(str(code))
    assert len(bridge.posted) == 1


def test_a_platform_that_hangs_is_told_later_under_the_same_key(
    lasting: Database, bridge: Bridge, settings: Settings
) -> None:
    bridge.pause_s = 1.0
    waiting(lasting, f"{bridge.address}/a")
    assert deliver(lasting, settings)["put off"] == 1
    bridge.pause_s = 0
    assert deliver(lasting, settings, 5 * MINUTE_MS)["sent"] == 1
    assert [one.headers["Idempotency-Key"] for one in bridge.posted] == ["<0@x>"] * 2


def test_a_platform_that_is_away_holds_up_no_mail_and_no_other_platform(
    lasting: Database, bridge: Bridge, inbox: Inbox, settings: Settings
) -> None:
    away = "http://127.0.0.1:1"
    waiting(lasting, f"{away}/a", TEAM, f"{away}/a?b", f"{bridge.address}/a")
    assert deliver(lasting, settings) == {"rendered": 0, "sent": 2, "put off": 2, "given up": 0}
    assert [row.state for row in outbox_rows(lasting)] == ["waiting", "sent", "waiting", "sent"]
    for hour in range(1, 60):
        assert deliver(lasting, settings, hour * HOUR_MS)["given up"] == 0


def test_a_mail_server_that_is_away_holds_up_no_platform(
    lasting: Database, bridge: Bridge, tmp_path: Path
) -> None:
    waiting(lasting, TEAM, "b@example.org", f"{bridge.address}/a")
    settings = Settings(smtp_port=1, secret_directory=tmp_path)
    assert deliver(lasting, settings) == {"rendered": 0, "sent": 1, "put off": 1, "given up": 0}
    assert [row.attempts for row in outbox_rows(lasting)] == [1, 0, 1]


def test_an_address_that_is_none_is_a_dead_letter(lasting: Database, settings: Settings) -> None:
    waiting(lasting, "https://")
    assert deliver(lasting, settings)["given up"] == 1
