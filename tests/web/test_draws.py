"""Draws through the pages: planned, drawn, published and repeated; each for the district that makes them."""

import json
from pathlib import Path

import pytest

from cylinder_trace import cli
from cylinder_trace.judging.handling.draw import seed_of
from tests.web.conftest import SignIn
from tests.world import MINHANG, OTHER_STATION, STATION, World, code, filled, licensed, registered

ASKED = {"purpose": "节前检查", "number": "1", "inspectors_each": "1", "seed_from": "", "exclusions": ""}


@pytest.fixture
def overdue(pages: World) -> World:
    pages.post([registered(code(1), valid_until="2026-01-31"), filled(code(1), 1)])
    pages.judge(2)
    return pages


def test_a_district_draws_and_anybody_repeats_it_from_the_published_file(
    overdue: World, signed_in: SignIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    officer = signed_in("minhang")
    where = officer.post("/draws", data=ASKED).headers["Location"]
    page = officer.get(where).text
    assert "已抽取" in page
    assert f"{STATION} 点" in page
    published = tmp_path / "draw.json"
    published.write_bytes(officer.get(f"{where}.json").data)
    assert cli.main(["draw", "--input", str(published)]) == 0
    assert f"1  {STATION}  minhang" in capsys.readouterr().out
    assert officer.post(where, data={"public_value": "42"}).status_code == 400  # its seed was made by chance
    assert signed_in("songjiang").get(where).status_code == 404


def test_a_list_is_fixed_first_and_drawn_once_the_value_is_out(overdue: World, signed_in: SignIn) -> None:
    officer = signed_in("minhang", "en")
    where = officer.post("/draws", data=ASKED | {"seed_from": "closing index of 1 December"}).headers[
        "Location"
    ]
    assert "Fixed; waits for the value" in officer.get(where).text
    fixed = json.loads(officer.get(f"{where}.json").data)
    assert "result" not in fixed
    assert officer.post(where, data={"public_value": " "}).status_code == 400
    assert officer.post(where, data={"public_value": "3924.27"}).status_code == 302
    drawn = json.loads(officer.get(f"{where}.json").data)
    assert (drawn["seed"], drawn["ballot_sha256"]) == (seed_of("3924.27"), fixed["ballot_sha256"])
    again = officer.post(where, data={"public_value": "1"})
    assert again.status_code == 409
    assert "drawn once" in again.text


def test_the_weight_of_a_station_is_explained_by_links_to_its_records(
    overdue: World, signed_in: SignIn
) -> None:
    officer = signed_in("minhang")
    page = officer.get("/draws").text
    assert f"/alerts?status=open&amp;severity=1&amp;site_id={STATION}" in page
    assert f"/risk/{STATION}#visits" in page
    assert OTHER_STATION not in page
    risk = officer.get(f"/risk/{STATION}").text
    assert f"/cylinders/{code(1)}#e-" in risk
    assert officer.get(f"/risk/{OTHER_STATION}").status_code == 404
    assert signed_in("city").get(f"/risk/{OTHER_STATION}").status_code == 200


def test_a_station_with_a_self_declared_licence_is_drawn_whatever_the_lot_says(
    pages: World, signed_in: SignIn
) -> None:
    pages.post([licensed(STATION, 24) | {"granted_on": "self_declaration"}])
    pages.judge(25)
    officer = signed_in("minhang")
    assert "自我声明承诺" in officer.get(f"/risk/{STATION}").text
    where = officer.post("/draws", data=ASKED | {"number": "0"}).headers["Location"]
    result = json.loads(officer.get(f"{where}.json").data)["result"]
    assert [(one["station"], one["by_lot"]) for one in result] == [(STATION, False)]


def test_an_inspector_is_excluded_from_a_station_he_is_linked_to(pages: World, signed_in: SignIn) -> None:
    officer = signed_in("minhang")
    where = officer.post("/draws", data=ASKED | {"exclusions": f"minhang {STATION}\n"}).headers["Location"]
    assert json.loads(officer.get(f"{where}.json").data)["result"][0]["inspectors"] == ["minhang-2"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"number": "9"}, "number"),
        ({"number": "many"}, "number"),
        ({"inspectors_each": "9"}, "inspectors_each"),
        ({"exclusions": f"nobody {STATION}"}, "nobody"),
        ({"exclusions": f"minhang {STATION}\nminhang-2 {STATION}"}, STATION),
    ],
)
def test_what_can_not_be_drawn_is_said(
    overdue: World, signed_in: SignIn, asked: dict[str, str], said: str
) -> None:
    answer = signed_in("minhang").post("/draws", data=ASKED | asked)
    assert answer.status_code == 400
    assert said in answer.text


def test_a_visit_is_recorded_for_a_drawn_station_and_counts_as_carried_out(
    pages: World, signed_in: SignIn
) -> None:
    officer = signed_in("minhang")
    where = officer.post("/draws", data=ASKED).headers["Location"]
    visit = {"station": STATION, "day": "2026-05-06", "outcome": "faults", "note": "灭火器过期"}
    for wrong in ({"day": "2026-05-05"}, {"day": "2027-01-01"}, {"day": "soon"}, {"outcome": "fine"}):
        assert officer.post(f"{where}/visits", data=visit | wrong).status_code == 400
    assert officer.post(f"{where}/visits", data=visit | {"station": OTHER_STATION}).status_code == 404
    assert officer.post(f"{where}/visits", data=visit).status_code == 302
    assert "灭火器过期" in officer.get(where).text
    assert "灭火器过期" in officer.get(f"/risk/{STATION}").text
    figures = officer.get("/api/v1/figures?from=2026-05-01&to=2026-05-31").get_json()
    assert figures["total"]["execution"] == {"n": 1, "part": 1, "percent": 100.0}


def test_the_city_draws_for_the_district_it_chooses(overdue: World, signed_in: SignIn) -> None:
    city = signed_in("city")
    assert OTHER_STATION in city.get("/draws").text
    assert city.post("/draws", data=ASKED).status_code == 404
    where = city.post("/draws", data=ASKED | {"district": MINHANG}).headers["Location"]
    assert json.loads(city.get(f"{where}.json").data)["ballot"]["district"] == MINHANG


def test_a_station_reads_no_draw_and_no_risk(overdue: World, signed_in: SignIn) -> None:
    where = signed_in("minhang").post("/draws", data=ASKED).headers["Location"]
    station = signed_in("op-1")
    for path in ("/draws", where, f"{where}.json", f"/risk/{STATION}"):
        assert station.get(path).status_code == 404
    assert station.post("/draws", data=ASKED).status_code == 404


def test_the_api_gives_the_risk_with_its_reasons_and_draws_as_published(
    overdue: World, signed_in: SignIn
) -> None:
    officer = signed_in("minhang")
    where = officer.post("/draws", data=ASKED).headers["Location"]
    (station,) = officer.get("/api/v1/risk").get_json()["stations"]
    assert station["weight"] == sum(one["points"] for one in station["points"])
    assert all(one["link"].startswith("/") for one in station["points"])
    assert officer.get(f"/api/v1{where}").get_json() == json.loads(officer.get(f"{where}.json").data)
    assert [one["purpose"] for one in officer.get("/api/v1/draws").get_json()["draws"]] == ["节前检查"]
    assert signed_in("songjiang").get(f"/api/v1{where}").status_code == 404
    assert signed_in("songjiang").get("/api/v1/draws").get_json() == {"draws": []}
    for path, status in (("/api/v1/risk", 403), ("/api/v1/draws", 403), (f"/api/v1{where}", 404)):
        assert signed_in("op-1").get(path).status_code == status
