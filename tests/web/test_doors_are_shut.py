"""What nobody may do through the pages: act for another, lead a visitor elsewhere, guess passwords, read what is not theirs."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from cylinder_trace.store import alerts, work
from cylinder_trace.store.alerts import Scope
from cylinder_trace.web.throttle import FREE_TRIES, LONGEST_WAIT_MS, MOST_REMEMBERED, Throttle
from cylinder_trace.web.ways import own_path
from tests.web.conftest import PASSWORD, SignIn, strict
from tests.world import CUSTOMERS, DEPOT, STATION, World, code, filled, moved, ms, registered

Served = Callable[[], FlaskClient]


@pytest.fixture
def served(pages: World) -> Served:
    """Browsers of an application with all its guards on."""
    app = strict(pages.database, pages)
    return app.test_client


def token_of(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found
    return found[1]


def let_in(client: FlaskClient, name: str, password: str = PASSWORD, goal: str = "") -> Any:
    token = token_of(client.get("/sign-in").text)
    data = {"username": name, "password": password, "csrf_token": token}
    return client.post("/sign-in", query_string={"next": goal}, data=data)


def fingerprint_of(world: World, rule: str) -> str:
    with world.database.reading() as connection:
        _, rows = alerts.listed(connection, Scope("city"), {"rule": rule}, 1)
    return str(rows[0]["fingerprint"])


def overdue(world: World) -> str:
    """An overdue fill in Minhang; gives its alert."""
    world.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])
    world.judge(1)
    return fingerprint_of(world, "fill_overdue")


# --- acting for another ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/scan", "/scan/frame"])
def test_a_form_that_another_site_made_is_refused(served: Served, path: str) -> None:
    client = served()
    let_in(client, "op-1")
    answer = client.post(path, data={"username": "op-1", "password": PASSWORD})
    assert answer.status_code == 400
    assert "页面已失效" in answer.text


def test_the_scan_pages_token_in_the_header_lets_a_scan_in(served: Served, pages: World) -> None:
    client = served()
    let_in(client, "op-1")
    token = token_of(client.get("/scan").text)
    scan = {"action": "observe", "code": code(1), "occurred_at": datetime.now(UTC).isoformat()}
    assert client.post("/scan", json=scan).status_code == 400
    scan["occurred_at"] = (datetime.fromtimestamp(ms(47) / 1000, UTC)).isoformat()
    answer = client.post("/scan", json=scan, headers={"X-CSRFToken": token})
    assert (answer.status_code, answer.get_json()["receipt"]["status"]) == (200, "stored")


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(pages: World) -> None:
    for public_url, secure in (("http://127.0.0.1:8080", False), ("https://qp.example.cn", True)):
        client = strict(pages.database, pages, public_url=public_url).test_client()
        token = token_of(client.get("/sign-in", base_url=public_url).text)
        data = {"username": "city", "password": PASSWORD, "csrf_token": token}
        answer = client.post("/sign-in", base_url=public_url, data=data, headers={"Referer": public_url})
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is secure


def test_signing_in_leaves_nothing_of_the_session_before(app: Flask) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["lang"] = "en"
    client.post("/sign-in", data={"username": "city", "password": PASSWORD})
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["lang"] == "en"


# --- leading elsewhere ----------------------------------------------------------------------------------------

ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example",
    "/\t/evil.example",
    "/\r\n/evil.example",
    "///evil.example",
    "/alerts\x00",
    "javascript:alert(1)",
    "evil.example",
    " //evil.example",
    "",
]


@pytest.mark.parametrize("goal", ELSEWHERE)
def test_nobody_is_led_to_another_site(served: Served, goal: str) -> None:
    client = served()
    assert let_in(client, "city", goal=goal).headers["Location"] == "/"
    assert client.get("/lang/en", query_string={"next": goal}).headers["Location"] == "/"


def test_the_page_that_was_asked_for_is_where_one_is_led(served: Served) -> None:
    goal = "/alerts?severity=1&district=310112"
    client = served()
    asked = client.get(goal).headers["Location"]
    assert asked.startswith("/sign-in?next=")
    assert let_in(client, "city", goal=goal).headers["Location"] == goal


@given(st.text(alphabet="/\\:\t\n\r .?#@ehtps", max_size=12))
def test_whatever_is_let_through_stays_on_this_server(goal: str) -> None:
    if (path := own_path(goal)) is not None:
        # As browsers read it: without tabs and line ends, and with every backslash a slash.
        seen = re.sub(r"[\t\r\n]", "", path.strip()).replace("\\", "/")
        assert seen.startswith("/")
        assert not seen.startswith("//")


# --- guessing passwords ---------------------------------------------------------------------------------------


def test_who_tries_passwords_has_to_wait_and_then_gets_in(pages: World, app: Flask) -> None:
    client = app.test_client()
    tried = [
        client.post("/sign-in", data={"username": "city", "password": f"guess-{number}"}).status_code
        for number in range(FREE_TRIES["account"] + 1)
    ]
    assert tried == [401] * FREE_TRIES["account"] + [429]
    right = client.post("/sign-in", data={"username": "city", "password": PASSWORD})
    assert right.status_code == 429  # also for the right password, or guessing would still pay
    assert "请 1 秒后再试" in right.text
    assert right.headers["Retry-After"] == "1"
    other = client.post("/sign-in", data={"username": "minhang", "password": PASSWORD})
    assert other.status_code == 302


def test_the_wait_doubles_up_to_a_bound_and_ends() -> None:
    throttle, now_ms, waits = Throttle(), 0, []
    for _ in range(25):
        assert throttle.begin("zhang", "10.0.0.1", now_ms) == 0
        waits.append(throttle.wait_ms("zhang", "10.0.0.9", now_ms))
        now_ms += waits[-1]
    assert waits[:7] == [0, 0, 0, 0, 1000, 2000, 4000]
    assert max(waits) == LONGEST_WAIT_MS["account"]
    assert throttle.wait_ms("zhang", "10.0.0.9", now_ms) == 0
    throttle.succeeded("zhang", "10.0.0.1")
    throttle.begin("zhang", "10.0.0.2", now_ms)
    assert throttle.wait_ms("zhang", "10.0.0.9", now_ms) == 0


def test_an_address_that_tries_many_names_has_to_wait_too() -> None:
    throttle = Throttle()
    for number in range(FREE_TRIES["address"]):
        throttle.begin("a good account of the attacker's", "10.0.0.1", 0)
        throttle.succeeded("a good account of the attacker's", "10.0.0.1")
        throttle.begin(f"name-{number}", "10.0.0.1", 0)
    assert 0 < throttle.wait_ms("somebody", "10.0.0.1", 0) <= LONGEST_WAIT_MS["address"]
    assert throttle.wait_ms("somebody", "10.0.0.2", 0) == 0


def test_the_memory_of_failures_is_bounded() -> None:
    throttle = Throttle()
    for number in range(MOST_REMEMBERED):
        throttle.begin(f"name-{number}", f"address-{number}", 0)
    assert len(throttle._tries) <= MOST_REMEMBERED


# --- reading what is not theirs -------------------------------------------------------------------------------


def test_an_alert_opens_for_its_district_and_the_city_only(pages: World, signed_in: SignIn) -> None:
    fingerprint = overdue(pages)
    opened = {
        name: signed_in(name).get(f"/alerts/{fingerprint}").status_code
        for name in ("city", "minhang", "songjiang", "op-1", "op-2")
    }
    assert opened == {"city": 200, "minhang": 200, "songjiang": 404, "op-1": 200, "op-2": 404}
    assert "超期" not in signed_in("songjiang").get("/alerts?district=310112").text.split("<ul")[-1]


def test_a_district_reads_of_another_districts_alert_but_is_led_to_no_closed_door(
    pages: World, signed_in: SignIn
) -> None:
    fingerprint = overdue(pages)
    for name, led in (("minhang", True), ("songjiang", False)):
        page = signed_in(name).get(f"/cylinders/{code(1)}").text
        assert "检验有效期至 2026-01-31" in page
        assert (f"/alerts/{fingerprint}" in page) is led


def test_a_cylinder_never_seen_at_a_station_is_not_there_for_its_people(
    pages: World, signed_in: SignIn
) -> None:
    overdue(pages)
    for name, status in (("op-1", 200), ("op-2", 404)):
        browser = signed_in(name)
        assert browser.get(f"/cylinders/{code(1)}").status_code == status
        assert browser.get(f"/api/v1/cylinders/{code(1)}/history").status_code == status


_NOT_OF_ONE_STATION = {"clock_fault", "overdue_at_user"}
"""Alerts that the same scans make about the depot's device and about the firm."""


