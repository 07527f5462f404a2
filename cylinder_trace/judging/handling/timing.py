"""When people are told: what is grave at once, what is serious with the next hour of work, the rest in the day's digest.

All hours are Shanghai's. Source of the terms: law/supervision.toml, notice.*.
"""

from collections.abc import Callable

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, MINUTE_MS, day_start_ms, local_day
from cylinder_trace.law.calendar import is_working_day, next_working_day

AT_ONCE, SAME_DAY, DIGEST = 1, 2, 3
"""The severities, as rules give them."""


def due_ms(severity: int, now_ms: int, reference: Reference) -> int:
    """When a notice that came up now is told, so that it is told together with others of its group."""
    if severity == AT_ONCE:
        return now_ms + int(reference.number("notice.urgent_wait_s", now_ms) * 1000)
    if severity == SAME_DAY:
        return _next_hour_ms(now_ms, reference)
    return next_digest_ms(now_ms, reference)


def next_digest_ms(now_ms: int, reference: Reference) -> int:
    """The moment after this one at which the day's digest is made; there is one each working day."""
    at_ms = _at_hour(reference, "notice.digest_h")
    day = next_working_day(reference.law, local_day(now_ms))
    if at_ms(day) <= now_ms:
        day = next_working_day(reference.law, day + 1)
    return at_ms(day)


def is_working_time(now_ms: int, reference: Reference) -> bool:
    """Whether an office can be expected to read its mail."""
    day = local_day(now_ms)
    closes_ms = _at_hour(reference, "notice.closes_h")(day)
    return is_working_day(reference.law, day) and opens_ms(day, reference) <= now_ms <= closes_ms


def opens_ms(day: int, reference: Reference) -> int:
    """When offices open on a day, if they do."""
    return _at_hour(reference, "notice.opens_h")(day)


def again_from_ms(severity: int, last_told_ms: int, reference: Reference) -> int:
    """From when a group that was told at a moment may be told of more members: urgent mails keep a distance."""
    if severity != AT_ONCE:
        return last_told_ms
    return last_told_ms + int(reference.number("notice.urgent_gap_min", last_told_ms) * MINUTE_MS)


def _next_hour_ms(now_ms: int, reference: Reference) -> int:
    """The next full hour between opening and closing of a working day."""
    hour_ms = -(-now_ms // HOUR_MS) * HOUR_MS
    day = next_working_day(reference.law, local_day(hour_ms))
    if hour_ms > _at_hour(reference, "notice.closes_h")(day):
        day = next_working_day(reference.law, day + 1)
    return max(hour_ms, opens_ms(day, reference))


def _at_hour(reference: Reference, key: str) -> Callable[[int], int]:
    """The moment of a day's hour that the tables name; no day in Shanghai has another number of hours than 24."""
    return lambda day: day_start_ms(day) + int(reference.number(key, day_start_ms(day)) * DAY_MS) // 24
