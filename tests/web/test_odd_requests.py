"""What nobody types but anybody can send is refused in words: it is no fault of the server's, and no address fails."""

import json

import pytest

from tests.web.conftest import SignIn
from tests.web.test_cases import fingerprint as fingerprint  # noqa: PLC0414 - a fixture
from tests.world import MINHANG, World, code

HUGE = 10**30


@pytest.mark.parametrize("body", ['{"rules": ["\\ud800"]}', '{"thresholds": {"\\ud800": 1}}'])
def test_half_a_character_is_refused_in_words(signed_in: SignIn, body: str) -> None:
    answer = signed_in("city").post("/api/v1/trials", data=body, content_type="application/json")
    assert answer.status_code == 400


def test_a_version_that_no_database_holds_is_malformed(signed_in: SignIn) -> None:
    body = json.dumps({"cylinders": {code(1): HUGE}, "state": "lost", "why": "x"})
    answer = signed_in("manager-1").post("/api/v1/duties/idle", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "malformed")


@pytest.mark.parametrize("about", [str(HUGE), "-1", "x"])
def test_a_letter_about_a_number_that_no_case_has_is_about_nothing(signed_in: SignIn, about: str) -> None:
    letter = {"kind": "remind", "district": MINHANG, "demands": "请核查", "due_day": "2026-05-20"}
    assert signed_in("city").post("/cases/letter", data=letter | {"about": about}).status_code == 404
    assert signed_in("city").post("/cases/letter", data=letter | {"about": ""}).status_code == 302


def test_a_snooze_to_a_day_before_any_law_is_refused_as_past(signed_in: SignIn, fingerprint: str) -> None:
    typed = {"episode": "1", "version": "0", "why": "x", "until": "0001-01-01"}
    assert signed_in("minhang").post(f"/alerts/{fingerprint}/snooze", data=typed).status_code == 409


def test_a_zero_character_is_kept_in_no_letter_and_no_draw(signed_in: SignIn, pages: World) -> None:
    letter = {"kind": "remind", "district": MINHANG, "demands": "请\0核查", "due_day": "2026-05-20"}
    made = signed_in("city").post("/cases/letter", data=letter)
    address = f"/api/v1{made.headers['Location']}"
    assert signed_in("city").get(address).get_json()["demands"] == "请核查"
    plan = {"purpose": "抽\0查", "number": "1", "inspectors_each": "1", "seed_from": "号\0码"}
    page = signed_in("minhang").post("/draws", data=plan).headers["Location"]
    kept = signed_in("minhang").get(f"/api/v1{page}").get_json()
    assert (kept["ballot"]["purpose"], kept["seed_from"]) == ("抽查", "号码")
