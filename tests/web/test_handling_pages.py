"""Looking after alerts on their pages and through the API: who may do what, and what the slower of two is told."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.store import handling, notices, outbox, told_mails
from cylinder_trace.store.tables import alert, notice
from tests.web.conftest import SignIn
from tests.web.test_pages import alert_of, text_of
from tests.world import MINHANG, STATION, World, code, filled, ms, registered

RULE = "fill_overdue"


@pytest.fixture
def overdue(pages: World) -> str:
    """The fingerprint of an overdue fill at the station of Minhang, on Monday."""
    pages.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])
    pages.judge(1)
    return str(alert_of(pages, RULE)["fingerprint"])


def do(client: FlaskClient, fingerprint: str, what: str, version: int = 0, **typed: Any) -> Any:
    return client.post(f"/alerts/{fingerprint}/{what}", data={"episode": 1, "version": version, **typed})


def _handling(client: FlaskClient, fingerprint: str) -> Any:
    return client.get(f"/api/v1/alerts/{fingerprint}/handling").get_json()


def log_of(world: World, fingerprint: str) -> list[tuple[str, str, str]]:
    with world.database.reading() as connection:
        return [(one["who"], one["did"], one["why"]) for one in handling.log(connection, fingerprint)]


def test_an_officer_does_all_there_is_to_do_from_the_page(
    pages: World, signed_in: SignIn, overdue: str
) -> None:
    officer = signed_in("minhang")
    forms = re.findall(rf'action="/alerts/{overdue}/(\w+)"', officer.get(f"/alerts/{overdue}").text)
    assert forms == ["acknowledge", "assign", "snooze", "comment", "close"]
    steps: list[tuple[str, dict[str, Any]]] = [
        ("acknowledge", {}),
        ("assign", {"assignee": "minhang-2"}),
        ("comment", {"why": "现场无人"}),
        ("snooze", {"why": "等检验", "until": "2026-06-01"}),
        ("unsnooze", {}),
        ("snooze", {"why": "等检验", "more_times": "3"}),
        ("close", {"why": "已封存该瓶", "verdict": "handled"}),
        ("reopen", {"why": "瓶又出现"}),
    ]
    for version, (what, typed) in enumerate(steps):
        answer = do(officer, overdue, what, version, **typed)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/alerts/{overdue}#handling")
    said = text_of(officer.get(f"/alerts/{overdue}").text)
    for words in (
        "minhang 的人 签收",
        "指派给 minhang-2 的人",
        "现场无人",
        "延后至 2026-06-01 09:00",
        "取消延后",
        "或累计 4 次",
        "关闭：属实，已处置 已封存该瓶",
        "重新打开 瓶又出现",
    ):
        assert words in said


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_who_was_slower_is_told_what_the_other_did_and_keeps_what_they_typed(
    pages: World, signed_in: SignIn, overdue: str, lang: str
) -> None:
    do(signed_in("minhang-2"), overdue, "acknowledge")
    answer = do(signed_in("minhang", lang), overdue, "comment", why="到场核实 <b>两次</b>")
    assert answer.status_code == 409
    said = text_of(answer.text)
    assert {"zh": "有人抢先一步，您的操作没有执行。", "en": "Somebody was quicker"}[lang] in said
    assert "minhang-2 的人 " + {"zh": "签收", "en": "acknowledged it"}[lang] in said
    assert re.search(r"<textarea[^>]*>到场核实 &lt;b&gt;两次&lt;/b&gt;</textarea>", answer.text)
    assert [did for _, did, _ in log_of(pages, overdue)] == ["acknowledged"]
    # What is on the page now can be sent at once.
    version = re.search(r'name="version" value="(\d+)"', answer.text)
    assert version is not None
    assert do(signed_in("minhang"), overdue, "comment", int(version[1]), why="到场核实").status_code == 303


@pytest.mark.parametrize(
    ("what", "typed", "said"),
    [
        ("comment", {"why": " "}, "请写明理由"),
        ("snooze", {"why": "等检验"}, "请填写延后到哪一天"),
        ("snooze", {"why": "等检验", "until": "2026-05-01"}, "请填写延后到哪一天"),
        ("snooze", {"why": "等检验", "until": "whenever"}, "请填写延后到哪一天"),
        ("snooze", {"why": "等检验", "more_times": "1e9"}, "请填写延后到哪一天"),
        ("close", {"why": "已核实"}, "请选择结论"),
        ("close", {"verdict": "handled"}, "请写明理由"),
        ("assign", {"assignee": "songjiang"}, "请选择本辖区"),
        ("reopen", {"why": "再看"}, "没有关闭"),
        ("unsnooze", {}, "没有延后"),
    ],
)
def test_what_is_missing_is_asked_for_on_the_page(
    pages: World, signed_in: SignIn, overdue: str, what: str, typed: dict[str, Any], said: str
) -> None:
    answer = do(signed_in("minhang"), overdue, what, **typed)
    assert answer.status_code == 409
    assert said in text_of(answer.text)
    assert log_of(pages, overdue) == []


def test_a_station_explains_and_reads_nothing_of_what_offices_think(
    pages: World, signed_in: SignIn, overdue: str
) -> None:
    do(signed_in("minhang"), overdue, "acknowledge", why="周三突击检查")
    do(signed_in("minhang"), overdue, "assign", 1, assignee="minhang-2")
    do(signed_in("minhang"), overdue, "comment", 2, why="疑似故意")
    manager = signed_in("manager-1")
    page = manager.get(f"/alerts/{overdue}").text
    assert re.findall(rf'action="/alerts/{overdue}/(\w+)"', page) == ["comment"]
    assert do(manager, overdue, "comment", 3, why="检验报告晚到，附后").status_code == 303
    said = text_of(manager.get(f"/alerts/{overdue}").text)
    assert "manager-1 的人 备注 检验报告晚到，附后" in said
    assert "执法人员 签收" in said
    for secret in ("突击检查", "疑似故意", "minhang 的人", "minhang-2 的人"):
        assert secret not in said
    assert "检验报告晚到，附后" in text_of(signed_in("minhang").get(f"/alerts/{overdue}").text)
    for what in ("acknowledge", "assign", "snooze", "close"):
        answer = do(manager, overdue, what, 4, why="x", verdict="handled", assignee="minhang")
        assert answer.status_code == 403
        assert "只有辖区或市局的执法人员" in text_of(answer.text)
    do(signed_in("minhang"), overdue, "snooze", 4, why="等检验", until="2026-06-01")
    for path in ("/alerts", f"/alerts/{overdue}"):
        assert "延后" not in text_of(manager.get(path).text)
    for one in (manager.get("/api/v1/alerts").get_json()["alerts"][0], _handling(manager, overdue)):
        assert set(one["care"]) == {"version", "times", "acknowledged_ms", "verdict"}


@pytest.mark.parametrize("name", ["songjiang", "manager-2", "op-2"])
def test_who_may_not_see_an_alert_can_do_nothing_about_it(
    pages: World, signed_in: SignIn, overdue: str, name: str
) -> None:
    assert do(signed_in(name), overdue, "comment", why="我看看").status_code in {403, 404}
    assert log_of(pages, overdue) == []


def test_forms_from_elsewhere_do_nothing(pages: World, app: Flask, signed_in: SignIn, overdue: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    officer = signed_in("minhang")
    assert do(officer, overdue, "acknowledge").status_code == 400
    many = {"alert": f"{overdue}:1:0"}
    assert officer.post("/alerts/acknowledge", data=many).status_code == 400
    step = {"what": "acknowledge", "episode": 1, "version": 0}
    assert officer.post(f"/api/v1/alerts/{overdue}/handling", json=step).status_code == 400
    assert log_of(pages, overdue) == []


def test_many_alerts_are_acknowledged_at_once_and_what_changed_meanwhile_is_left(
    pages: World, signed_in: SignIn, overdue: str
) -> None:
    for number in (2, 3):
        pages.post([registered(code(number), valid_until="2026-01-31"), filled(code(number), number)])
    pages.judge(4)
    officer = signed_in("minhang")
    chosen = re.findall(r'name="alert" value="([^"]+)"', officer.get(f"/alerts?rule={RULE}").text)
    assert len(chosen) == 3
    do(signed_in("minhang-2"), overdue, "comment", why="先看一下")
    answer = officer.post("/alerts/acknowledge", data={"alert": chosen, "back": f"/alerts?rule={RULE}"})
    assert answer.headers["Location"] == f"/alerts?rule={RULE}&done=2&not_done=1"
    said = text_of(officer.get(answer.headers["Location"]).text)
    assert "已签收 2 起。 1 起在此期间有变动，未签收。" in said
    assert [did for _, did, _ in log_of(pages, overdue)] == ["commented"]


def test_the_list_goes_back_to_nowhere_else(signed_in: SignIn, overdue: str) -> None:
    answer = signed_in("minhang").post("/alerts/acknowledge", data={"back": "//evil.example/"})
    assert answer.headers["Location"].startswith("/alerts?")


def test_the_list_is_narrowed_to_what_waits_is_overdue_put_off_or_ones_own(
    pages: World, app: Flask, signed_in: SignIn, overdue: str
) -> None:
    for number in (2, 3, 4):
        pages.post([registered(code(number), valid_until="2026-01-31"), filled(code(number), number)])
    pages.judge(5)
    with pages.database.reading() as connection:
        which = select(alert.c.fingerprint).where(alert.c.rule == RULE).order_by(alert.c.at_ms)
        _, second, third, fourth = connection.scalars(which)
    officer = signed_in("minhang")
    do(officer, second, "acknowledge")
    do(officer, third, "snooze", why="等检验", until="2026-06-01")
    do(officer, fourth, "assign", assignee="minhang")

    def listed(queue: str) -> list[str]:
        page = officer.get(f"/alerts?rule={RULE}&queue={queue}").text
        return re.findall(r'href="/alerts/([0-9a-f]{32})"', page)

    assert set(listed("waiting")) == {overdue, fourth}
    assert listed("snoozed") == [third]
    assert listed("mine") == [fourth]
    assert listed("overdue") == []
    assert len(listed("")) == 4
    page = text_of(officer.get("/alerts").text)
    assert "已延后 1" in page
    assert "指派给我 1" in page
    # Nobody acknowledged it until the first working day was over.
    later = app.extensions["cylinder_trace"]
    object.__setattr__(later, "now_ms", lambda: ms(0) + 3 * DAY_MS)
    assert set(listed("overdue")) == {overdue, fourth}


def test_the_page_says_who_was_told_by_mail_and_shows_a_station_no_address(
    pages: World, signed_in: SignIn, overdue: str
) -> None:
    with pages.database.writing() as connection:
        its = select(notice.c.transition_no.label("told_no"), notice.c.step, notice.c.fingerprint)
        rows = [
            dict(row) for row in connection.execute(its.where(notice.c.fingerprint == overdue)).mappings()
        ]
        told_mails.note(connection, rows, "group-1")
        outbox.post(connection, "group-1", "team@minhang.example", "预警", "<1@x>", b"mail", ms(2))
        notices.told(connection, rows)
    officer = text_of(signed_in("minhang").get(f"/alerts/{overdue}").text)
    assert "闵行区 · 区局执法队 team@minhang.example 首次发现" in officer
    assert "待发" in officer
    station = signed_in("manager-1").get(f"/alerts/{overdue}").text
    assert "team@minhang.example" not in station
    assert "闵行区 · 区局执法队 首次发现" in text_of(station)


def test_the_page_names_the_alert_that_holds_back_mails_about_this_one(
    pages: World, signed_in: SignIn, overdue: str
) -> None:
    assert "是其起因" not in signed_in("minhang").get(f"/alerts/{overdue}").text
    with pages.database.writing() as connection:
        row = dict(connection.execute(select(alert).where(alert.c.fingerprint == overdue)).mappings().one())
        row |= {"fingerprint": "f" * 32, "rule": "unlicensed_site", "subject": STATION, "district": MINHANG}
        connection.execute(alert.insert().values(**row))
    page = signed_in("minhang").get(f"/alerts/{overdue}").text
    assert re.search(rf'是其起因.*<a href="/alerts/{"f" * 32}">', page, re.DOTALL)


def test_programs_do_the_same_through_the_api(pages: World, signed_in: SignIn, overdue: str) -> None:
    officer, address = signed_in("minhang"), f"/api/v1/alerts/{overdue}/handling"
    seen = officer.get(address).get_json()
    assert (seen["episode"], seen["care"]["version"], seen["log"]) == (1, 0, [])
    step = {"what": "snooze", "episode": 1, "version": 0, "why": "等检验", "until": "2026-06-01T00:00:00Z"}
    assert officer.post(address, json=step).get_json() == {"episode": 1, "version": 1, "status": "open"}
    slower = signed_in("city").post(address, json=step)
    assert slower.status_code == 409
    assert (slower.get_json()["error"], slower.get_json()["since"][0]["who"]) == ("quicker", "minhang 的人")
    for wrong in (
        {"until": "2026-06-01T00:00:00"},
        {"version": -1},
        {"why": "长" * 2001},
        {"more_times": 0},
        {"what": "delete"},
        {"verdict": "maybe"},
        {"extra": 1},
    ):
        assert officer.post(address, json=step | wrong).status_code == 400
    missing = officer.post(address, json={"what": "close", "episode": 1, "version": 1, "why": "x"})
    assert (missing.status_code, missing.get_json()["error"]) == (409, "needs_verdict")
    station = signed_in("manager-1").post(address, json=step | {"version": 1})
    assert (station.status_code, station.get_json()["error"]) == (403, "may_not")
    assert signed_in("songjiang").get(address).status_code == 404
    assert signed_in("songjiang").post(address, json=step).status_code == 404
    assert officer.post(f"/api/v1/alerts/{'0' * 32}/handling", json=step).status_code == 404


def test_every_way_to_act_asks_who_it_is(app: Flask, overdue: str) -> None:
    nobody = app.test_client()
    assert do(nobody, overdue, "acknowledge").status_code == 302
    assert nobody.post("/alerts/acknowledge").status_code == 302
    assert nobody.post(f"/api/v1/alerts/{overdue}/handling", json={}).status_code in {400, 401}


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("a\0b/acknowledge", {"episode": 1, "version": 0}),
        ("{}/whatever", {"episode": 1, "version": 0}),
        ("{}/acknowledge", {}),
        ("{}/acknowledge", {"episode": "9" * 5000, "version": 0}),
        ("{}/acknowledge", {"episode": 1, "version": "-1"}),
    ],
)
def test_what_no_form_sends_is_refused_quietly(
    signed_in: SignIn, overdue: str, path: str, form: dict[str, Any]
) -> None:
    answer = signed_in("minhang").post(f"/alerts/{path.format(overdue)}", data=form)
    assert answer.status_code in {400, 404}
