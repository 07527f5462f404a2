"""What is due reaches the district's people over real SMTP: grouped, threaded, repeated rather than lost."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from cylinder_trace import delivery, telling
from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.judging.handling.routing import EVERYWHERE, Recipient
from cylinder_trace.judging.reference import Reference
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.settings import Settings
from cylinder_trace.store import notices, parties, recipients
from cylinder_trace.store.database import Database
from cylinder_trace.store.tables import alert, notice
from cylinder_trace.telling import Group
from tests.postbox import TEAM, Inbox, outbox_rows, overdue
from tests.world import (
    DEPOT,
    MINHANG,
    OTHER_STATION,
    OWNER,
    SONGJIANG,
    World,
    agreed,
    code,
    filled,
    moved,
    ms,
    registered,
)

FALLBACK = "city@example.org"


@pytest.fixture
def channel(inbox: Inbox) -> SmtpChannel:
    return SmtpChannel(
        Settings(smtp_port=inbox.port, mail_from="气瓶追溯 <trace@example.org>", smtp_timeout_s=5)
    )


@pytest.fixture
def world(database: Database) -> World:
    with database.writing() as connection:
        recipients.put(connection, Recipient(TEAM, MINHANG, "闵行执法队"))
    return World(database)


Deliver = Callable[[float], dict[str, int]]


@pytest.fixture
def deliver(world: World, channel: SmtpChannel) -> Deliver:
    return lambda hours: delivery.run(world.database, world.cache, channel, ms(hours))


def notice_states(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(connection.scalars(select(notice.c.state)))


def test_an_overdue_fill_reaches_the_districts_team(world: World, inbox: Inbox, deliver: Deliver) -> None:
    overdue(world, 1)
    assert deliver(1.1) == {"rendered": 0, "sent": 0, "put off": 0, "given up": 0}
    assert deliver(1.2) == {"rendered": 1, "sent": 1, "put off": 0, "given up": 0}
    [(address, mail)] = inbox.taken
    assert address == mail["To"] == TEAM
    assert mail["Subject"] == "[气瓶预警] 超期未检充装 · station-1 点 · 立即处置"
    assert mail["From"] == "气瓶追溯 <trace@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    for part in (text.get_content(), html.get_content()):
        assert "检验有效期至 2026-01-31，2026-05-04 充装，超期 93 天。" in part
        assert code(1) in part
        assert "首次发现" in part
        assert "特种设备安全法" in part
        assert "/alerts/" in part
    [row] = outbox_rows(world.database)
    assert (row.state, row.message_id) == ("sent", mail["Message-ID"])
    assert deliver(50)["rendered"] == 0
    assert len(inbox.taken) == 1


def test_ten_fills_at_one_site_are_one_mail(world: World, inbox: Inbox, deliver: Deliver) -> None:
    overdue(world, *range(10))
    assert deliver(1.2)["sent"] == 1
    [(_, mail)] = inbox.taken
    assert "10 起" in mail["Subject"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert all(code(number) in body.get_content() for number in range(10))


def test_a_server_that_asks_to_wait_gets_the_same_mail_later(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    inbox.answers[TEAM] = "451 try again"
    overdue(world, 1)
    assert deliver(1.2)["put off"] == 1
    [waiting] = outbox_rows(world.database)
    assert (waiting.state, waiting.attempts) == ("waiting", 1)
    assert waiting.last_answer.startswith("451")
    inbox.answers.clear()
    assert deliver(1.2)["sent"] == 0
    assert deliver(2)["sent"] == 1
    assert deliver(3)["sent"] == 0
    [(_, mail)] = inbox.taken
    assert mail["Message-ID"] == waiting.message_id


def test_who_is_put_off_for_a_day_is_given_up(world: World, inbox: Inbox, deliver: Deliver) -> None:
    inbox.answers[TEAM] = "451 try again"
    overdue(world, 1)
    deliver(1.2)
    assert deliver(25.1)["put off"] == 1
    assert deliver(25.3)["given up"] == 1
    assert [row.state for row in outbox_rows(world.database)] == ["dead"]


def test_one_refusing_recipient_holds_up_no_other(world: World, inbox: Inbox, deliver: Deliver) -> None:
    with world.database.writing() as connection:
        recipients.put(connection, Recipient("gone@example.org", MINHANG, "已离职"))
    inbox.answers["gone@example.org"] = "550 no such user"
    overdue(world, 1)
    assert deliver(1.2) == {"rendered": 2, "sent": 1, "put off": 0, "given up": 1}
    assert {row.recipient: row.state for row in outbox_rows(world.database)} == {
        TEAM: "sent",
        "gone@example.org": "dead",
    }
    inbox.answers.clear()
    assert deliver(30)["sent"] == 0
    assert [address for address, _ in inbox.taken] == [TEAM]


def foreign_fill(world: World) -> None:
    world.post([registered(code(1)), filled(code(1), 1, site_id=OTHER_STATION)])
    world.sweep(1.1)


def explained(world: World, hours: float) -> None:
    world.post([agreed(OWNER, OTHER_STATION, 1)])
    world.sweep(hours)


@pytest.fixture
def songjiang(world: World) -> str:
    with world.database.writing() as connection:
        recipients.put(connection, Recipient("songjiang@example.org", SONGJIANG, "松江执法队"))
    return "songjiang@example.org"


def test_what_is_explained_before_it_was_told_is_never_told(
    world: World, songjiang: str, inbox: Inbox, deliver: Deliver
) -> None:
    foreign_fill(world)
    explained(world, 1.105)
    assert world.alerts("withdrawn") == {("foreign_fill", code(1))}
    assert deliver(1.2)["rendered"] == 0
    assert inbox.taken == []


def test_who_was_told_is_told_that_it_is_withdrawn(
    world: World, songjiang: str, inbox: Inbox, deliver: Deliver
) -> None:
    foreign_fill(world)
    deliver(1.15)
    # It stands in another district by now: the withdrawal goes to those who were told all the same.
    world.post([moved("deliver", code(1), 1.16, DEPOT, "customer-1")])
    explained(world, 1.17)
    deliver(1.3)
    assert [(address, mail["Subject"][:6]) for address, mail in inbox.taken] == [
        (songjiang, "[气瓶预警]"),
        (songjiang, "[气瓶撤回]"),
    ]
    first, second = (mail for _, mail in inbox.taken)
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    body = second.get_body(("plain",))
    assert body is not None
    assert "晚到的记录：委托充装" in body.get_content()


def test_a_withdrawal_taken_back_and_made_again_is_told_once(database: Database) -> None:
    """Told, withdrawn, back, withdrawn, with nobody told in between: one withdrawal is due."""
    with database.writing() as connection:
        for number, reason in enumerate(["first", "withdrawn", "again", "withdrawn"]):
            notices.give(connection, "f", number, reason, MINHANG, 0)
            if not number:
                notices.told(connection, [{"fingerprint": "f", "told_no": 0, "step": 0}])
        rows = connection.execute(select(notice.c.reason, notice.c.state).order_by(notice.c.transition_no))
        assert [tuple(row) for row in rows][-1] == ("withdrawn", "due")
        assert notices.untold(connection) == 1


def test_without_a_recipient_notices_stay_due_and_hold_up_nobody(
    world: World, inbox: Inbox, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MAILS_AT_ONCE", 1)
    numbers = range(10, 14)
    world.post([registered(code(number)) for number in numbers])
    world.post([filled(code(number), 1, site_id=OTHER_STATION) for number in numbers])
    world.sweep(1.05)
    overdue(world, 1)
    assert deliver(1.2)["sent"] == 1
    assert notice_states(world.database).count("due") >= 4
    with world.database.writing() as connection:
        recipients.put(connection, Recipient(FALLBACK, EVERYWHERE, "市局"))
    deliver(1.2)
    assert {address for address, _ in inbox.taken} == {TEAM, FALLBACK}
    assert "due" not in {row for row in notice_states(world.database)} or deliver(1.2)["rendered"] == 0


class Faulty(SmtpChannel):
    """Fails at all mails of the other station: in itself, or by what it hands to the database."""

    fault = "exception"

    def rendered(
        self, group: Group, recipient: str, reference: Reference, now_ms: int
    ) -> tuple[str, str, bytes]:
        subject, message_id, body = super().rendered(group, recipient, reference, now_ms)
        if group.site_id == OTHER_STATION and self.fault == "exception":
            raise KeyError("old_rule")
        if group.site_id == OTHER_STATION and recipient != FALLBACK:
            return subject, None, body  # type: ignore[return-value]
        return subject, message_id, body


@pytest.mark.parametrize("fault", ["exception", "database"])
def test_a_group_that_can_not_be_rendered_holds_up_no_other_and_is_told_later(
    world: World, songjiang: str, inbox: Inbox, deliver: Deliver, fault: str
) -> None:
    with world.database.writing() as connection:
        recipients.put(connection, Recipient(FALLBACK, SONGJIANG, "sorts before the team"))
    foreign_fill(world)
    overdue(world, 2)
    faulty = Faulty(Settings(smtp_port=inbox.port, smtp_timeout_s=5))
    faulty.fault = fault
    assert delivery.run(world.database, world.cache, faulty, ms(1.2))["sent"] == 1
    assert [address for address, _ in inbox.taken] == [TEAM]
    assert notice_states(world.database) == ["due", "told"]
    assert deliver(2.1)["rendered"] == 0
    assert deliver(2.2)["sent"] == 2
    assert [address for address, _ in inbox.taken] == [TEAM, FALLBACK, songjiang]


def test_what_can_not_be_rendered_fills_no_batch(
    world: World, songjiang: str, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MAILS_AT_ONCE", 1)
    foreign_fill(world)
    overdue(world, 2)
    faulty = Faulty(Settings(smtp_port=inbox.port, smtp_timeout_s=5))
    assert delivery.run(world.database, world.cache, faulty, ms(1.2))["sent"] == 1


def test_an_address_that_no_header_holds_costs_its_team_nothing(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    with world.database.writing() as connection:
        recipients.put(connection, Recipient("a@example.org\nBcc: b@example.org", MINHANG, ""))
    overdue(world, 1)
    assert deliver(1.2) == {"rendered": 1, "sent": 1, "put off": 0, "given up": 0}
    assert [address for address, _ in inbox.taken] == [TEAM]


def test_an_alert_of_a_rule_that_is_no_longer_in_force_is_told(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    overdue(world, 1)
    with world.database.writing() as connection:
        connection.execute(update(alert).values(rule="old_rule"))
    assert deliver(1.2)["sent"] == 1
    [(_, mail)] = inbox.taken
    assert mail["Subject"] == "[气瓶预警] 已停用的规则 old_rule · station-1 点 · 立即处置"


def test_who_was_told_is_told_of_the_end_when_the_site_is_in_another_district_by_then(
    world: World, songjiang: str, inbox: Inbox, deliver: Deliver
) -> None:
    foreign_fill(world)
    deliver(1.15)
    elsewhere = SiteRecord(
        site_id=OTHER_STATION, name="x", type="filling_station", owner_id="F2", district=MINHANG
    )
    with world.database.writing() as connection:
        parties.put_records(connection, [elsewhere])
        # What judging does to an alert that continues.
        connection.execute(update(alert).values(district=MINHANG))
    explained(world, 1.17)
    deliver(1.3)
    assert [(address, mail["Subject"][:6]) for address, mail in inbox.taken] == [
        (songjiang, "[气瓶预警]"),
        (songjiang, "[气瓶撤回]"),
    ]
