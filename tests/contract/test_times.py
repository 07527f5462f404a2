"""A time is text in one form with an offset, a day its date; nothing else is taken for either."""

from typing import Any

import pytest

from cylinder_trace.contract.event import read_event, written
from tests.contract import changed, problems


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2026-03-02T08:00:00.123999+08:00", "2026-03-02T08:00:00.123+08:00"),
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00.000+00:00"),
        ("2026-03-02T08:00:00-00:00", "2026-03-02T08:00:00.000+00:00"),
        ("2026-03-01T18:30:00.5-05:30", "2026-03-01T18:30:00.500-05:30"),
        ("2026-03-02t08:00:00z", "2026-03-02T08:00:00.000+00:00"),
        ("2026-03-02T08:00:00.123456789+08:00", "2026-03-02T08:00:00.123+08:00"),
    ],
)
def test_a_time_is_cut_to_the_millisecond_and_keeps_its_offset(said: str, kept: str) -> None:
    message = written(read_event(changed("observe", occurred_at=said)))
    assert message["occurred_at"] == kept
    assert written(read_event(message)) == message


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-02T08:00:00",
        "2026-03-02 08:00:00+08:00",
        "2026-03-02T08:00+08:00",
        "2026-03-02T08:00:00+0800",
        "2026-03-02T08:00:00+08",
        "20260302T080000Z",
        "2026-W10-1T08:00:00Z",
        "2026-03-02T08:00:00,5Z",
        "2026-03-02T08:00:00.1234567890Z",
        "2026-03-02T08:00:00.Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T08:60:00Z",
        "2016-12-31T23:59:60Z",
        "２０２６-03-02T08:00:00Z",
        "2026-03-02T08:00:00\u221208:00",
        " 2026-03-02T08:00:00Z",
        "2026-03-02T08:00:00Z\n",
        "0000-01-01T00:00:00Z",
        1772438400,
        1772438400.5,
        "1772438400",
        "1772438400000",
        None,
        [],
        {"at": "2026-03-02T08:00:00Z"},
        "2026-03-02",
        "2026-03-02T08:00:00+08:00:30",
        "2026-03-02T08:00:00+24:00",
        "2026-02-30T08:00:00Z",
        "1899-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-10:00",
        "yesterday",
        True,
    ],
)
def test_a_time_that_names_no_moment_in_range_is_refused(time: Any) -> None:
    assert problems(changed("observe", occurred_at=time)).startswith("occurred_at: ")


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (1772438400, "as text with an offset, as in 2026-05-01T10:00:00+08:00"),
        ("2026-03-02T08:00:00", "as text with an offset"),
        ("2026-03-02T24:00:00Z", "00:00:00 of the next day"),
        ("2016-12-31T23:59:60Z", "leap second"),
        ("1899-12-31T23:59:59Z", "between 1900 and 2200"),
        ("1900-01-01T00:00:00+14:00", "between 1900 and 2200"),  # still 1899 in Shanghai
        ("2200-12-31T23:59:59-12:00", "between 1900 and 2200"),
    ],
)
def test_a_refused_time_is_told_what_to_send(time: Any, said: str) -> None:
    assert said in problems(changed("observe", occurred_at=time))


@pytest.mark.parametrize(
    "day", [0, 86_400, 20_574, "86400", "2026-05-31T00:00:00Z", "20260531", "2026-02-30", "1899-12-31", True]
)
def test_a_day_is_its_date_in_text_and_nothing_else(day: Any) -> None:
    assert problems(changed("inspect", valid_until=day)).startswith("valid_until: ")
