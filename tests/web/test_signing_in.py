"""Signing in: what ends a session, what counts as a guess, and what is no more than a failed try."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from cylinder_trace.store import people
from cylinder_trace.web.throttle import FREE_TRIES, Throttle
from tests.web.conftest import PASSWORD, SignIn, strict
from tests.world import World

HUGE = "9" * 30


def test_a_new_password_ends_the_sessions_of_the_old_one(pages: World, app: Flask, signed_in: SignIn) -> None:
    browser, other = app.test_client(), signed_in("minhang")
    browser.post("/sign-in", data={"username": "city", "password": PASSWORD})
    assert browser.get("/alerts").status_code == 200
    with pages.database.writing() as connection:
        people.put_account(connection, "city", "another-password", "n", "city", "")
    assert browser.get("/alerts").status_code == 302
    assert browser.get("/api/v1/alerts").status_code == 401
    assert other.get("/alerts").status_code == 200
    browser.post("/sign-in", data={"username": "city", "password": "another-password"})
    assert browser.get("/alerts").status_code == 200


@pytest.mark.parametrize("remembered", ["city", " city", "0123456789abcdef city", ""])
def test_a_session_that_names_no_password_is_none(app: Flask, remembered: str) -> None:
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = remembered
    assert browser.get("/alerts").status_code == 302


def test_a_try_counts_from_its_beginning(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses that are all sent before the first has failed do not pass together."""
    statuses: list[int] = []
    left = iter(range(24))

    def slow(*_: Any) -> None:
        # While this one is still being looked at, the next one comes.
        if next(left, None) is not None:
            answer = app.test_client().post("/sign-in", data={"username": "city", "password": "guess"})
            statuses.append(answer.status_code)

    monkeypatch.setattr(people, "signed_in", slow)
    app.test_client().post("/sign-in", data={"username": "city", "password": "guess"})
    assert statuses.count(401) == FREE_TRIES["account"] - 1
    assert 429 in statuses


def test_an_address_from_which_many_sign_in_never_waits() -> None:
    throttle = Throttle()
    for number in range(3 * FREE_TRIES["address"]):
        assert throttle.begin(f"name-{number}", "10.0.0.1", 0) == 0
        throttle.succeeded(f"name-{number}", "10.0.0.1")
    assert not throttle._tries


def test_a_try_that_the_database_did_not_answer_is_no_guess(
    pages: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("SELECT", {}, Exception("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(people, "signed_in", away)
        for _ in range(FREE_TRIES["account"] + 1):
            answer = app.test_client().post("/sign-in", data={"username": "city", "password": PASSWORD})
            assert answer.status_code == 503
    answer = app.test_client().post("/sign-in", data={"username": "city", "password": PASSWORD})
    assert answer.status_code == 302


@pytest.mark.parametrize(
    ("username", "password"),
    [("a\0", "x"), ("city\0", PASSWORD), ("city", f"{PASSWORD}\0"), ("city\x1b", PASSWORD), ("\r\n", "\x9f")],
)
def test_a_control_character_is_a_failed_try_like_any_other(
    postgres_url: str, username: str, password: str
) -> None:
    from cylinder_trace.store.database import open_database

    database = open_database(postgres_url)
    try:
        world = World(database)
        with database.writing() as connection:
            people.put_account(connection, "city", PASSWORD, "n", "city", "")
        app = strict(database, world)
        app.config["WTF_CSRF_ENABLED"] = False
        client = app.test_client()
        tried = [
            client.post("/sign-in", data={"username": username, "password": password}).status_code
            for _ in range(FREE_TRIES["account"] + 1)
        ]
        assert tried == [401] * FREE_TRIES["account"] + [429]
    finally:
        database.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/v1/alerts?offset={HUGE}", 400),
        (f"/api/v1/alerts?severity={HUGE}", 400),
        ("/api/v1/alerts?district=%00", 400),
        ("/api/v1/alerts?offset=10000000", 200),
        (f"/alerts?page={HUGE}", 200),
        (f"/alerts?page=-{HUGE}", 200),
        (f"/alerts?severity={HUGE}", 200),
        ("/alerts?district=%00&site_id=%00x&status=%00", 200),
        ("/alerts/%00", 404),
    ],
)
def test_no_number_is_too_large_for_an_answer(app: Flask, signed_in: SignIn, path: str, status: int) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert signed_in("city").get(path).status_code == status
