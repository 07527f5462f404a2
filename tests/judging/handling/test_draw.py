"""A draw that anybody can repeat: the same list from the same seed, by nothing but SHA-256 and whole numbers."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace import cli
from cylinder_trace.judging.handling.draw import (
    ALGORITHM,
    Ballot,
    Candidate,
    Exclusion,
    UnusableBallot,
    ballot_of,
    draw,
    lot,
    seed_of,
)

STATIONS = tuple(Candidate(f"ST{number:02d}", weight) for number, weight in enumerate((1, 5, 10, 40, 3, 8)))
INSPECTORS = ("chen", "li", "wang", "zhao")
BALLOT = Ballot("310112", "春节前检查", 3, 2, (*STATIONS, Candidate("ST90", 1, always=True)), INSPECTORS,
                (Exclusion("li", "ST03"),))  # fmt: skip
SEED = seed_of("2026-12-01 上证指数收盘 3924.27")


def by_hand(ballot: Ballot, seed: str) -> list[str]:
    """The stations as the docstring describes the draw, written a second time with nothing of ours."""
    pot = {one.id: one.weight for one in sorted(ballot.stations, key=lambda one: one.id) if not one.always}
    drawn = sorted(one.id for one in ballot.stations if one.always)
    for number in range(1, ballot.number + 1):
        tickets = [station for station, weight in pot.items() for _ in range(weight)]
        digest = hashlib.sha256(f"{seed}|station|{number}".encode()).hexdigest()
        drawn.append(tickets[int(digest, 16) * len(tickets) // 2**256])
        del pot[drawn[-1]]
    return drawn


def test_the_draw_of_this_seed_is_this_list_on_every_machine_and_python() -> None:
    """Written down once: whoever changes the algorithm changes its name."""
    assert ALGORITHM == "cylinder-trace-lots-1"
    assert [(one.station, one.inspectors) for one in draw(BALLOT, SEED)] == EXPECTED
    assert BALLOT.sha256 == EXPECTED_SHA256


EXPECTED = [
    ("ST90", ("zhao", "li")),
    ("ST03", ("wang", "chen")),
    ("ST04", ("li", "wang")),
    ("ST02", ("chen", "zhao")),
]
EXPECTED_SHA256 = "239c004ba2f08ac14e0c3ea4d5a513cc712da89c1e64050271076f59993f4621"


@given(st.text(max_size=20), st.integers(0, 6))
def test_it_is_the_lottery_that_the_text_describes(seed: str, number: int) -> None:
    ballot = Ballot("310112", "", number, 1, BALLOT.stations, INSPECTORS)
    assert [one.station for one in draw(ballot, seed)] == by_hand(ballot, seed)


@given(st.text(max_size=20), st.permutations(BALLOT.stations), st.permutations(INSPECTORS))
def test_the_order_in_which_candidates_are_listed_changes_nothing(
    seed: str, stations: list[Candidate], inspectors: list[str]
) -> None:
    shuffled = Ballot(
        BALLOT.district, BALLOT.purpose, 3, 2, tuple(stations), tuple(inspectors), BALLOT.exclusions
    )
    assert draw(shuffled, seed) == draw(BALLOT, seed)
    assert shuffled.sha256 == BALLOT.sha256


@given(st.text(max_size=20))
def test_an_inspector_is_not_drawn_for_a_station_he_is_linked_to(seed: str) -> None:
    everywhere = Ballot(
        "310112", "", 6, 2, STATIONS, INSPECTORS, (Exclusion("li", "ST03"), Exclusion("li", "ST01"))
    )
    for one in draw(everywhere, seed):
        assert len(set(one.inspectors)) == 2
        assert one.station not in {"ST03", "ST01"} or "li" not in one.inspectors


@given(st.text(max_size=20))
def test_the_work_is_shared_evenly_where_nobody_is_excluded(seed: str) -> None:
    load = Counter(
        who for one in draw(Ballot("310112", "", 6, 2, STATIONS, INSPECTORS), seed) for who in one.inspectors
    )
    assert set(load.values()) == {3}


def test_a_station_that_is_always_visited_is_in_every_draw_and_takes_no_ones_place() -> None:
    for number in range(50):
        drawn = draw(BALLOT, str(number))
        assert (drawn[0].station, drawn[0].by_lot) == ("ST90", False)
        assert len(drawn) == 4


def test_stations_come_as_often_as_their_weight_says() -> None:
    one_of = Ballot("310112", "", 1, 0, STATIONS, ())
    times = Counter(draw(one_of, str(number))[0].station for number in range(6700))
    for station in STATIONS:
        assert abs(times[station.id] - 100 * station.weight) < 5 * (100 * station.weight) ** 0.5 + 20


def test_a_lot_is_always_one_of_the_tickets() -> None:
    assert {lot("s", str(number), 3) for number in range(100)} == {0, 1, 2}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"number": 7}, "can not be drawn"),
        ({"inspectors_each": 5}, "inspectors_each"),
        ({"exclusions": [{"inspector": who, "station": "ST03"} for who in INSPECTORS[:3]]}, "station ST03"),
        ({"stations": [{"id": "a", "weight": 0}]}, "weight"),
        ({"stations": [{"id": "a", "weight": 1.5}]}, "whole number"),
        ({"stations": [{"id": "a", "weight": 1}] * 2}, "twice"),
        ({"stations": ["a"]}, "as published"),
        ({"more": 1}, "no others"),
    ],
)
def test_what_can_not_be_drawn_from_is_refused_by_name(change: dict[str, object], said: str) -> None:
    with pytest.raises(UnusableBallot, match=said):
        ballot_of(BALLOT.as_json() | change)


def published(folder: Path, **changes: object) -> Path:
    whole = {
        "ballot": BALLOT.as_json(),
        "ballot_sha256": BALLOT.sha256,
        "algorithm": ALGORITHM,
        "seed": SEED,
        "result": [one.as_json() for one in draw(BALLOT, SEED)],
    }
    path = folder / "draw.json"
    path.write_text(json.dumps(whole | changes, ensure_ascii=False), "utf-8")
    return path


def test_the_command_draws_the_published_list_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["draw", "--input", str(published(tmp_path))]) == 0
    said = capsys.readouterr().out
    assert "the published list is the same" in said
    assert all(f"{one.station}  {' '.join(one.inspectors)}" in said for one in draw(BALLOT, SEED))


def test_the_command_draws_from_a_ballot_and_the_public_value_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ballot.json"
    path.write_text(BALLOT.text, "utf-8")
    assert (
        cli.main(["draw", "--input", str(path), "--public-value", " 2026-12-01 上证指数收盘 3924.27\n"]) == 0
    )
    assert SEED in capsys.readouterr().out
    assert cli.main(["draw", "--input", str(path)]) == 2
    assert "names no seed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"result": []}, "list is another"),
        ({"ballot": BALLOT.as_json() | {"number": 2}}, "SHA-256 was published"),
        ({"public_value": "another"}, "does not make this seed"),
    ],
)
def test_a_published_list_that_was_altered_is_said_to_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], said: str
) -> None:
    assert cli.main(["draw", "--input", str(published(tmp_path, **changes))]) == 1
    assert said in capsys.readouterr().out
