"""Working days follow the State Council's notices, and terms are counted in them."""

from datetime import date, timedelta

import pytest

from cylinder_trace.law.calendar import add_working_days, is_published, is_working_day, next_working_day
from cylinder_trace.law.tables import load

LAW = load()


def works(day: str) -> bool:
    return is_working_day(LAW, date.fromisoformat(day).toordinal())


@pytest.mark.parametrize(
    ("day", "is_worked"),
    [
        ("2026-09-30", True),
        ("2026-10-01", False),  # National Day, a Thursday
        ("2026-10-07", False),  # its last day, a Wednesday
        ("2026-10-08", True),
        ("2026-10-10", True),  # a Saturday that is worked instead
        ("2026-10-11", False),  # a Sunday like any other
        ("2026-02-14", True),  # the Saturday before Spring Festival
        ("2026-02-16", False),
        ("2025-09-28", True),  # a Sunday that is worked instead
        ("2025-10-08", False),
        ("2026-11-24", True),
        ("2026-11-28", False),
    ],
)
def test_offices_work_as_the_notice_for_the_year_says(day: str, is_worked: bool) -> None:
    assert works(day) is is_worked


@pytest.mark.parametrize(("year", "worked"), [(2025, 248), (2026, 248)])
def test_a_year_has_as_many_working_days_as_were_published(year: int, worked: int) -> None:
    first = date(year, 1, 1)
    days = [first + timedelta(days=number) for number in range(365)]
    assert sum(is_working_day(LAW, day.toordinal()) for day in days) == worked


def test_a_year_that_is_not_published_yet_is_reckoned_by_weekdays_and_says_so() -> None:
    assert not is_published(LAW, 2027)
    assert is_published(LAW, 2026)
    assert works("2027-10-01")  # a Friday; the notice for 2027 is to come
    assert not works("2027-10-02")


@pytest.mark.parametrize(
    ("begun", "number", "ends"),
    [
        ("2026-11-24", 1, "2026-11-25"),
        ("2026-11-27", 1, "2026-11-30"),  # over a weekend
        ("2026-09-30", 1, "2026-10-08"),  # over National Day
        ("2026-09-24", 10, "2026-10-15"),  # over Mid-autumn Festival, National Day and a Saturday worked
        ("2026-10-01", 0, "2026-10-01"),
    ],
)
def test_a_term_of_working_days_does_not_count_the_day_on_which_it_begins(
    begun: str, number: int, ends: str
) -> None:
    last = add_working_days(LAW, date.fromisoformat(begun).toordinal(), number)
    assert date.fromordinal(last) == date.fromisoformat(ends)


def test_the_next_working_day_is_the_day_itself_where_it_is_one() -> None:
    for day, following in (("2026-10-03", "2026-10-08"), ("2026-10-08", "2026-10-08")):
        assert (
            next_working_day(LAW, date.fromisoformat(day).toordinal())
            == date.fromisoformat(following).toordinal()
        )