def test_a_stations_people_read_no_alerts_of_other_sites_and_no_names_of_customers(
    pages: World, signed_in: SignIn
) -> None:
    overdue(pages)
    pages.post(
        [
            moved("ship", code(1), 2, STATION, DEPOT),
            moved("receive", code(1), 3, STATION, DEPOT),
            moved("deliver", code(1), 4, DEPOT, CUSTOMERS[0]),
            moved("return", code(1), 5, CUSTOMERS[0], DEPOT),
            moved("deliver", code(1), 6, DEPOT, CUSTOMERS[1]),
        ]
    )
    pages.judge(10)
    pages.sweep(100)
    rules = {
        name: {
            row["rule"] for row in signed_in(name).get(f"/api/v1/cylinders/{code(1)}").get_json()["alerts"]
        }
        for name in ("op-1", "city")
    }
    assert rules["city"] - rules["op-1"] == {"deliver_without_fill", *_NOT_OF_ONE_STATION}
    station, city = (signed_in(name).get(f"/cylinders/{code(1)}").text for name in ("op-1", "city"))
    assert "未经充装即配送" in city
    assert "未经充装即配送" not in station.split('class="leg-list"')[0]
    assert "customer-1 点" in city
    assert "customer-1 点" not in station
    assert "闵行区用户" not in station  # it delivered to none of them itself


