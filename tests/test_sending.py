"""Whatever the mail server does, and whoever else sends: no scan waits, no mail is lost, none is sent by two at once."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from cylinder_trace import delivery, telling
from cylinder_trace.delivery import NotTaken
from cylinder_trace.judging.handling.routing import Recipient
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.settings import Settings
from cylinder_trace.store import outbox, recipients
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.outbox import Mail
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.telling import Group
from tests.postbox import TEAM, Inbox, outbox_rows, overdue, receiving
from tests.world import LAW, MINHANG, OTHER_STATION, SONGJIANG, World, code, filled, ms, registered

LEASE_H = delivery.LEASE_MS / HOUR_MS


@pytest.fixture
def world(database: Database) -> World:
    with database.writing() as connection:
        recipients.put(connection, Recipient(TEAM, MINHANG, "闵行执法队"))
    return World(database)


Deliver = Callable[[float], dict[str, int]]


@pytest.fixture
def deliver(world: World, inbox: Inbox) -> Deliver:
    return lambda hours: delivery.run(world.database, world.cache, sender(inbox), ms(hours))


def sender(inbox: Inbox) -> SmtpChannel:
    return SmtpChannel(Settings(smtp_port=inbox.port, smtp_timeout_s=30))


@pytest.fixture
def nowhere() -> Iterator[SmtpChannel]:
    """A channel whose server refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield SmtpChannel(Settings(smtp_port=taken.getsockname()[1], smtp_timeout_s=1))


def name_many(world: World, number: int) -> None:
    with world.database.writing() as connection:
        for one in range(number):
            recipients.put(connection, Recipient(f"officer-{one:02}@example.org", MINHANG, ""))


