"""A scan through the operator's page: recorded once, for the own station and name, or refused with words."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from cylinder_trace.store import ledger
from cylinder_trace.web.pages.operator import ACTIONS
from tests.web.conftest import SignIn
from tests.world import STATION, World, code, ms


def on_record(world: World) -> int:
    with world.database.reading() as connection:
        return len(ledger.of_codes(connection, [code(1)]))


def scanned(**changes: Any) -> dict[str, Any]:
    at = datetime.fromtimestamp(ms(47) / 1000, UTC)
    return {
        "action": "observe",
        "code": code(1),
        "event_id": str(uuid4()),
        "occurred_at": at.isoformat(),
    } | changes


@pytest.mark.parametrize("missing", ["reason", "approved_by", "overrides"])
def test_nobody_lets_a_fill_go_on_without_a_reason_and_a_name(
    pages: World, signed_in: SignIn, missing: str
) -> None:
    whole = {"overrides": ["unregistered"], "reason": "已核对", "approved_by": "值班站长"}
    for blank in (None, " " if missing != "overrides" else []):
        sent = scanned(action="override", **whole | {missing: blank})
        receipt = signed_in("op-1").post("/scan", json=sent).get_json()["receipt"]
        assert receipt["status"] == "refused"
    assert on_record(pages) == 0
    answer = signed_in("op-1").post("/scan", json=scanned(action="override", **whole)).get_json()
    assert answer["receipt"]["findings"] == ["override_used"]


def test_a_medium_that_the_tables_do_not_have_is_no_question(pages: World, signed_in: SignIn) -> None:
    answer = signed_in("op-1").post("/scan", json=scanned(action="check", medium="wine"))
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "unknown_medium"


def test_a_scan_sent_twice_is_one_event(pages: World, signed_in: SignIn, app: Flask) -> None:
    browser, scan = signed_in("op-1"), scanned()
    first = browser.post("/scan", json=scan).get_json()["receipt"]
    # The answer was lost on the way, and the browser sends it again a minute later.
    here = app.extensions["cylinder_trace"]
    app.extensions["cylinder_trace"] = type(here)(
        here.database, here.cache, here.settings, lambda: ms(48) + 60_000
    )
    again = browser.post("/scan", json=scan).get_json()["receipt"]
    assert (first["status"], again["status"]) == ("stored", "duplicate")
    assert first["leaf_hash"] == again["leaf_hash"]
    assert on_record(pages) == 1


def test_an_operator_records_for_the_own_station_and_name_only(pages: World, signed_in: SignIn) -> None:
    browser = signed_in("op-1")
    browser.post("/scan", json=scanned(site_id="station-2", operator_id="op-2", device_id="gun-1"))
    with pages.database.reading() as connection:
        [entry] = ledger.of_codes(connection, [code(1)])
    assert (entry.site_id, entry.message["operator_id"], entry.device_id) == (STATION, "op-1", "web-op-1")


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "vanish", "code": code(1)},
        {"action": "check", "code": code(1), "medium": "no medium!"},
        {"action": "fill", "code": 7},
        {"action": ["fill"], "code": code(1)},
        ["fill", code(1)],
        {"action": "fill", "code": "https://example.org"},
    ],
)
def test_a_scan_that_can_not_be_read_is_refused_with_words(signed_in: SignIn, sent: Any) -> None:
    answer = signed_in("op-1").post("/scan", json=sent)
    assert answer.status_code == 400
    assert answer.get_json()["zh"]


@pytest.mark.parametrize(
    "bad",
    [
        {"occurred_at": "yesterday"},
        {"occurred_at": 7},
        {"event_id": "x"},
        {"occurred_at": (datetime.now(UTC) + timedelta(days=900)).isoformat()},
    ],
)
def test_a_scan_with_an_impossible_field_is_answered_as_refused(
    pages: World, signed_in: SignIn, bad: dict[str, Any]
) -> None:
    answer = signed_in("op-1").post("/scan", json=scanned(**bad))
    assert answer.get_json()["receipt"]["status"] == "refused"
    assert on_record(pages) == 0


def test_who_belongs_to_no_station_records_nothing(pages: World, signed_in: SignIn) -> None:
    for action in ("check", *ACTIONS):
        assert signed_in("minhang").post("/scan", json=scanned(action=action)).status_code == 403
    assert on_record(pages) == 0


def test_what_was_found_is_told_by_name_and_not_by_a_rules_id(signed_in: SignIn) -> None:
    answer = signed_in("op-1").post("/scan", json=scanned()).get_json()
    assert answer["receipt"]["findings"] == ["unregistered"]
    assert answer["findings"] == [{"zh": "未登记气瓶流通", "en": "Not in the register"}]
    reason = signed_in("op-1").post("/scan", json=scanned(action="check")).get_json()["verdict"]["reasons"][0]
    assert reason["law_zh"][1] == "《上海市燃气管理条例》第二十二条（未经核实）"
