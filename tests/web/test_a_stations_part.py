"""What a station's people read of a cylinder they have scanned: what it is, and their own site's part of its life."""

import json
from typing import Any

import pytest
from flask import Flask

from tests.web.conftest import SignIn
from tests.world import (
    CUSTOMERS,
    DEPOT,
    OTHER_STATION,
    STATION,
    World,
    code,
    corrected,
    filled,
    made,
    moved,
    registered,
    well_filled,
)

AT_A_DESK: dict[str, Any] = {"authority": "闵行区市场监管局", "operator_id": "officer-9"}
AT_A_DESK |= {"site_id": None, "device_id": None, "device_seq": None}


@pytest.fixture
def life(pages: World) -> list[dict[str, Any]]:
    """A bottle that two stations, a depot and two customers had; it is at the second customer's."""
    which = code(1)
    events = [
        registered(which, valid_until="2026-01-31"),
        *well_filled(which, 1),
        moved("deliver", which, 2, STATION, CUSTOMERS[0]) | {"lat": 31.1, "lon": 121.3},
        moved("return", which, 3, CUSTOMERS[0], DEPOT),
        made("inspect", 4, cylinder_code=which, result="pass", valid_until="2030-05-31", site_id="inspectors")
        | {"operator_id": "inspector-7", "inspector_id": "inspector-8"},
        made("hold", 5, cylinder_code=which, document_no="封-1", **AT_A_DESK),
        made("release", 6, cylinder_code=which, **AT_A_DESK),
        filled(which, 7, site_id=OTHER_STATION, operator_id="op-2", lat=31.2, lon=121.4),
        moved("deliver", which, 8, DEPOT, CUSTOMERS[1]) | {"customer": "P-77", "operator_id": "driver-5"},
    ]
    pages.post(events)
    pages.judge(10)
    pages.sweep(40)
    return events


def read_by(browser: Any) -> dict[str, str]:
    """All a person can read of the cylinder, by where."""
    api = f"/api/v1/cylinders/{code(1)}"
    paths = [f"/cylinders/{code(1)}?events=open&legs=all", api, f"{api}/history", f"{api}/trail"]
    answers = {path: browser.get(path) for path in paths}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {path: answer.text for path, answer in answers.items()}


ELSEWHERE = [
    "op-2",
    "driver-5",
    "inspector-7",
    "inspector-8",
    "officer-9",
    "P-77",
    CUSTOMERS[1],
    "inspectors",
]
COORDINATES = ["31.1", "121.3", "31.2", "121.4"]


def test_a_station_reads_nothing_that_other_sites_recorded(
    signed_in: SignIn, life: list[dict[str, Any]]
) -> None:
    seen = {name: read_by(signed_in(name)) for name in ("op-1", "minhang", "city")}
    for path, text in seen["op-1"].items():
        assert not [word for word in [*ELSEWHERE, *COORDINATES, "customer-1 点"] if word in text], path
    # To whom it delivered itself it knows, by district and not by name.
    assert "闵行区用户" in seen["op-1"][f"/cylinders/{code(1)}?events=open&legs=all"]
    assert "闵行区用户" in seen["op-1"][f"/api/v1/cylinders/{code(1)}/trail"]
    for name in ("minhang", "city"):
        whole = "".join(seen[name].values())
        assert not [word for word in [*ELSEWHERE, *COORDINATES] if word not in whole]
        assert all(event["event_id"] in whole for event in life)


def test_a_station_reads_its_own_events_and_those_of_offices(
    signed_in: SignIn, life: list[dict[str, Any]]
) -> None:
    history = signed_in("op-1").get(f"/api/v1/cylinders/{code(1)}/history").get_json()
    assert history["own_site_only"] is True
    own = [event["event_id"] for event in life if event.get("site_id", STATION) == STATION]
    read = [one["event"]["event_id"] for one in history["events"]]
    assert sorted(read) == sorted(own)
    assert len(own) == 7
    fill = next(one["event"] for one in history["events"] if one["event"]["kind"] == "fill")
    assert fill == next(event for event in life if event["kind"] == "fill")


