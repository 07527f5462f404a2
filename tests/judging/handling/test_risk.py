"""A station's risk is points that each say what they are of."""

from dataclasses import replace
from datetime import date

import pytest

from cylinder_trace.judging.handling.risk import Facts, Risk, risk
from cylinder_trace.judging.scan import local_day
from tests.world import LAW, MONDAY_MS

TODAY = date.fromordinal(local_day(MONDAY_MS))
CLEAN = Facts(days_since_visit=0)


def of(facts: Facts) -> Risk:
    return risk(facts, lambda key: LAW.number(key, TODAY))


def points(facts: Facts) -> dict[str, int]:
    return {one.what: one.points for one in of(facts).points}


def test_a_station_without_any_reason_can_be_drawn_all_the_same() -> None:
    assert points(CLEAN) == {"base": 10}
    assert of(CLEAN).weight == 10


@pytest.mark.parametrize(
    ("facts", "what", "number"),
    [
        (replace(CLEAN, open_alerts={1: 2, 3: 4}), "open_1", 20),
        (replace(CLEAN, open_alerts={1: 2, 3: 4}), "open_3", 4),
        (replace(CLEAN, open_alerts={1: 50}), "open_1", 60),  # at most so many for one reason
        (replace(CLEAN, fills=2000, unlawful_fills=3), "unlawful_fills", 3),
        (
            replace(CLEAN, fills=10_000_000, unlawful_fills=1000),
            "unlawful_fills",
            1,
        ),  # what is on record counts
        (replace(CLEAN, late_cases=(4, 4)), "late_rectification", 20),
        (replace(CLEAN, missing_records=3), "missing_records", 3),
        (replace(CLEAN, days_since_visit=89), "since_visit", 2),
        (replace(CLEAN, days_since_visit=None), "never_visited", 12),
        (replace(CLEAN, declared_licence="e"), "declared_licence", 20),
    ],
)
def test_each_reason_has_its_points(facts: Facts, what: str, number: int) -> None:
    assert points(facts)[what] == number


def test_the_weight_is_the_sum_of_what_is_shown() -> None:
    everything = Facts({1: 1, 2: 1, 3: 1}, 1000, 1, (1,), 1, 40, "e")
    its = of(everything)
    assert its.weight == sum(one.points for one in its.points) == 10 + 10 + 3 + 1 + 2 + 10 + 1 + 1 + 20


def test_a_self_declared_licence_that_nobody_checked_is_always_inspected() -> None:
    assert of(replace(CLEAN, declared_licence="e")).always
    assert not of(CLEAN).always


def test_fills_of_which_none_is_counted_are_no_division_by_nothing() -> None:
    assert "unlawful_fills" not in points(replace(CLEAN, unlawful_fills=2, fills=0))
