"""Promises 4, 5, 11 and 12: few mails, each for a reason; consequences and floods do not fill a mailbox, and nothing is lost."""

import io
from collections.abc import Callable

import pytest
from openpyxl import load_workbook

from cylinder_trace import delivery, watching
from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.handling.routing import EVERYWHERE, Recipient
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.law.tables import load
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.mail.heartbeat import HeartbeatLetters
from cylinder_trace.settings import Settings
from cylinder_trace.store import notices, recipients
from cylinder_trace.store.consequences import Judged, draw
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache
from tests.postbox import TEAM, Inbox
from tests.world import CUSTOMERS, DEPOT, MINHANG, OTHER_STATION, STATION, World, ms

CITY = "city@example.org"
# The world begins on a Monday at 08:00 which is a holiday; Wednesday the 6th is the first working day.
WEDNESDAY_9_H, THURSDAY_9_H = 49.0, 73.0
Deliver = Callable[[float], list[str]]


@pytest.fixture
def world(database: Database) -> World:
    with database.writing() as connection:
        recipients.put(connection, Recipient(TEAM, MINHANG, "闵行执法队"))
        recipients.put(connection, Recipient(CITY, EVERYWHERE, "市局"))
    return World(database)


@pytest.fixture
def deliver(world: World, inbox: Inbox) -> Deliver:
    channel = SmtpChannel(Settings(smtp_port=inbox.port, public_url="http://qp.example"))

    def delivered(hours: float) -> list[str]:
        """The subjects of what arrives then."""
        known = len(inbox.taken)
        delivery.run(world.database, world.cache, channel, ms(hours))
        return [str(mail["Subject"]) for _, mail in inbox.taken[known:]]

    return delivered


def found(world: World, rule: str, hours: float, *names: str, site: str = STATION) -> None:
    """A rule finds something about each of these, which goes on until it is said to be gone."""
    shown(
        world,
        hours,
        {name: [Finding(rule, name, name, ms(hours), site, (f"event-{name}",), {})] for name in names},
    )


def gone(world: World, hours: float, *names: str) -> None:
    shown(world, hours, {name: [] for name in names})


def shown(world: World, hours: float, findings: dict[str, list[Finding]]) -> None:
    with world.database.writing() as connection:
        reference = world.cache.read(connection)
        judged = [Judged(f"unit-{name}", its, anew=True) for name, its in findings.items()]
        draw(connection, judged, reference, ms(hours))


# --- promise 4: grouping ----------------------------------------------------------------------------------------


