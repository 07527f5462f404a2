"""The pages of a station's duties: a manager reads, signs and settles; regulators see who lacks records."""

import re
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from cylinder_trace import duty_records
from cylinder_trace.mail.duty_letter import DutyLetters
from cylinder_trace.settings import Settings
from cylinder_trace.store import people
from tests.web.conftest import PASSWORD, SignIn, strict
from tests.web.test_pages import text_of
from tests.world import (
    CUSTOMERS,
    OTHER_STATION,
    OWNER,
    STATION,
    World,
    code,
    moved,
    ms,
    registered,
    well_filled,
)

MONDAY = "2026-05-04"
RECORD = f"/duties/records/{STATION}/day/{MONDAY}"


@pytest.fixture
def duties_world(pages: World) -> World:
    """A Monday with a lawful fill, a cylinder that runs out, and one that nobody has seen for more than a year."""
    with pages.database.writing() as connection:
        people.put_account(connection, "manager", PASSWORD, "张安全", "manager", STATION)
        people.put_account(connection, "manager-2", PASSWORD, "李另站", "manager", OTHER_STATION)
    events = [
        registered(code(1)),
        *well_filled(code(1), 1),
        registered(code(2), valid_until="2026-05-20"),
        moved("deliver", code(2), 2, STATION, CUSTOMERS[0]),
        registered(code(3), -500 * 24, model="=1+1"),
        registered(code(4), valid_until="2026-04-01"),
    ]
    pages.post(events, ms(2))
    letters = DutyLetters(Settings())
    for hours in (2, 23, 47):
        pages.sweep(hours)
        duty_records.run(pages.database, pages.cache, letters, ms(hours))
    return pages


def form_of(page: str) -> dict[str, str]:
    """What a record's form sends, but for what a person writes."""
    return dict(re.findall(r'<input type="hidden" name="(version|sha256)" value="([^"]*)"', page))


def late_fill(world: World) -> None:
    world.post([registered(code(9)), *well_filled(code(9), 3)], ms(47))
    for hours in (47.2, 47.6):
        world.sweep(hours)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_manager_reads_the_draft_and_signs_it(duties_world: World, signed_in: SignIn, lang: str) -> None:
    browser = signed_in("manager", lang)
    page = browser.get("/duties").text
    assert RECORD in page
    draft = browser.get(RECORD).text
    assert {"zh": "日管控记录", "en": "Daily record"}[lang] in text_of(draft)
    answer = browser.post(RECORD, data=form_of(draft) | {"remark": "无异常"}, follow_redirects=True)
    said = text_of(answer.text)
    assert answer.status_code == 200
    assert {"zh": "张安全（安全员）签署于 2026-05-06 08:00", "en": "张安全 (safety officer) signed at"}[
        lang
    ] in said
    assert "无异常" in said
    assert re.search(r"\b[0-9a-f]{64}\b", said)
    assert RECORD in browser.get("/duties?state=signed").text


def test_a_day_without_findings_reads_as_a_zero_risk_report(duties_world: World, signed_in: SignIn) -> None:
    said = text_of(signed_in("manager-2").get(f"/duties/records/{OTHER_STATION}/day/{MONDAY}").text)
    assert "零风险报告" in said
    assert "本期无扫码记录" in said


def test_who_signs_second_reads_what_the_first_signed(duties_world: World, signed_in: SignIn) -> None:
    first, second = signed_in("manager"), signed_in("manager")
    seen = form_of(second.get(RECORD).text)
    first.post(RECORD, data=form_of(first.get(RECORD).text) | {"remark": "先签"})
    answer = second.post(RECORD, data=seen | {"remark": "后签"})
    assert answer.status_code == 409
    assert "他人已先签署" in text_of(answer.text)
    assert "先签" in text_of(answer.text)


def test_a_draft_that_changed_meanwhile_is_shown_again_with_what_was_written(
    duties_world: World, signed_in: SignIn
) -> None:
    browser = signed_in("manager")
    seen = form_of(browser.get(RECORD).text)
    late_fill(duties_world)
    answer = browser.post(RECORD, data=seen | {"remark": "写了很多"})
    assert answer.status_code == 409
    assert "草稿已更新" in answer.text
    assert "写了很多" in answer.text


def test_what_came_after_signing_is_noted_beside_the_record(duties_world: World, signed_in: SignIn) -> None:
    browser = signed_in("manager")
    browser.post(RECORD, data=form_of(browser.get(RECORD).text))
    assert "签署之后没有变化" in browser.get(RECORD).text
    late_fill(duties_world)
    said = text_of(browser.get(RECORD).text)
    assert "充装：签署时 1，现为 2" in said


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        ("manager-2", RECORD, 404),
        ("songjiang", RECORD, 404),
        ("op-1", RECORD, 404),
        ("op-1", "/duties", 404),
        ("op-1", "/duties/idle", 404),
        ("op-1", "/duties/due.xlsx", 404),
        ("op-1", "/api/v1/duties/records", 404),
        ("op-1", "/api/v1/duties/idle", 404),
        ("minhang", RECORD, 200),
        ("city", RECORD, 200),
        ("city", f"/duties/records/{STATION}/day/nonsense", 404),
        ("city", f"/duties/records/{STATION}/year/{MONDAY}", 404),
        ("city", f"/duties/records/{STATION}%00/day/{MONDAY}", 404),
        ("songjiang", f"/duties/due.xlsx?of=site:{STATION}", 404),
        ("manager-2", f"/duties/due.xlsx?of=owner:{OWNER}", 404),
        ("songjiang", f"/api/v1/duties/due?party_id={OWNER}", 404),
        ("songjiang", f"/api/v1/duties/records/{STATION}/day/{MONDAY}", 404),
    ],
)
def test_each_reads_what_is_theirs(
    duties_world: World, signed_in: SignIn, name: str, path: str, status: int
) -> None:
    assert signed_in(name).get(path).status_code == status


