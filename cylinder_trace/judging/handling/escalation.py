"""Who is asked next when nobody has acknowledged an alert, and when an alert is to be looked at again.

The term counts working days: law/supervision.toml, acknowledge.within_working_days.
"""

from datetime import date

from cylinder_trace.judging.handling.care import Care
from cylinder_trace.judging.scan import day_start_ms, local_day
from cylinder_trace.law.calendar import add_working_days
from cylinder_trace.law.tables import Law

TEAM, HEAD, CITY = 0, 1, 2
"""The levels: the district's team, its head, the city."""


def due_ms(care: Care, law: Law) -> int | None:
    """When the next level is told; None where somebody has seen to it, or nobody is left to tell.

    The day on which a term begins is not counted, and it ends with its last day (民法典 art. 201 and 203).
    """
    if not care.is_waiting or care.level >= CITY:
        return None
    day = local_day(care.since_ms)
    term_days = int(law.number("acknowledge.within_working_days", date.fromordinal(day)))
    return day_start_ms(add_working_days(law, day, term_days) + 1)


def wake_ms(care: Care, law: Law) -> int | None:
    """When time alone may change how an open alert stands; None where it can not."""
    return care.snoozed_until_ms if care.is_snoozed else due_ms(care, law)


def is_overdue(care: Care, law: Law, now_ms: int) -> bool:
    """Whether it should have been acknowledged by now."""
    due = due_ms(care, law)
    return care.is_waiting and (care.level > TEAM or (due is not None and due <= now_ms))


def longest_snooze_days(law: Law, now_ms: int) -> int:
    """For how many days at most an alert may be put off: law/supervision.toml, snooze.longest_days."""
    return int(law.number("snooze.longest_days", date.fromordinal(local_day(now_ms))))
