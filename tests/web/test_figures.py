"""The figures as regulators read them: their own scope, each share with its number, and the same in the workbook."""

from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from cylinder_trace import acting
from cylinder_trace.acting import Wish
from cylinder_trace.store import alerts
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.handling import Looked
from cylinder_trace.store.people import Person
from cylinder_trace.web.drawings.columns import columns
from tests.web.conftest import SignIn
from tests.world import MINHANG, World, code, filled, ms, registered

MAY = "from=2026-05-01&to=2026-05-31"


@pytest.fixture
def closed(pages: World) -> World:
    """Three overdue fills: one said to be handled, one a false alarm, one still open."""
    for number in (1, 2, 3):
        pages.post([registered(code(number), valid_until="2026-01-31"), filled(code(number), 1)])
    pages.judge(1)
    person = Person("minhang", "某", "officer", Scope("district", MINHANG))
    with pages.database.writing() as connection:
        _, rows = alerts.listed(connection, Scope("city"), {"rule": "fill_overdue"}, 10)
        reference = pages.cache.read(connection)
        for row, verdict in zip(rows, ("handled", "false_alarm"), strict=False):
            wish = Wish("closed", why="查实", verdict=verdict)
            acting.act(connection, person, row["fingerprint"], Looked(1, 0), wish, reference, ms(5))
    return pages


def test_the_api_gives_each_share_with_its_number(closed: World, signed_in: SignIn) -> None:
    found = signed_in("city").get(f"/api/v1/figures?{MAY}").get_json()
    its = found["by_rule"]["fill_overdue"]
    assert its["false_alarms"] == {"n": 2, "part": 1, "percent": 50.0}
    assert its["closure"] == {"n": 3, "part": 2, "percent": 66.7}
    assert its["median_hours"]["close"] == {"hours": 4.0, "n": 2}
    assert found["by_district"].keys() == {MINHANG}
    assert {one["day"]: one["opened"] for one in found["by_day"] if one["opened"]}.keys() == {"2026-05-04"}


def test_the_page_says_what_the_api_says_in_either_language(closed: World, signed_in: SignIn) -> None:
    for lang, words in (
        ("zh", ("误报率", "50.0%", "1 / 2", "闵行区")),
        ("en", ("False alarms", "1 of 2", "Minhang")),
    ):
        page = signed_in("minhang", lang).get(f"/figures?{MAY}").text
        assert all(word in page for word in words)


def test_a_district_reads_its_own_figures_and_a_station_none(closed: World, signed_in: SignIn) -> None:
    theirs = signed_in("songjiang").get(f"/api/v1/figures?{MAY}").get_json()
    assert (theirs["total"]["alerts"], theirs["cylinders"], theirs["by_rule"]) == (0, 0, {})
    assert "没有预警" in signed_in("songjiang").get(f"/figures?{MAY}").text
    assert signed_in("op-1").get(f"/api/v1/figures?{MAY}").status_code == 403
    for path in ("/figures", "/figures.xlsx"):
        assert signed_in("op-1").get(path).status_code == 404


@pytest.mark.parametrize(
    "asked",
    ["from=2026-05-31&to=2026-05-01", "from=2020-01-01&to=2026-05-01", "from=0001-01-01&to=0001-01-02"],
)
def test_days_out_of_order_or_too_many_are_refused_in_words(
    pages: World, signed_in: SignIn, asked: str
) -> None:
    assert signed_in("city").get(f"/figures?{asked}").status_code == 400
    assert "366" in signed_in("city").get(f"/figures?{asked}").text
    answer = signed_in("city").get(f"/api/v1/figures?{asked}")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "period")
    assert signed_in("city").get("/figures?from=yesterday").status_code == 400
    assert signed_in("city").get("/figures.xlsx?from=yesterday").status_code == 400


def test_the_workbook_holds_the_same_numbers_and_how_they_are_reckoned(
    closed: World, signed_in: SignIn
) -> None:
    answer = signed_in("city").get(f"/figures.xlsx?{MAY}")
    assert "figures-2026-05-01-2026-05-31.xlsx" in answer.headers["Content-Disposition"]
    book = load_workbook(BytesIO(answer.data))
    head, *rows = book["按规则"].iter_rows(values_only=True)
    its = dict(
        zip(
            (str(name).split("\n")[1] for name in head),
            next(row for row in rows if row[0] == "超期未检充装"),
            strict=True,
        )
    )
    assert (its["Alerts"], its["False alarms, %"], its["False alarms: of how many"]) == (3, 50, 2)
    assert its["To the end, median h"] == 4
    assert "撤回不等于误报" in "".join(
        str(cell) for row in book.worksheets[2].iter_rows(values_only=True) for cell in row
    )


def test_the_columns_say_their_numbers_and_what_is_open_is_not_told_by_colour_alone() -> None:
    picture = str(columns([(date(2026, 5, 4), 3, 1), (date(2026, 5, 5), 0, 0)], "zh"))
    assert "2026-05-04 · 预警 3 · 未结 1" in picture
    assert picture.count("url(#open)") == 1
    assert columns([], "en")
