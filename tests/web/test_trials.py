"""Trials of rules through the pages and the API: the city's only, one at a time, with numbers that are numbers."""

import pytest

from cylinder_trace import trying
from cylinder_trace.store import trials
from tests.web.conftest import SignIn
from tests.world import World, code, filled, ms, registered


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, pages: World) -> list[str]:
    """The trials that were started; each is run at once and here."""
    ids: list[str] = []

    def begin(_url: str, trial_id: str) -> None:
        ids.append(trial_id)
        assert trying.run(pages.database, trial_id, lambda: ms(48))

    monkeypatch.setattr(trying, "begin", begin)
    return ids


def overfilled(world: World) -> None:
    world.post([registered(code(1)), filled(code(1), 1, gas_mass_kg=15.1)])
    world.judge(2)


def test_the_city_tries_a_rule_and_reads_what_came_out(
    pages: World, signed_in: SignIn, started: list[str]
) -> None:
    overfilled(pages)
    city = signed_in("city")
    assert (
        "称重允差" in city.get("/trials?rule=overfill").text
        or "0.3" in city.get("/trials?rule=overfill").text
    )
    answer = city.post(
        "/trials", data={"rule": "overfill", "days": "30", "set.overfill.mass_tolerance_kg": "0.1"}
    )
    assert answer.headers["Location"] == f"/trials/{started[0]}"
    page = city.get(f"/trials/{started[0]}").text
    assert f"/cylinders/{code(1)}#e-" in page
    assert "新增" in page
    assert started[0] in city.get("/trials").text
    assert "0.1 kg" in signed_in("city", "en").get(f"/trials/{started[0]}").text


def test_the_api_starts_shows_and_lists_trials(pages: World, signed_in: SignIn, started: list[str]) -> None:
    overfilled(pages)
    city = signed_in("city")
    body = {"rules": ["overfill"], "thresholds": {"overfill.mass_tolerance_kg": 0.1}, "days": 7}
    answer = city.post("/api/v1/trials", json=body)
    assert (answer.status_code, answer.get_json()["state"]) == (202, "running")
    found = city.get(f"/api/v1/trials/{answer.get_json()['trial_id']}").get_json()
    assert found["result"]["rules"]["overfill"]["new"] == 1
    assert [one["trial_id"] for one in city.get("/api/v1/trials").get_json()["trials"]] == started
    assert city.get("/api/v1/trials/0").status_code == 404


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"rules": ["no_such"]}, "no_such_rule"),
        ({"thresholds": {"overfill.colour": 1}}, "no_such_threshold"),
        ({"days": 0}, "malformed"),
        ({"thresholds": {"overfill.mass_tolerance_kg": -1}}, "malformed"),
    ],
)
def test_what_can_not_be_tried_is_refused(
    signed_in: SignIn, started: list[str], body: dict[str, object], error: str
) -> None:
    answer = signed_in("city").post("/api/v1/trials", json=body)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert not started


def test_a_number_that_is_none_is_said_on_the_page(signed_in: SignIn, started: list[str]) -> None:
    city = signed_in("city")
    for data in (
        {"rule": "overfill", "set.overfill.mass_tolerance_kg": "much"},
        {"rule": "overfill", "set.overfill.mass_tolerance_kg": "nan"},
        {"rule": "overfill", "days": "0"},
    ):
        answer = city.post("/trials", data=data)
        assert answer.status_code == 400
        assert "数值不正确" in answer.text
    assert not started


def test_a_second_trial_waits_and_a_running_one_can_be_stopped(
    pages: World, signed_in: SignIn, started: list[str]
) -> None:
    with pages.database.writing() as connection:
        asked = trying.asked_of(["overfill"], {}, 30, ms(48))
        trial_id = trials.begin(connection, asked, "city", ms(48))
    city = signed_in("city")
    assert city.post("/api/v1/trials", json={}).status_code == 409
    answer = city.post("/trials", data={"rule": ""})
    assert answer.status_code == 409
    assert f"/trials/{trial_id}" in answer.text
    assert "refresh" in city.get(f"/trials/{trial_id}").text
    assert city.post(f"/api/v1/trials/{trial_id}/stop").get_json()["state"] == "stopped"
    city.post(f"/trials/{trial_id}/stop")
    assert "已停止" in city.get(f"/trials/{trial_id}").text


@pytest.mark.parametrize("name", ["minhang", "op-1"])
def test_nobody_but_the_city_tries_rules(signed_in: SignIn, started: list[str], name: str) -> None:
    browser = signed_in(name)
    assert browser.get("/trials").status_code == 404
    assert browser.post("/trials", data={"rule": "overfill"}).status_code == 404
    assert browser.get("/trials/x").status_code == 404
    for path in ("/api/v1/trials", "/api/v1/trials/0"):
        assert browser.get(path).status_code == 403
    assert browser.post("/api/v1/trials", json={}).status_code == 403
    assert browser.post("/api/v1/trials/0/stop").status_code == 403
    assert not started