def test_a_stations_trail_has_the_legs_that_begin_or_end_there(
    signed_in: SignIn, life: list[dict[str, Any]]
) -> None:
    trails = {
        name: signed_in(name).get(f"/api/v1/cylinders/{code(1)}/trail").get_json()
        for name in ("op-1", "op-2", "city")
    }
    ends = {name: [{link["source"], link["target"]} for link in one["links"]] for name, one in trails.items()}
    assert len(ends["city"]) > len(ends["op-1"])
    assert ends["op-1"]
    assert all(STATION in both for both in ends["op-1"])
    assert all(OTHER_STATION in both for both in ends["op-2"])


def test_what_a_cylinder_is_stays_open_and_where_it_is_does_not(
    pages: World, signed_in: SignIn, life: list[dict[str, Any]]
) -> None:
    path = f"/api/v1/cylinders/{code(1)}"
    station, city = (signed_in(name).get(path).get_json() for name in ("op-1", "city"))
    for name in (
        "owner_id",
        "cylinder_class",
        "medium",
        "model",
        "valid_until",
        "life_end",
        "status",
        "codes",
    ):
        assert station[name] == city[name]
    assert city["site_id"] == CUSTOMERS[1]
    assert (station["site_id"], station["last_seen_at"], station["last_filled_at"]) == (None, None, None)
    page = signed_in("op-1").get(f"/cylinders/{code(1)}").text
    assert "当前位置" not in page
    # The term that an inspector elsewhere gave is what the cylinder is: no bar may call it overdue.
    assert "有效期至 2030-05-31" in page
    pages.post([made("observe", 20, cylinder_code=code(1))])
    pages.judge(21)
    back = signed_in("op-1").get(path).get_json()
    assert back["last_seen_at"] is not None
    assert back["last_filled_at"] is None


def test_the_page_says_in_both_languages_that_it_is_a_part(
    signed_in: SignIn, life: list[dict[str, Any]]
) -> None:
    for lang, words in (("zh", "仅显示本单位的记录"), ("en", "Only your own site&#39;s records")):
        seen = {
            name: signed_in(name, lang).get(f"/cylinders/{code(1)}").text
            for name in ("op-1", "minhang", "city")
        }
        assert {name for name, page in seen.items() if words in page} == {"op-1"}


def test_a_scan_by_another_station_opens_that_stations_part_only(
    signed_in: SignIn, life: list[dict[str, Any]]
) -> None:
    text = "".join(read_by(signed_in("op-2")).values())
    assert not [
        word for word in (CUSTOMERS[0], CUSTOMERS[1], "op-1", "31.2", "driver-5") if f'"{word}"' in text
    ]


def test_the_evidence_of_an_alert_names_nobody_of_another_site(pages: World, signed_in: SignIn) -> None:
    which = code(1)
    here = filled(which, 1.05, site_id=OTHER_STATION, operator_id="op-2")
    elsewhere = filled(which, 1, lat=31.2)
    pages.post([registered(which), elsewhere, here])
    pages.judge(3)
    [row] = signed_in("op-2").get("/api/v1/alerts?rule=double_fill").get_json()["alerts"]
    assert elsewhere["event_id"] in row["evidence"]
    station, city = (signed_in(name).get(f"/alerts/{row['fingerprint']}").text for name in ("op-2", "city"))
    for page in (station, city):
        assert elsewhere["event_id"] in page  # that it was filled is what the alert is about
        assert "<dd>op-2</dd>" in page
    for word in ("<dd>op-1</dd>", "<dd>31.2</dd>"):
        assert word in city
        assert word not in station


@pytest.mark.parametrize("name", ["city", "minhang", "op-1"])
def test_a_correction_that_names_no_cylinder_leaves_every_page_standing(
    pages: World, app: Flask, signed_in: SignIn, name: str
) -> None:
    wrong = filled(code(1), 1)
    pages.post([registered(code(1), valid_until="2026-01-31"), wrong])
    pages.judge(2)
    nameless = {key: value for key, value in corrected(wrong, 3).items() if key != "cylinder_code"}
    assert pages.post([nameless]).stored == 1
    pages.judge(4)
    browser = signed_in(name)
    assert json.dumps(nameless["event_id"]) in "".join(read_by(browser).values())
    page = browser.get(f"/cylinders/{code(1)}").text
    assert f'href="#e-{nameless["event_id"]}"' in page
    [row] = browser.get("/api/v1/alerts?rule=fill_overdue").get_json()["alerts"]
    for path in ("/", "/alerts?status=", f"/alerts/{row['fingerprint']}", f"/c/{code(1)}", "/health"):
        assert browser.get(path).status_code == 200, path