def test_the_public_page_names_no_site_no_firm_and_no_person(pages: World, app: Flask) -> None:
    pages.post([registered(code(1)), filled(code(1), 1), moved("deliver", code(1), 2, STATION, CUSTOMERS[0])])
    pages.judge(3)
    page = app.test_client().get(f"/c/{code(1)}").text
    for word in (STATION, CUSTOMERS[0], "op-1", "gun-1", "第一燃气", "firm-1", "点"):
        assert word not in page.replace("跳到", "")


def test_health_tells_the_public_neither_numbers_nor_errors(
    pages: World, app: Flask, signed_in: SignIn
) -> None:
    overdue(pages)
    error = "OperationalError: could not connect to db-7.intern:5432"
    with pages.database.writing() as connection:
        work.note(connection, "sweep", last_error=error, next_run_ms=ms(49))
    seen = {"public": app.test_client().get("/health").text}
    seen |= {name: signed_in(name).get("/health").text for name in ("op-1", "minhang", "city")}
    assert {name for name, page in seen.items() if "db-7.intern" in page} == {"city"}
    assert {name for name, page in seen.items() if "在案记录" in page} == {"minhang", "city"}
    assert all("出错" in page for page in seen.values())


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/alerts",
        "/alerts/x",
        f"/cylinders/{code(1)}",
        "/scan",
        "/health",
        "/sign-in",
        f"/c/{code(1)}",
        "/api/v1/alerts",
    ],
)
def test_no_page_is_kept_by_a_browser_or_a_proxy(signed_in: SignIn, path: str) -> None:
    assert signed_in("city").get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/sign-in", f"/c/{code(1)}", "/nothing", "/api/docs/swagger"])
def test_every_answer_carries_the_guards_of_the_browser(app: Flask, path: str) -> None:
    headers = app.test_client().get(path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ("frame-ancestors 'none'" in headers["Content-Security-Policy"]) is not path.startswith("/api")


def test_without_signing_in_there_is_only_the_public_side(app: Flask) -> None:
    client = app.test_client()
    for path in ("/", "/alerts", "/alerts/x", f"/cylinders/{code(1)}", "/scan"):
        assert client.get(path).headers["Location"].startswith("/sign-in?next=")
    assert client.post("/scan", json={"code": code(1)}).status_code == 302


def test_with_the_database_away_a_signed_in_reader_gets_a_page_that_says_so(
    pages: World, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in("city")

    def away() -> Any:
        raise OperationalError("SELECT", {}, Exception("connection refused by db-7.intern"))

    monkeypatch.setattr(type(pages.database), "reading", lambda _self: away())
    answer = browser.get("/alerts")
    assert answer.status_code == 503
    assert "数据库暂时不可用" in answer.text
    assert "db-7" not in answer.text
    assert browser.get("/api/v1/alerts").get_json()["error"] == "busy"