def test_an_officer_does_not_sign(duties_world: World, signed_in: SignIn) -> None:
    browser = signed_in("minhang")
    page = browser.get(RECORD).text
    assert "由本站管理人员登录后签署" in text_of(page)
    assert browser.post(RECORD, data={"version": "0", "sha256": "0" * 64}).status_code == 409


def test_a_form_of_another_site_signs_and_settles_nothing(duties_world: World) -> None:
    client = strict(duties_world.database, duties_world).test_client()
    for path in (RECORD, "/duties/idle", f"/api/v1{RECORD}", "/api/v1/duties/idle"):
        assert client.post(path, data={"version": "0"}).status_code == 400


def test_an_officer_sees_which_stations_of_the_district_lack_records(
    duties_world: World, signed_in: SignIn
) -> None:
    """It is eight on Wednesday; Monday's were to be signed by the end of Tuesday."""
    said = text_of(signed_in("songjiang").get("/duties").text)
    assert "station-2 点" in said
    assert "station-1 点" not in said
    both = text_of(signed_in("city").get("/duties").text)
    assert "station-1 点" in both
    assert "station-2 点" in both
    browser = signed_in("manager-2")
    for day in ("2026-05-03", MONDAY):
        path = f"/duties/records/{OTHER_STATION}/day/{day}"
        browser.post(path, data=form_of(browser.get(path).text))
    assert "没有逾期未签的充装站" in signed_in("songjiang").get("/duties").text


def test_the_due_list_says_what_ends_and_names_no_customer(duties_world: World, signed_in: SignIn) -> None:
    browser = signed_in("manager")
    said = text_of(browser.get(f"/duties/due?of=owner:{OWNER}").text)
    assert code(2) in said
    assert "2026-05-20" in said
    assert "用户处" in said
    assert code(4) in text_of(browser.get(f"/duties/due?of=owner:{OWNER}&which=over").text)
    book = openpyxl.load_workbook(BytesIO(browser.get(f"/duties/due.xlsx?of=owner:{OWNER}").data))
    rows = [list(book[title].values)[1:] for title in ("即将到期 Due soon", "已过期 Overdue")]
    assert [[row[0] for row in its] for its in rows] == [[code(2)], [code(4)]]
    assert CUSTOMERS[0] not in str(rows)


def test_idle_cylinders_are_chosen_settled_and_kept_with_the_reason(
    duties_world: World, signed_in: SignIn
) -> None:
    browser = signed_in("manager")
    assert code(3) in browser.get("/duties/idle").text
    wish = {"cylinder": f"0 {code(3)}", "settlement": "lost", "why": "上门未找到"}
    assert browser.post("/duties/idle", data=wish | {"why": " "}).status_code == 400
    assert browser.post("/duties/idle", data={"settlement": "lost", "why": "x"}).status_code == 400
    assert browser.post("/duties/idle", data=wish, follow_redirects=True).status_code == 200
    assert browser.post("/duties/idle", data=wish).status_code == 409
    said = text_of(browser.get("/duties/idle?state=lost").text)
    assert code(3) in said
    assert "上门未找到 manager" in said
    book = openpyxl.load_workbook(BytesIO(browser.get("/duties/idle.xlsx?state=lost").data))
    assert next(iter(list(book.active.values)[1:]))[4] == "下落不明"  # type: ignore[union-attr]


def test_the_api_reads_signs_and_settles(duties_world: World, signed_in: SignIn) -> None:
    browser = signed_in("manager")

    def asked(path: str, client: FlaskClient = browser) -> Any:
        answer = client.get(f"/api/v1/duties/{path}")
        assert answer.status_code == 200
        return answer.get_json()

    records = asked("records")["records"]
    assert (STATION, "day", MONDAY) in {(one["site_id"], one["kind"], one["first_day"]) for one in records}
    path = f"records/{STATION}/day/{MONDAY}"
    one = asked(path)
    assert one["draft"]["numbers"]["fills"] == 1
    wish = {"version": one["version"], "sha256": one["draft_sha256"], "remark": "经接口签署"}
    signed = browser.post(f"/api/v1/duties/{path}", json=wish)
    assert signed.get_json() == {"sha256": asked(path)["sha256"]}
    again = browser.post(f"/api/v1/duties/{path}", json=wish)
    assert (again.status_code, again.get_json()["error"]) == (409, "quicker")
    assert browser.post(f"/api/v1/duties/{path}", json={"version": 0}).status_code == 400
    assert [row["cylinder_id"] for row in asked(f"due?party_id={OWNER}")["cylinders"]] == [code(2)]
    (idle,) = asked("idle")["cylinders"]
    settled = {"cylinders": {code(3): idle["version"]}, "state": "stored", "why": "封存"}
    assert browser.post("/api/v1/duties/idle", json=settled).status_code == 200
    assert asked("idle?state=stored")["total"] == 1
    assert asked("records?state=signed", signed_in("minhang"))["total"] == 1


def test_terms_that_nobody_confirmed_say_so(duties_world: World, signed_in: SignIn) -> None:
    said = {
        path: text_of(signed_in("manager").get(path).text)
        for path in ("/duties", "/duties/due", "/duties/idle")
    }
    assert "签署期限（未经核实）" in said["/duties"]
    assert "30 天内到期（未经核实）" in said["/duties/due"]
    assert "365 天（未经核实）以上未见" in said["/duties/idle"]
    assert "30 days (not confirmed)" in text_of(signed_in("manager", "en").get("/duties/due").text)
