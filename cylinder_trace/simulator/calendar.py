"""Times of day in Shanghai, which has kept UTC+8 without summer time since 1991, in epoch milliseconds."""

import calendar
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random

from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, MINUTE_MS

SHANGHAI = timezone(timedelta(hours=8))
_SHANGHAI_MS = 8 * HOUR_MS


def local_date(ms: int) -> date:
    """The day in Shanghai."""
    return datetime.fromtimestamp((ms + _SHANGHAI_MS) // 1000, UTC).date()


def at_hour(ms: int, hour: float, days: int = 0) -> int:
    """That hour of the local day of `ms`, or of the day so many days later."""
    midnight = (ms + _SHANGHAI_MS) // DAY_MS * DAY_MS - _SHANGHAI_MS
    return midnight + days * DAY_MS + int(hour * HOUR_MS)


def ms_of(day: date, hour: float) -> int:
    """That hour of a local day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp()) * 1000 + int(
        hour * HOUR_MS
    )


def local_moment(ms: int) -> datetime:
    """The aware datetime as a device in Shanghai writes it."""
    return datetime.fromtimestamp(ms // 1000, SHANGHAI).replace(microsecond=ms % 1000 * 1000)


def months_later(day: date, months: int) -> date:
    """The same day of a later (or, negative, earlier) month; the last of the month where it has no such day."""
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def departure(after_ms: int, hours: tuple[float, ...]) -> int:
    """The first of the day's departures that can still be loaded for, half an hour ahead."""
    ready = after_ms + 30 * MINUTE_MS
    leaving = next((at for hour in hours if (at := at_hour(ready, hour)) >= ready), None)
    return at_hour(ready, hours[0], days=1) if leaving is None else leaving


def round_of_courier(after_ms: int, rng: Random) -> int:
    """A moment between 08:00 and 19:00, 25 minutes to 3 hours ahead, else on the next morning."""
    at = after_ms + int(rng.uniform(25, 180) * MINUTE_MS)
    if at < at_hour(at, 8):
        return at_hour(at, 8) + int(rng.uniform(0, 180) * MINUTE_MS)
    if at > at_hour(at, 19):
        return at_hour(at, 8, days=1) + int(rng.uniform(0, 180) * MINUTE_MS)
    return at
