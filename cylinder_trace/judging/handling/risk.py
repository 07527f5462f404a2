"""The risk of a station, as points that each say where they come from: what a draw is weighted by.

No score without its reasons: every point is of records that the reader can open. The numbers are rows of the law tables
(thresholds `risk.*`), our own defaults until a regulator adopts them. Source: DOMAIN section 4 (双随机 weighted by an
explained risk score; post-licence checks of self-declared renewals 100 %, supervision.toml `post_licence_check`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_PER_THOUSAND = 1000
_MONTH_DAYS = 30

Number = Callable[[str], float]
"""A threshold by its name."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is on record of a station.

    `unlawful_fills` are fills of the last days (`risk.unlawful_fills_days`) that a rule of severity 1 found, `fills` all
    of them. `late_cases` are directives whose rectification became overdue, one entry each time. `declared_licence` is
    the event of a licence granted on self-declaration and not checked since. `days_since_visit` None is no visit on record.
    """

    open_alerts: Mapping[int, int] = field(default_factory=dict)
    fills: int = 0
    unlawful_fills: int = 0
    late_cases: Sequence[int] = ()
    missing_records: int = 0
    days_since_visit: int | None = None
    declared_licence: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """So many points for one reason: `what` names it, `number` is how much of it there is."""

    what: str
    points: int
    number: float


@dataclass(frozen=True, slots=True)
class Risk:
    """A station's points. It is `always` inspected where a self-declared licence has not been checked since."""

    points: tuple[Point, ...]
    always: bool

    @property
    def weight(self) -> int:
        """Tickets in a draw."""
        return max(1, sum(one.points for one in self.points))


def risk(facts: Facts, number: Number) -> Risk:
    """The points of a station, the most first after those that every station has."""
    per_thousand = _PER_THOUSAND * facts.unlawful_fills / facts.fills if facts.fills else 0.0
    reasons: list[tuple[str, float, float]] = [
        (f"open_{severity}", count, number(f"risk.open_severity_{severity}_points"))
        for severity, count in sorted(facts.open_alerts.items())
    ]
    reasons += [
        ("unlawful_fills", round(per_thousand, 1), number("risk.unlawful_fills_points")),
        ("late_rectification", len(facts.late_cases), number("risk.late_rectification_points")),
        ("missing_records", facts.missing_records, number("risk.missing_record_points")),
        ("declared_licence", int(facts.declared_licence is not None), number("risk.declared_licence_points")),
    ]
    if facts.days_since_visit is None:
        reasons.append(("never_visited", 1, number("risk.never_visited_points")))
    else:
        months = facts.days_since_visit // _MONTH_DAYS
        reasons.append(("since_visit", months, number("risk.since_visit_points")))
    most = number("risk.most_points")
    # Rounded up, so that what is on record never counts nothing.
    counted = [
        Point(what, min(int(most), -int(-count * each // 1)), count)
        for what, count, each in reasons
        if count > 0
    ]
    counted.sort(key=lambda one: (-one.points, one.what))
    base = Point("base", int(number("risk.base_points")), 1)
    return Risk((base, *(one for one in counted if one.points)), facts.declared_licence is not None)
