"""The network's API: who reads what of a neighbourhood, of a recall list, and of where cylinders came from."""

import pytest

from tests.web.conftest import SignIn
from tests.world import (
    CUSTOMERS,
    DEPOT,
    FAR_CUSTOMER,
    STATION,
    World,
    code,
    moved,
    registered,
    well_filled,
)

NETWORK = "/api/v1/network"
WEEK = "from_day=2026-05-04&to_day=2026-05-10"


@pytest.fixture(autouse=True)
def week(pages: World) -> None:
    """Two cylinders are filled and delivered, one of them out of the district; the third stays at the depot."""
    events = []
    for number, goal in ((1, CUSTOMERS[0]), (2, FAR_CUSTOMER), (3, None)):
        events += [registered(code(number)), *well_filled(code(number), number)]
        events += [
            moved("ship", code(number), 4 + number, STATION, DEPOT),
            moved("receive", code(number), 5 + number, STATION, DEPOT),
        ]
        if goal:
            events.append(moved("deliver", code(number), 9 + number, DEPOT, goal))
    pages.post(events)
    pages.judge(20)


def test_a_neighbourhood_at_one_hop_ends_at_the_neighbours(signed_in: SignIn) -> None:
    found = signed_in("city").get(f"{NETWORK}/neighbourhood?site={STATION}&{WEEK}&hops=1").get_json()
    assert [(one["source"], one["target"], one["n"]) for one in found["links"]] == [(STATION, DEPOT, 3)]
    assert found["links"][0]["first_day"] == found["links"][0]["last_day"] == "2026-05-04"
    assert {one["id"]: one["type"] for one in found["nodes"]} == {STATION: "filling_station", DEPOT: "depot"}


def test_at_two_hops_it_reaches_the_customers_and_tells_the_balance_of_what_lies_between(
    signed_in: SignIn,
) -> None:
    found = signed_in("city").get(f"{NETWORK}/neighbourhood?site={STATION}&{WEEK}").get_json()
    assert {one["target"] for one in found["links"]} == {DEPOT, CUSTOMERS[0], FAR_CUSTOMER}
    assert found["balances"] == [
        {"site": STATION, "came": 0, "left": 3, "net": -3},
        {"site": DEPOT, "came": 3, "left": 2, "net": 1},
    ]


def test_a_district_sees_the_streams_that_touch_it(signed_in: SignIn) -> None:
    found = signed_in("songjiang").get(f"{NETWORK}/neighbourhood?site={STATION}&{WEEK}").get_json()
    assert [(one["source"], one["target"]) for one in found["links"]] == [(DEPOT, FAR_CUSTOMER)]
    assert found["balances"] == []


def test_a_station_sees_its_own_streams_and_no_site_but_itself(signed_in: SignIn) -> None:
    own = signed_in("op-1")
    found = own.get(f"{NETWORK}/neighbourhood?site={STATION}&{WEEK}").get_json()
    assert (found["hops"], [one["target"] for one in found["links"]]) == (1, [DEPOT])
    for asked in ("neighbourhood", "forward", "backward"):
        answer = own.get(f"{NETWORK}/{asked}?site={DEPOT}&{WEEK}")
        assert (answer.status_code, answer.get_json()["error"]) == (404, "unknown_site")


def test_a_limit_keeps_the_busiest_streams_and_says_how_many_there_are(signed_in: SignIn) -> None:
    found = signed_in("city").get(f"{NETWORK}/neighbourhood?site={STATION}&{WEEK}&limit=1").get_json()
    assert [(one["source"], one["target"]) for one in found["links"]] == [(STATION, DEPOT)]
    assert (found["edges_in_all"], found["edges_shown"]) == (3, 1)