class HangingServer:
    """Takes connections and says nothing until it is released, which ends them."""

    def __init__(self, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self.called = threading.Event()
        self._released = threading.Event()
        self._listening = listening
        self._thread = threading.Thread(target=self._hang)
        self._thread.start()

    def release(self) -> None:
        self._released.set()
        self._thread.join(60)

    def _hang(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            self.called.set()
            self._released.wait(120)


@contextmanager
def hanging() -> Iterator[tuple[HangingServer, SmtpChannel]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        server = HangingServer(listening)
        try:
            yield server, SmtpChannel(Settings(smtp_port=server.port, smtp_timeout_s=60))
        finally:
            server.release()


def test_a_crash_after_sending_repeats_the_mail_under_its_id(
    world: World, inbox: Inbox, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    overdue(world, 1)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "sent", dies)
        with pytest.raises(KeyboardInterrupt):
            deliver(1.2)
    [row] = outbox_rows(world.database)
    assert (row.state, row.attempts) == ("waiting", 1)
    assert deliver(1.19 + LEASE_H)["sent"] == 0
    assert deliver(1.21 + LEASE_H)["sent"] == 1
    assert len(inbox.taken) == 2
    assert len({mail["Message-ID"] for _, mail in inbox.taken}) == 1


def test_a_server_that_is_down_costs_nothing_and_is_asked_once_a_run(
    world: World, inbox: Inbox, deliver: Deliver, nowhere: SmtpChannel
) -> None:
    world.post([registered(code(number), valid_until="2026-01-31") for number in range(3)])
    for number in range(3):
        overdue(world, number)
        tally = delivery.run(world.database, world.cache, nowhere, ms(1.2 + number / 2))
        assert tally == {"rendered": 1, "sent": 0, "put off": 1, "given up": 0}
    assert [row.attempts for row in outbox_rows(world.database)] == [1, 1, 1]
    assert deliver(2.5)["sent"] == 3
    assert len(inbox.taken) == 3


def test_after_a_long_outage_mails_wait_for_minutes_not_for_hours(
    world: World, deliver: Deliver, nowhere: SmtpChannel
) -> None:
    overdue(world, 1)
    for hours in range(2, 12):
        assert delivery.run(world.database, world.cache, nowhere, ms(hours))["put off"] == 1
    assert deliver(11.1)["sent"] == 1


def test_a_run_that_finds_no_server_leaves_the_rest_untouched(world: World, nowhere: SmtpChannel) -> None:
    name_many(world, 30)
    overdue(world, 1)
    assert delivery.run(world.database, world.cache, nowhere, ms(1.2))["put off"] == 1
    assert sum(row.attempts for row in outbox_rows(world.database)) == 1


def test_a_mail_that_breaks_the_channel_holds_up_no_other(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    with world.database.writing() as connection:
        recipients.put(connection, Recipient("闵行@example.org", MINHANG, "smtplib sends no such address"))
        recipients.put(connection, Recipient("a@example.org", MINHANG, ""))
    overdue(world, 1)
    assert deliver(1.2) == {"rendered": 3, "sent": 2, "put off": 1, "given up": 0}
    assert deliver(26)["given up"] == 1
    assert {row.state for row in outbox_rows(world.database)} == {"sent", "dead"}


def test_a_hanging_mail_server_holds_up_no_scan_and_no_other_sender(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    overdue(world, 1)
    with hanging() as (server, channel), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(delivery.run, world.database, world.cache, channel, ms(1.2))
        assert server.called.wait(60)
        # While that hangs: a station's scans are recorded and judged, and their mails rendered and sent by another.
        answer = world.post([filled(code(2), 1.2)])  # unregistered, which is another group
        assert answer.stored == 1
        world.sweep(1.25)
        assert deliver(1.3) == {"rendered": 1, "sent": 1, "put off": 0, "given up": 0}
        assert not waiting.done()
        server.release()
        assert waiting.result(60)["put off"] == 1
    assert [row.state for row in outbox_rows(world.database)] == ["waiting", "sent"]
    assert deliver(1.3 + LEASE_H)["sent"] == 1
    assert len(inbox.taken) == 2


def test_two_senders_at_once_send_each_mail_once(world: World, database_url: str, inbox: Inbox) -> None:
    name_many(world, 30)
    overdue(world, 1)
    assert telling.render(world.database, world.cache, sender(inbox), ms(1.2)) == 31
    others = [open_database(database_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(delivery.run, one, ReferenceCache(LAW), sender(inbox), ms(1.2)) for one in others]
        assert sum(one.result(60)["sent"] for one in runs) == 31
    for one in others:
        one.close()
    assert len({mail["Message-ID"] for _, mail in inbox.taken}) == len(inbox.taken) == 31


def test_leases_count_from_when_they_are_taken(world: World, inbox: Inbox) -> None:
    """A run that takes longer than a lease must not leave the mails at its end to two senders."""
    name_many(world, 3)
    overdue(world, 1)
    minutes = iter(range(0, 6000, 4))
    until: list[int] = []

    class Watched(SmtpChannel):
        def send(self, mail: Mail) -> str:
            row = outbox_rows(world.database)[mail.mail_id - 1]
            until.append(row.next_try_ms)
            return super().send(mail)

    channel = Watched(Settings(smtp_port=inbox.port, smtp_timeout_s=30))
    delivery.run(world.database, world.cache, channel, ms(1.2), stopwatch_s=lambda: next(minutes) * 60.0)
    assert [later - earlier for earlier, later in pairwise(until)] == [8 * 60_000] * 3


def test_a_late_failure_takes_nothing_from_who_leased_the_mail_since(database: Database) -> None:
    def state() -> tuple[str, int]:
        [row] = outbox_rows(database)
        return row.state, row.next_try_ms

    with database.writing() as connection:
        outbox.post(connection, "g", TEAM, "s", "<1@x>", b"", 0)
        first = outbox.lease(connection, 0, 100)
        assert first is not None
        assert outbox.lease(connection, 99, 200) is None
        second = outbox.lease(connection, 100, 200)
        assert second is not None
        assert (first.attempts, second.attempts) == (1, 2)
        outbox.failed(connection, first, "TimeoutError", None)
    assert state() == ("waiting", 200)
    with database.writing() as connection:
        outbox.sent(connection, first, 150, "250 taken")
        outbox.failed(connection, second, "451 later", 900)
    assert state() == ("sent", 200)


def test_the_mails_of_one_transaction_are_few_and_each_group_stays_whole(
    world: World, inbox: Inbox, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MAILS_AT_ONCE", 1)
    with world.database.writing() as connection:
        recipients.put(connection, Recipient("songjiang@example.org", SONGJIANG, "松江执法队"))
    numbers = range(10, 13)
    world.post([registered(code(number)) for number in numbers])
    world.post([filled(code(number), 1, site_id=OTHER_STATION) for number in numbers])
    overdue(world, 1, 2)
    assert telling.render(world.database, world.cache, sender(inbox), ms(1.2)) == 1
    assert deliver(1.2) == {"rendered": 1, "sent": 2, "put off": 0, "given up": 0}
    told = {address: mail["Subject"] for address, mail in inbox.taken}
    assert "2 起" in told[TEAM]
    assert "3 起" in told["songjiang@example.org"]


def test_a_first_answer_after_a_day_without_a_server_is_no_end(
    world: World, inbox: Inbox, deliver: Deliver, nowhere: SmtpChannel
) -> None:
    """A server that was away for days and then says "later" to all it does not know yet."""
    overdue(world, 1)
    for hours in (1.2, 25.3, 50):
        assert delivery.run(world.database, world.cache, nowhere, ms(hours))["put off"] == 1
    inbox.answers[TEAM] = "450 greylisted"
    assert deliver(51)["put off"] == 1
    inbox.answers.clear()
    assert deliver(52)["sent"] == 1


@pytest.mark.parametrize(
    ("answer", "state"), [("530 sign in first", "waiting"), ("550 no such user", "dead")]
)
def test_only_what_the_server_says_of_a_mail_ends_it(
    world: World, inbox: Inbox, deliver: Deliver, answer: str, state: str
) -> None:
    """A password that ran out must not cost the alerts of that night."""
    inbox.answers[TEAM] = answer
    overdue(world, 1)
    deliver(1.2)
    assert [row.state for row in outbox_rows(world.database)] == [state]


def test_a_server_that_refuses_our_sender_ends_no_mail(world: World, inbox: Inbox, deliver: Deliver) -> None:
    """A wrong mail_from in the settings is put right, and what waited is sent."""
    overdue(world, 1)
    inbox.refuses_sender = True
    try:
        assert deliver(1.2)["put off"] == 1
    finally:
        inbox.refuses_sender = False
    assert [row.state for row in outbox_rows(world.database)] == ["waiting"]
    assert deliver(1.5)["sent"] == 1


# --- one mail that the server breaks over ---------------------------------------------------------------------


class Touchy(Inbox):
    """Hangs up in the middle of a mail to a `bad` address, and says no friendly good-bye to anybody."""

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("bad"):
            server.transport.close()
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
        return "451 not so fast"


@pytest.fixture
def touchy() -> Iterator[Touchy]:
    with receiving(Touchy) as inbox:
        assert isinstance(inbox, Touchy)
        yield inbox


def wait(database: Database, hours: float, *names: str) -> None:
    """A mail to each waits since then; its group is named for the hour."""
    with database.writing() as connection:
        for name in names:
            address, group = f"{name}@example.org", f"{hours}"
            outbox.post(connection, group, address, "s", f"<{group}.{name}@x>", b"\r\nx", ms(hours))


def test_a_mail_at_which_the_server_hangs_up_ends_no_run(world: World, touchy: Touchy) -> None:
    wait(world.database, 1, "bad-1", "bad-2", "good-1", "bad-3", "good-2")
    tally = delivery.run(world.database, world.cache, sender(touchy), ms(1))
    assert tally == {"rendered": 0, "sent": 2, "put off": 3, "given up": 0}
    assert [address for address, _ in touchy.taken] == ["good-1@example.org", "good-2@example.org"]


def test_mails_at_which_the_server_hangs_up_come_after_all_others(world: World, touchy: Touchy) -> None:
    """However many they are: a run ends at the third in a row, and the next begins with what was not tried yet."""
    wait(world.database, 1, *(f"bad-{number}" for number in range(5)))
    for _ in range(2):
        delivery.run(world.database, world.cache, sender(touchy), ms(1))
    assert [row.attempts for row in outbox_rows(world.database)] == [1] * 5
    wait(world.database, 2, "good")
    tally = delivery.run(world.database, world.cache, sender(touchy), ms(2))
    assert (tally["sent"], tally["put off"]) == (1, delivery.SERVER_FAILURES_IN_A_ROW)


@pytest.mark.parametrize("asks", [{"smtp_starttls": True}, {"smtp_user": "trace", "smtp_password": "x"}])
def test_a_server_that_does_not_let_us_in_is_asked_once_a_run(
    world: World, inbox: Inbox, asks: dict[str, Any]
) -> None:
    wait(world.database, 1, "a", "b", "c", "d")
    channel = SmtpChannel(Settings(smtp_port=inbox.port, smtp_timeout_s=30, **asks))
    assert delivery.run(world.database, world.cache, channel, ms(1))["put off"] == 1
    assert {row.state for row in outbox_rows(world.database)} == {"waiting"}


class Server:
    """A channel that breaks over `bad` addresses, and over all of them while it is `down`."""

    down = False

    def rendered(self, _group: Group, _recipient: str, _reference: Reference, _now_ms: int) -> Any:
        raise NotImplementedError

    def send(self, mail: Mail) -> str:
        if self.down or mail.recipient.startswith("bad"):
            raise NotTaken("SMTPServerDisconnected: closed", for_good=False)
        return "250 taken"

    def part(self) -> None: ...


def test_a_mail_at_which_only_the_server_fails_is_given_up_after_a_day(world: World) -> None:
    wait(world.database, 0, "bad")
    given_up = []
    for hour in range(30):
        wait(world.database, hour, "good")
        tally = delivery.run(world.database, world.cache, Server(), ms(hour), stopwatch_s=lambda: 0.0)
        given_up += [hour] * tally["given up"]
    assert given_up == [25]


def test_an_outage_ends_no_mail_whatever_was_sent_before_and_after(world: World) -> None:
    """The server takes connections and breaks over every mail for days; what came before and after proves nothing."""
    server = Server()
    wait(world.database, 0, "bad", "good")
    for hour in range(60):
        server.down = hour > 0
        delivery.run(world.database, world.cache, server, ms(hour))
    server.down = False
    wait(world.database, 60, *(f"good-{number}" for number in range(30)))
    tally = delivery.run(world.database, world.cache, server, ms(60))
    assert tally == {"rendered": 0, "sent": 30, "put off": 1, "given up": 0}