def test_promise_4_severity_1_is_one_mail_a_group_after_a_minute_even_on_a_holiday(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    found(world, "fill_overdue", 1, *(f"A{number}" for number in range(30)))
    assert deliver(1 + 0.5 / 60) == []
    assert deliver(1 + 1 / 60) == ["[气瓶预警] 超期未检充装 30 起 · station-1 点 · 立即处置"]
    assert deliver(2) == []
    [(address, _)] = inbox.taken
    assert address == TEAM


def test_promise_4_severity_2_is_told_with_the_next_hour_of_working_time(
    world: World, deliver: Deliver
) -> None:
    found(world, "unchecked_fill", 1, "A1")
    found(world, "unchecked_fill", 30, "A2")
    found(world, "unchecked_fill", WEDNESDAY_9_H - 0.1, "A3", site=OTHER_STATION)
    assert deliver(WEDNESDAY_9_H - 0.01) == []
    assert len(deliver(WEDNESDAY_9_H)) == 2  # one a station
    found(world, "unchecked_fill", WEDNESDAY_9_H + 0.2, "A4")
    found(world, "unchecked_fill", WEDNESDAY_9_H + 0.9, "A5")
    assert deliver(WEDNESDAY_9_H + 0.95) == []
    assert [subject.count("2 起") for subject in deliver(WEDNESDAY_9_H + 1)] == [1]


def test_promise_4_severity_3_is_one_digest_a_working_day_and_recipient(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    found(world, "long_dwell", 1, "A1", "A2", site=DEPOT)
    found(world, "identical_weights", 2, STATION)
    assert deliver(WEDNESDAY_9_H - 0.01) == []
    assert deliver(WEDNESDAY_9_H) == ["[气瓶预警汇总] 05-06 · 闵行区 · 3 起"]
    found(world, "long_dwell", WEDNESDAY_9_H + 1, "A3", site=DEPOT)
    assert deliver(THURSDAY_9_H - 0.01) == []
    assert deliver(THURSDAY_9_H) == ["[气瓶预警汇总] 05-07 · 闵行区 · 1 起"]
    text = body(inbox, 0)
    for words in ("超期滞留", "重量雷同", "A1", "A2", "http://qp.example/alerts"):
        assert words in text


def test_promise_4_two_urgent_mails_about_one_group_keep_their_distance(
    world: World, deliver: Deliver
) -> None:
    found(world, "fill_overdue", 1, "A1")
    assert len(deliver(1.05)) == 1
    found(world, "fill_overdue", 1.1, "A2")
    found(world, "fill_overdue", 1.1, "B1", site=OTHER_STATION)
    assert [subject.count("station-2") for subject in deliver(1.15)] == [1]
    assert [subject.count("station-1") for subject in deliver(1.05 + 0.25)] == [1]


# --- promise 5: why it was sent ---------------------------------------------------------------------------------


def test_promise_5_each_mail_says_why_it_was_sent(world: World, inbox: Inbox, deliver: Deliver) -> None:
    found(world, "fill_overdue", 1, "A1")
    deliver(1.1)
    found(world, "fill_overdue", 2, "A2")
    deliver(2.1)
    gone(world, 3, "A1")
    deliver(3.1)
    found(world, "fill_overdue", 4, "A1")
    deliver(4.1)
    why = ["首次发现", "同组新增", "已撤回", "再次发现"]
    assert [
        next(one for one in why if f"为何发送：{one}" in body(inbox, number)) for number in range(4)
    ] == why


# --- promise 11: inhibition -------------------------------------------------------------------------------------


def test_promise_11_a_station_without_a_licence_has_one_mail_not_one_a_fill(
    world: World, deliver: Deliver
) -> None:
    found(world, "unlicensed_site", 1, STATION)
    found(world, "fill_overdue", 1, "A1", "A2")
    found(world, "fill_overdue", 1, "B1", site=OTHER_STATION)
    subjects = deliver(1.1)
    assert len(subjects) == 2
    assert not [subject for subject in subjects if "超期未检充装" in subject and "station-1" in subject]
    # When it turns out to have a licence, its fills are told if they still stand.
    gone(world, 5, STATION)
    gone(world, 5, "A2")
    told = [subject for subject in deliver(5.1) if "超期未检充装" in subject]
    assert told == ["[气瓶预警] 超期未检充装 · station-1 点 · 立即处置"]


def test_promise_11_what_a_silent_station_did_not_send_is_not_told_one_by_one(
    world: World, deliver: Deliver
) -> None:
    found(world, "silent_station", 1, STATION)
    found(world, "scan_gap", 1, "gun-1:2026-05-04")
    assert len(deliver(WEDNESDAY_9_H)) == 1
    gone(world, WEDNESDAY_9_H + 1, STATION)
    assert any("扫码缺失" in subject for subject in deliver(WEDNESDAY_9_H + 2))


# --- promise 12: flood guard ------------------------------------------------------------------------------------

MOST = 3


@pytest.fixture
def few_a_day(world: World) -> None:
    world.cache = ReferenceCache(load().with_numbers({"notice.most_groups_a_day": MOST}))


@pytest.mark.usefixtures("few_a_day")
def test_promise_12_over_a_cap_a_rule_s_alerts_are_counted_listed_and_told_in_the_digest(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    for number in range(30):
        found(world, "fill_overdue", 1, f"A{number}", site=f"place-{number}")
    found(world, "zombie", 1, "Z1", site="place-1")
    subjects = deliver(1.1)
    assert sum("超期未检充装" in subject for subject in subjects) == MOST
    assert sum("报废" in subject for subject in subjects) == 1  # another rule is not held back by it
    look(world, inbox, 1.2)
    assert ("alert_flood", "fill_overdue") in world.alerts()
    deliver(WEDNESDAY_9_H)
    [digest] = [mail for _, mail in inbox.taken if "汇总" in str(mail["Subject"])]
    assert "27 起" in str(digest["Subject"])
    [attached] = digest.iter_attachments()
    book = load_workbook(io.BytesIO(attached.get_payload(decode=True)))  # type: ignore[arg-type]
    assert book.worksheets[0].max_row == 1 + 27
    with world.database.reading() as connection:
        assert notices.untold(connection) <= 1  # at most the flood's own, which the hour brings
    look(world, inbox, WEDNESDAY_9_H + 0.1)
    assert ("alert_flood", "fill_overdue") not in world.alerts()


@pytest.mark.usefixtures("few_a_day")
def test_promise_12_the_next_day_begins_anew(world: World, deliver: Deliver) -> None:
    for number in range(5):
        found(world, "fill_overdue", 1, f"A{number}", site=f"place-{number}")
    assert len(deliver(1.1)) == MOST
    found(world, "fill_overdue", 25, "B1", site="place-20")
    assert len(deliver(25.1)) == 1


def test_an_end_is_told_to_those_who_were_told_whatever_the_cap(world: World, deliver: Deliver) -> None:
    found(world, "fill_overdue", 1, "A1")
    assert len(deliver(1.1)) == 1
    world.cache = ReferenceCache(load().with_numbers({"notice.most_groups_a_day": 0}))
    gone(world, 2, "A1")
    assert [subject[:6] for subject in deliver(2.1)] == ["[气瓶撤回]"]


# --- many at once -----------------------------------------------------------------------------------------------


def test_each_reader_s_digest_has_what_he_asked_for(world: World, inbox: Inbox, deliver: Deliver) -> None:
    with world.database.writing() as connection:
        recipients.put(connection, Recipient("dwell@example.org", MINHANG, rules=frozenset({"long_dwell"})))
    found(world, "long_dwell", 1, "A1", site=DEPOT)
    found(world, "identical_weights", 1, STATION)
    deliver(WEDNESDAY_9_H)
    told = {address: str(mail["Subject"]) for address, mail in inbox.taken}
    assert told.keys() == {TEAM, "dwell@example.org"}
    assert all("1 起" in subject for subject in told.values())


def test_a_digest_has_one_part_for_all_customers_and_names_none(
    world: World, inbox: Inbox, deliver: Deliver
) -> None:
    for number, customer in enumerate(CUSTOMERS):
        found(world, "long_dwell", 1, f"A{number}", site=customer)
    deliver(WEDNESDAY_9_H)
    text = body(inbox, 0)
    assert text.count("超期滞留 · 各用户 · 6 起") == 1
    assert not any(customer in text for customer in CUSTOMERS)


def test_promise_15_a_digest_s_time_is_shanghai_s(world: World, inbox: Inbox, deliver: Deliver) -> None:
    found(world, "long_dwell", 1, "A1", site=DEPOT)
    deliver(WEDNESDAY_9_H)
    assert moment_of(ms(WEDNESDAY_9_H)).hour == 1
    assert "北京时间 (UTC+8)" in body(inbox, 0)
    assert ms(WEDNESDAY_9_H) % (24 * HOUR_MS) == HOUR_MS


def look(world: World, inbox: Inbox, hours: float) -> None:
    letters = HeartbeatLetters(Settings(smtp_port=inbox.port, public_url="http://qp.example"))
    watching.run(world.database, world.cache, letters, ms(hours))


def body(inbox: Inbox, number: int) -> str:
    part = inbox.taken[number][1].get_body(("plain",))
    assert part is not None
    return str(part.get_content())