def test_a_recall_list_says_where_everything_is_that_was_filled(signed_in: SignIn) -> None:
    found = signed_in("city").get(f"{NETWORK}/forward?site={STATION}&{WEEK}").get_json()
    assert found["fills"] == 3
    assert {one["cylinder_id"]: one["site"] for one in found["rows"]} == {
        code(1): CUSTOMERS[0],
        code(2): FAR_CUSTOMER,
        code(3): DEPOT,
    }
    first = found["rows"][0]
    assert first["holds_it"]
    assert first["since"] == "2026-05-04T10:00:00+00:00"
    assert [(leg["from"], leg["to"]) for leg in first["way"]] == [(STATION, DEPOT), (DEPOT, CUSTOMERS[0])]
    assert all(leg["events"][0] for leg in first["way"])


def test_a_recall_list_is_told_by_day(signed_in: SignIn) -> None:
    asked = f"{NETWORK}/forward?site={STATION}&from_day=2026-05-05&to_day=2026-05-10"
    assert signed_in("city").get(asked).get_json() == {"site": STATION, "fills": 0, "rows": []}


def test_a_cylinder_filled_again_is_on_the_list_and_holds_that_gas_no_more(
    pages: World, signed_in: SignIn
) -> None:
    pages.post(well_filled(code(3), 30))
    pages.judge(31)
    rows = signed_in("city").get(f"{NETWORK}/forward?site={STATION}&{WEEK}").get_json()["rows"]
    assert [one["holds_it"] for one in rows if one["cylinder_id"] == code(3)] == [False, True]


def test_a_district_reads_of_anothers_recall_list_what_is_in_it_now(signed_in: SignIn) -> None:
    rows = signed_in("songjiang").get(f"{NETWORK}/forward?site={STATION}&{WEEK}").get_json()["rows"]
    assert [one["cylinder_id"] for one in rows] == [code(2)]


def test_a_station_does_not_read_where_else_its_cylinders_are(signed_in: SignIn) -> None:
    rows = signed_in("op-1").get(f"{NETWORK}/forward?site={STATION}&{WEEK}").get_json()["rows"]
    assert {one["site"] for one in rows} == {None}
    assert {(leg["from"], leg["to"]) for one in rows for leg in one["way"]} == {(STATION, DEPOT)}


def test_what_is_at_a_site_is_traced_back_to_its_fill(signed_in: SignIn) -> None:
    found = signed_in("minhang").get(f"{NETWORK}/backward?site={CUSTOMERS[0]}").get_json()
    (row,) = found["rows"]
    assert found["cylinders"] == 1
    assert (row["cylinder_id"], row["fill"]["site"]) == (code(1), STATION)
    assert [leg["to"] for leg in row["way"]] == [DEPOT, CUSTOMERS[0]]
    assert signed_in("songjiang").get(f"{NETWORK}/backward?site={CUSTOMERS[0]}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        (f"neighbourhood?site={STATION}&from_day=2026-05-10&to_day=2026-05-04", 400, "empty_window"),
        (f"forward?site={STATION}&from_day=2024-01-01&to_day=2026-05-04", 400, "window_too_long"),
        (f"neighbourhood?site=nowhere&{WEEK}", 404, "unknown_site"),
        (f"neighbourhood?site={STATION}&{WEEK}&hops=3", 400, "malformed"),
        (f"forward?site={STATION}&from_day=yesterday&to_day=2026-05-04", 400, "malformed"),
        ("backward?site=nowhere", 404, "unknown_site"),
    ],
)
def test_what_can_not_be_answered_is_said(signed_in: SignIn, asked: str, status: int, error: str) -> None:
    answer = signed_in("city").get(f"{NETWORK}/{asked}")
    assert (answer.status_code, answer.get_json()["error"]) == (status, error)


def test_nobody_reads_it_without_signing_in(signed_in: SignIn) -> None:
    for asked in (
        f"neighbourhood?site={STATION}&{WEEK}",
        f"forward?site={STATION}&{WEEK}",
        "backward?site=x",
    ):
        assert signed_in("nobody").get(f"{NETWORK}/{asked}").status_code == 401
