"""Cases on both databases: numbers without gaps, two people at once, deadlines noted once, and a log that stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from cylinder_trace import casework
from cylinder_trace.acting import Wish, act
from cylinder_trace.judging.handling.cases import Actor, Refused
from cylinder_trace.judging.handling.routing import Recipient
from cylinder_trace.judging.scan import DAY_MS, local_day
from cylinder_trace.mail.case_letter import CaseLetters
from cylinder_trace.settings import Settings
from cylinder_trace.store import alerts, cases, contacts, recipients
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.cases import Entry, Taken
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.handling import Looked, NotNow
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import account, alert, case_file, outbox
from cylinder_trace.web.case_steps import Asked, NoSuchCase, Quicker, make_directive, make_letter, take
from cylinder_trace.web.server import Server
from tests.world import MINHANG, OTHER_STATION, SONGJIANG, STATION, World, code, filled, ms, registered

ZHANG = Person("zhang", "张三", "officer", Scope("district", MINHANG))
LI = Person("li", "李四", "officer", Scope("district", MINHANG))
WANG = Person("wang", "王五", "officer", Scope("district", SONGJIANG))
CHEN = Person("chen", "陈六", "city", Scope("city"))
ZHAO = Person("zhao", "赵七", "manager", Scope("station", STATION))
SUN = Person("sun", "孙八", "manager", Scope("station", OTHER_STATION))
QIAN = Person("qian", "钱九", "operator", Scope("station", STATION))
LETTERS = CaseLetters(Settings())
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 64 + b"\xff\xd9"


@dataclass
class Office:
    """A server whose clock the test sets, with overdue fills at both stations."""

    world: World
    now_ms: int

    def __post_init__(self) -> None:
        self.here = Server(self.world.database, self.world.cache, Settings(), lambda: self.now_ms)

    def overdue_fills(self, number: int, first: int = 1, station: str = STATION) -> list[str]:
        """So many alerts, each about a cylinder of its own."""
        codes = [code(one) for one in range(first, first + number)]
        events = [registered(one, valid_until="2026-01-31") for one in codes]
        events += [filled(one, 1 + at / 60, site_id=station) for at, one in enumerate(codes)]
        self.world.post(events, site_id=station)
        self.world.judge(2)
        with self.world.database.reading() as connection:
            asked = select(alert.c.fingerprint).where(
                alert.c.rule == "fill_overdue", alert.c.subject.in_(codes)
            )
            return sorted(connection.scalars(asked))

    def row(self, case_id: int, scope: Scope | None = None) -> dict[str, Any]:
        with self.world.database.reading() as connection:
            found = cases.one(connection, scope or LI.scope, case_id)
        assert found is not None
        return found

    def does(self, person: Person, case_id: int, step: str, **more: Any) -> dict[str, Any]:
        """Take a step, as somebody who sees the case as it stands."""
        version = self.row(case_id, person.scope)["version"]
        asked = Asked(step, version, why="因为", due_day=local_day(self.now_ms) + 15, demands="整改")
        take(self.here, person, case_id, replace(asked, **more))
        return self.row(case_id, person.scope)

    def issued(self, fingerprint: str) -> int:
        case_id = make_directive(self.here, ZHANG, [fingerprint])
        self.does(ZHANG, case_id, "issue")
        return case_id

    def closes(self, person: Person, fingerprint: str) -> None:
        """Close an alert beside whatever case there is."""
        stands = self.alert(fingerprint)
        seen = Looked(stands["episode"], stands["care"]["version"])
        with self.world.database.writing() as connection:
            reference = self.world.cache.read(connection)
            wish = Wish("closed", "已处置", verdict="handled")
            act(connection, person, fingerprint, seen, wish, reference, self.now_ms)

    def alert(self, fingerprint: str) -> dict[str, Any]:
        with self.world.database.reading() as connection:
            found = alerts.one(connection, Scope("city"), fingerprint)
        assert found is not None
        return found


@pytest.fixture
def office(database: Database) -> Office:
    with database.writing() as connection:
        for one in (ZHANG, LI, WANG, CHEN, ZHAO, SUN):
            row = {"username": one.username, "name": one.name, "role": one.role, "password_hash": ""}
            connection.execute(insert(account).values(**row, scope=one.scope.kind, scope_id=one.scope.id))
    return Office(World(database), ms(48))


def both_at_once(office: Office, *deeds: Callable[[], object]) -> list[object]:
    """What each comes to when all begin at the same moment."""
    together = Barrier(len(deeds))

    def one(deed: Callable[[], object]) -> object:
        together.wait()
        try:
            return deed()
        except (Quicker, Taken, Refused, NoSuchCase) as no:
            return no

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(one, deeds))


def test_an_alert_becomes_a_directive_is_rectified_re_checked_by_another_and_ends(office: Office) -> None:
    [fingerprint] = office.overdue_fills(1)
    case_id = make_directive(office.here, ZHANG, [fingerprint])
    assert office.row(case_id)["demands"].startswith("1. ")
    assert office.alert(fingerprint)["care"]["acknowledged_by"] == "zhang"
    # Nobody closes the alert past the re-check of its case.
    with pytest.raises(NotNow, match="in_a_case"):
        office.closes(ZHANG, fingerprint)
    issued = office.does(ZHANG, case_id, "issue")
    assert issued["number"] == "（闵行区）市监特令〔2026〕1号"
    reported = office.does(ZHAO, case_id, "report", why="已停用并送检", files=[("现场.jpg", JPEG)])
    assert reported["log"][-1]["files"][0]["name"] == "现场.jpg"
    with pytest.raises(Refused):
        office.does(ZHANG, case_id, "pass")
    closed = office.does(LI, case_id, "pass", why="现场复查合格")
    assert (closed["state"], closed["closed_how"], closed["wake_ms"]) == ("closed", "recheck", None)
    assert [(one["no"], one["step"], one["by"]) for one in closed["log"]] == [
        (0, "make", "zhang"), (1, "issue", "zhang"), (2, "report", "zhao"), (3, "pass", "li"),
    ]  # fmt: skip
    stands = office.alert(fingerprint)
    assert (stands["status"], stands["care"]["verdict"]) == ("closed", "handled")


def test_an_upheld_appeal_closes_the_alert_as_a_false_alarm(office: Office) -> None:
    [fingerprint] = office.overdue_fills(1)
    case_id = office.issued(fingerprint)
    office.does(ZHAO, case_id, "appeal", why="检验报告未及时上传", files=[("报告.pdf", b"%PDF-1.7\n%%EOF\n")])
    office.does(LI, case_id, "uphold", why="检验报告属实")
    stands = office.alert(fingerprint)
    assert (stands["status"], stands["care"]["verdict"]) == ("closed", "false_alarm")
    assert office.row(case_id)["alerts"][0]["verdict"] == "false_alarm"


def test_a_rejected_appeal_leaves_the_order_as_it_is(office: Office) -> None:
    [fingerprint] = office.overdue_fills(1)
    case_id = office.issued(fingerprint)
    office.does(ZHAO, case_id, "appeal")
    row = office.does(LI, case_id, "reject", why="检验报告日期在充装之后")
    assert (row["state"], row["appeal"], office.alert(fingerprint)["status"]) == (
        "issued",
        "rejected",
        "open",
    )


def test_numbers_of_a_district_and_year_have_no_gaps(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = [make_directive(office.here, ZHANG, [one]) for one in office.overdue_fills(6)]
    with monkeypatch.context() as broken:
        broken.setattr(cases, "keep_paper", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):  # the number had been drawn by then
            office.does(ZHANG, drafts[0], "issue")
    deeds = [lambda one=one: take(office.here, ZHANG, one, Asked("issue", 0)) for one in drafts]
    assert both_at_once(office, *deeds) == [None] * 6
    numbers = {office.row(one)["number"] for one in drafts}
    assert numbers == {f"（闵行区）市监特令〔2026〕{number}号" for number in range(1, 7)}
    [other] = office.overdue_fills(1, 50, OTHER_STATION)
    abroad = make_directive(office.here, WANG, [other])
    assert office.does(WANG, abroad, "issue")["number"] == "（松江区）市监特令〔2026〕1号"


def test_of_two_officers_who_act_at_once_one_is_told_how_it_stands(office: Office) -> None:
    case_id = office.issued(office.overdue_fills(1)[0])
    office.does(ZHAO, case_id, "report")
    seen = office.row(case_id)["version"]
    due_day = local_day(office.now_ms) + 5
    came = both_at_once(
        office,
        lambda: take(office.here, LI, case_id, Asked("pass", seen, "合格")),
        lambda: take(office.here, LI, case_id, Asked("fail", seen, "不合格", due_day)),
    )
    [quicker] = [one for one in came if one is not None]
    assert isinstance(quicker, Quicker)
    row = office.row(case_id)
    assert quicker.row["version"] == row["version"] == seen + 1
    assert quicker.row["state"] == row["state"] in {"closed", "failed"}
    assert [one["no"] for one in row["log"]] == list(range(seen + 2))


def test_a_case_that_was_changed_since_it_was_seen_is_not_changed_again(office: Office) -> None:
    case_id = office.issued(office.overdue_fills(1)[0])
    row = office.row(case_id)
    entry = Entry("remark", Actor("li", "officer", MINHANG), "李四", office.now_ms)
    with office.world.database.writing() as connection:
        moved = [cases.move(connection, case_id, 1, cases.case_of(row), entry) for _ in range(2)]
    assert moved == [2, None]


def test_an_alert_is_dealt_with_in_one_case_whoever_begins_at_once(office: Office) -> None:
    [fingerprint] = office.overdue_fills(1)
    came = both_at_once(
        office,
        lambda: make_directive(office.here, ZHANG, [fingerprint]),
        lambda: make_directive(office.here, LI, [fingerprint]),
    )
    assert sorted(type(one).__name__ for one in came) == ["Taken", "int"]
    [case_id] = [one for one in came if isinstance(one, int)]
    maker = ZHANG if office.row(case_id)["opened_by"] == "zhang" else LI
    office.does(maker, case_id, "drop", why="重复")
    assert make_directive(office.here, LI, [fingerprint]) != case_id


def test_more_alerts_of_the_same_site_join_a_draft_and_others_do_not(office: Office) -> None:
    first, second = office.overdue_fills(2)
    [elsewhere] = office.overdue_fills(1, 60, OTHER_STATION)
    case_id = make_directive(office.here, ZHANG, [first])
    office.does(ZHANG, case_id, "edit", fingerprints=[second], facts="补充", is_serious=True)
    row = office.row(case_id)
    assert {one["fingerprint"] for one in row["alerts"]} == {first, second}
    assert row["is_serious"]
    with pytest.raises(NoSuchCase):  # an alert of another district is none of his
        office.does(ZHANG, case_id, "edit", fingerprints=[elsewhere])
    assert office.does(ZHANG, case_id, "issue")["is_escalated"]


def test_a_missed_deadline_is_noted_once_and_the_city_has_the_case(office: Office) -> None:
    case_id = office.issued(office.overdue_fills(1)[0])
    database, cache = office.world.database, office.world.cache
    due_ms = office.row(case_id)["due_ms"]
    assert casework.run(database, cache, LETTERS, due_ms - 1) == {}
    assert casework.run(database, cache, LETTERS, due_ms) == {"late_report": 1}
    assert casework.run(database, cache, LETTERS, due_ms + DAY_MS) == {}
    row = office.row(case_id, CHEN.scope)
    assert (row["is_escalated"], row["log"][-1]["step"], row["log"][-1]["by_role"]) == (
        True,
        "late_report",
        "clock",
    )
    office.now_ms = due_ms + DAY_MS
    office.does(ZHAO, case_id, "report")
    row = office.row(case_id)
    assert casework.run(database, cache, LETTERS, row["due_ms"]) == {"late_recheck": 1}
    assert office.does(CHEN, case_id, "pass", why="市局复查")["state"] == "closed"


def test_the_city_the_district_and_the_station_are_told_once_of_what_is_late(office: Office) -> None:
    case_id, database = office.issued(office.overdue_fills(1)[0]), office.world.database
    with database.writing() as connection:
        for address, district, level in (
            ("team@x.cn", MINHANG, 0),
            ("city@x.cn", "*", 2),
            ("sj@x.cn", SONGJIANG, 0),
        ):
            recipients.put(connection, Recipient(address, district, level=level))
        contacts.put(connection, STATION, "station@x.cn", "")
        contacts.put(connection, OTHER_STATION, "other@x.cn", "")
    due_ms = office.row(case_id)["due_ms"]
    for at_ms in (due_ms, due_ms + DAY_MS):
        casework.run(database, office.world.cache, LETTERS, at_ms)
    with database.reading() as connection:
        mails = list(connection.execute(select(outbox.c.recipient, outbox.c.subject)))
    assert sorted(mail.recipient for mail in mails) == ["city@x.cn", "station@x.cn", "team@x.cn"]
    assert all("整改逾期，期限 2026-05-21" in mail.subject for mail in mails)


def test_who_has_to_act_next_is_told_of_a_step(office: Office) -> None:
    fingerprint, database = office.overdue_fills(1)[0], office.world.database
    with database.writing() as connection:
        for address, district, level in (
            ("team@x.cn", MINHANG, 0),
            ("city@x.cn", "*", 2),
            ("sj@x.cn", SONGJIANG, 0),
        ):
            recipients.put(connection, Recipient(address, district, level=level))
        contacts.put(connection, STATION, "station@x.cn", "")

    def told() -> list[tuple[str, str]]:
        with database.reading() as connection:
            rows = connection.execute(select(outbox.c.recipient, outbox.c.subject).order_by(outbox.c.mail_id))
            return [(row.recipient, row.subject) for row in rows]

    case_id = make_directive(office.here, ZHANG, [fingerprint])
    office.does(ZHANG, case_id, "edit", is_serious=True)
    assert told() == []
    office.does(ZHANG, case_id, "issue")
    said = "station-1 点 特种设备安全监察指令（闵行区）市监特令〔2026〕1号：下达"
    assert told() == [(one, said) for one in ("station@x.cn", "city@x.cn", "team@x.cn")]
    office.does(ZHAO, case_id, "report")
    assert [one for one, _ in told()[3:]] == ["team@x.cn"]


def test_an_address_that_no_mail_can_go_to_stops_no_step(office: Office) -> None:
    case_id = make_directive(office.here, ZHANG, office.overdue_fills(1))
    with office.world.database.writing() as connection:
        contacts.put(connection, STATION, "station\n@x.cn", "")
        contacts.put(connection, STATION, "z@x.cn", "")
    assert office.does(ZHANG, case_id, "issue")["state"] == "issued"


def test_two_workers_note_what_is_late_once(office: Office) -> None:
    for fingerprint in office.overdue_fills(12):
        office.issued(fingerprint)
    at_ms = office.now_ms + 30 * DAY_MS
    deeds = [lambda: casework.run(office.world.database, office.world.cache, LETTERS, at_ms)] * 2
    came = both_at_once(office, *deeds)
    assert sum(one.get("late_report", 0) for one in came if isinstance(one, dict)) == 12


def test_a_letter_goes_from_the_city_to_a_district_and_back(office: Office) -> None:
    due_day = local_day(office.now_ms) + 10
    case_id = make_letter(office.here, CHEN, "supervise", MINHANG, "三起超期未检充装", "挂牌督办", due_day)
    with pytest.raises(AssertionError):
        office.row(case_id, LI.scope)  # a draft is the city's own
    assert office.does(CHEN, case_id, "issue")["number"] == "（市局）市监特督〔2026〕1号"
    with pytest.raises(AssertionError):
        office.row(case_id, WANG.scope)
    office.does(LI, case_id, "answer", why="已全部整改")
    assert office.does(CHEN, case_id, "close", why="属实")["closed_how"] == "answer"
    with pytest.raises(Refused):
        make_letter(office.here, LI, "supervise", MINHANG, "", "x", due_day)


def test_a_case_is_read_only_by_those_it_is_about(office: Office) -> None:
    case_id = make_directive(office.here, ZHANG, office.overdue_fills(1))

    def readers() -> set[str]:
        with office.world.database.reading() as connection:
            everybody = (ZHANG, LI, WANG, CHEN, ZHAO, SUN)
            return {one.username for one in everybody if cases.one(connection, one.scope, case_id)} & {
                one.username for one in everybody if cases.listed(connection, one.scope, {}, 9)[0]
            }

    assert readers() == {"zhang", "li"}
    office.does(ZHANG, case_id, "issue")
    assert readers() == {"zhang", "li", "chen", "zhao"}
    with pytest.raises(NoSuchCase):
        take(office.here, QIAN, case_id, Asked("report", 1, "我来报"))


def test_the_papers_bytes_are_kept_with_their_hash(office: Office) -> None:
    case_id = office.issued(office.overdue_fills(1)[0])
    with office.world.database.reading() as connection:
        kept = cases.paper(connection, ZHAO.scope, case_id)
        assert kept is not None
        assert cases.paper(connection, SUN.scope, case_id) is None
    html = bytes(kept["html"]).decode()
    assert "闵行区市场监督管理局" in html
    assert kept["number"] in html
    assert "《中华人民共和国特种设备安全法》第六十二条" in html
    assert date.fromordinal(local_day(office.now_ms) + 15).isoformat() in html


@pytest.mark.parametrize(
    ("table", "column"), [("case_log", "why"), ("case_attachment", "name"), ("case_paper", "number")]
)
def test_what_was_done_sent_in_and_issued_is_neither_changed_nor_removed(
    office: Office, table: str, column: str
) -> None:
    case_id = office.issued(office.overdue_fills(1)[0])
    office.does(ZHAO, case_id, "report", files=[("a.jpg", JPEG)])
    tries = [f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"]
    if not office.world.database.is_postgresql:
        tries.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    for statement in tries:
        with pytest.raises(DBAPIError, match="append-only"), office.world.database.writing() as connection:
            connection.execute(text(statement))


def test_a_directive_is_served_on_a_site_in_the_register_only(office: Office) -> None:
    [fingerprint] = office.overdue_fills(1)
    with office.world.database.writing() as connection:
        connection.execute(alert.update().values(site_id="customer-1"))
    with pytest.raises(Refused, match="served on"):
        make_directive(office.here, ZHANG, [fingerprint])


def test_the_walk_looks_at_no_case_that_is_not_due(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    statement = select(case_file).where(case_file.c.wake_ms <= 1).order_by(case_file.c.wake_ms).limit(200)
    compiled = statement.compile(database.engine, compile_kwargs={"literal_binds": True})
    with database.reading() as connection:
        plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}"))
    database.close()
    assert "ix_case_file_wake_ms" in plan
    assert "SCAN case_file" not in plan
