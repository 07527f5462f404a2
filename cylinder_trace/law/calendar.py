"""Working days in China: weekdays, but for the public holidays and the weekend days that are worked instead of them.

Days are `date.toordinal` of Shanghai. Source: holidays.toml, from the State Council's notice for each year.
"""

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from cylinder_trace.law.tables import Law

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""The zone in which days are reckoned and times are shown."""
_SUNDAY, _SATURDAY = 0, 6


def is_working_day(law: Law, day: int) -> bool:
    """Whether offices work on a day; of a year that is not published yet, whether it is a weekday."""
    known = _named_days(law).get(day)
    # The first day that `toordinal` counts was a Monday.
    return known if known is not None else day % 7 not in {_SUNDAY, _SATURDAY}


def add_working_days(law: Law, day: int, number: int) -> int:
    """The last day of a term of so many working days, which begins on the day after `day`.

    With `number` 0 it is `day` itself. Source: 民法典 art. 201 (the day on which a term begins is not counted).
    """
    while number > 0:
        day += 1
        number -= is_working_day(law, day)
    return day


def next_working_day(law: Law, day: int) -> int:
    """The day itself where offices work on it, else the next on which they do."""
    while not is_working_day(law, day):
        day += 1
    return day


def is_published(law: Law, year: int) -> bool:
    """Whether the holidays of a year are in the tables; else only its weekdays are known."""
    return year in {date.fromordinal(day).year for day in _named_days(law)}


@lru_cache(maxsize=8)
def _named_days(law: Law) -> dict[int, bool]:
    days: dict[int, bool] = {}
    for row in law.rows():
        if row.table == "holidays":
            first, last = row.columns["first"].toordinal(), row.columns["last"].toordinal()
            days |= dict.fromkeys(range(first, last + 1), row.value == "work")
    return days
