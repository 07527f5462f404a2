"""What is grave is told at once, what is serious with the next hour of work, the rest in the day's digest."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace.judging.handling.timing import again_from_ms, due_ms, is_working_time, next_digest_ms
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, local_day
from cylinder_trace.law.calendar import is_working_day
from cylinder_trace.law.tables import load

SHANGHAI = ZoneInfo("Asia/Shanghai")
REFERENCE = Reference.of(load(), [], [])
moments = st.integers(1_767_196_800_000, 1_798_732_799_000)  # the year 2026 in Shanghai


def ms(local: str) -> int:
    return round(datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).timestamp() * 1000)


def local(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, SHANGHAI):%Y-%m-%d %H:%M:%S}"


def test_severity_1_waits_a_minute_for_others_of_its_group_at_any_hour() -> None:
    assert local(due_ms(1, ms("2026-10-03 02:00:00"), REFERENCE)) == "2026-10-03 02:01:00"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("2026-11-24 10:20:00", "2026-11-24 11:00:00"),
        ("2026-11-24 11:00:00", "2026-11-24 11:00:00"),
        ("2026-11-24 16:20:00", "2026-11-24 17:00:00"),
        ("2026-11-24 17:00:01", "2026-11-25 09:00:00"),
        ("2026-11-24 03:00:00", "2026-11-24 09:00:00"),
        ("2026-11-27 18:00:00", "2026-11-30 09:00:00"),  # over a weekend
        ("2026-09-30 23:30:00", "2026-10-08 09:00:00"),  # over National Day
        ("2026-10-10 09:10:00", "2026-10-10 10:00:00"),  # a Saturday that is worked
    ],
)
def test_severity_2_is_told_at_the_next_full_hour_of_working_time(found: str, told: str) -> None:
    assert local(due_ms(2, ms(found), REFERENCE)) == told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("2026-11-24 08:59:59", "2026-11-24 09:00:00"),
        ("2026-11-24 09:00:00", "2026-11-25 09:00:00"),
        ("2026-11-27 12:00:00", "2026-11-30 09:00:00"),
        ("2026-10-01 12:00:00", "2026-10-08 09:00:00"),
    ],
)
def test_severity_3_waits_for_the_digest_of_the_next_working_day(found: str, told: str) -> None:
    assert local(due_ms(3, ms(found), REFERENCE)) == told


@given(moments, st.sampled_from([1, 2, 3]))
def test_nothing_is_told_before_it_was_found_and_office_mail_only_in_working_time(
    now_ms: int, severity: int
) -> None:
    told_ms = due_ms(severity, now_ms, REFERENCE)
    assert told_ms >= now_ms
    if severity > 1:
        assert is_working_day(REFERENCE.law, local_day(told_ms))
        assert is_working_time(told_ms, REFERENCE)


@given(moments)
def test_there_is_one_digest_a_working_day(now_ms: int) -> None:
    first_ms = next_digest_ms(now_ms, REFERENCE)
    second_ms = next_digest_ms(first_ms, REFERENCE)
    assert local_day(second_ms) > local_day(first_ms)
    between = range(local_day(first_ms) + 1, local_day(second_ms))
    assert not any(is_working_day(REFERENCE.law, day) for day in between)


def test_urgent_mails_about_one_group_keep_their_distance_and_others_need_none() -> None:
    told_ms = ms("2026-11-24 10:00:00")
    assert local(again_from_ms(1, told_ms, REFERENCE)) == "2026-11-24 10:15:00"
    assert again_from_ms(2, told_ms, REFERENCE) == told_ms


def test_promise_15_a_day_has_its_working_hours_whatever_the_clocks_of_other_countries_do() -> None:
    # Europe put its clocks back on 2026-10-25, America on 2026-11-01: Shanghai did nothing.
    for day in ("2026-10-26", "2026-11-02"):
        assert is_working_time(ms(f"{day} 09:00:00"), REFERENCE)
        assert not is_working_time(ms(f"{day} 08:59:59"), REFERENCE)
        assert due_ms(2, ms(f"{day} 00:10:00"), REFERENCE) % DAY_MS == 1 * 3_600_000  # 09:00 is 01:00 UTC
