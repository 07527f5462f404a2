"""The figures of the closed loop: how much was found, how much of it was put right, how soon, and how much was wrong.

All are of what *began* in the period: alerts that opened in it, directives issued in it, visits drawn in it. What became
of them counts until now, so that a figure of last month still improves while its work is being finished.

Source: DOMAIN section 4: inspection-plan execution and rectification are to be 100 % each (supervision.toml
`inspection_plan.execution_percent`, `rectification.closed_percent`); Order 57 art. 29 for the re-check's deadline.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

HOUR_MS = 3_600_000

FALSE_ALARM, UNSETTLED = "false_alarm", "unsettled"
"""Verdicts; every other verdict says that the alert was true."""

STEPS = ("acknowledge", "issue", "rectify", "recheck", "close")
"""Steps whose median time is given: see `Figures`."""

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert from one opening to its end. `verdict` is the one that a person recorded, on the alert or on its case."""

    rule: str
    district: str | None
    opened_ms: int
    acknowledged_ms: int | None = None
    ended: str | None = None
    ended_ms: int | None = None
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of a directive: what was done when, and the deadline that stood then."""

    step: str
    at_ms: int
    due_ms: int | None


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive that was issued; `due_ms` is the deadline of whoever has to act now, `rules` those of its alerts."""

    district: str
    state: str
    issued_ms: int
    closed_how: str
    due_ms: int | None
    rules: frozenset[str]
    first_opened_ms: int | None
    steps: Sequence[Taken]


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that a draw asked for, and whether it was carried out."""

    district: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to, and without, another; `now_ms` is when it is asked."""

    from_ms: int
    to_ms: int
    now_ms: int

    @property
    def days(self) -> float:
        """How many days of the period are over."""
        return max(0, min(self.to_ms, self.now_ms) - self.from_ms) / (24 * HOUR_MS)


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`; without a percentage where there is nothing to be a part of."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        """In per cent, to a tenth; only all of them are 100."""
        if not self.whole:
            return None
        percent = round(100 * self.part / self.whole, 1)
        return percent if self.part == self.whole else min(percent, 99.9)

    def as_json(self) -> dict[str, Any]:
        """With both numbers, because a percentage of three is none."""
        return {"n": self.whole, "part": self.part, "percent": self.percent}


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one district, one rule, or all.

    - `closure`: of the alerts, without those withdrawn (where nothing was wrong), how many ended: the condition ended,
      or a person closed it.
    - `rectification` (整改率): of the directives, without those ended by an upheld appeal (where nothing was to be put
      right), how many are closed by a passed re-check. To be 100 %.
    - `on_time` (按期整改率): of the directives that were reported or whose deadline is past, how many never missed a
      deadline for the rectification.
    - `recheck_on_time` (按期复查率): of the reports that were re-checked or whose re-check is overdue, how many were
      re-checked before the deadline of Order 57 art. 29.
    - `execution` (检查计划完成率): of the visits that draws asked for, how many were carried out. To be 100 %.
    - `false_alarms` (误报率): of the alerts with a verdict, without those left unsettled, how many a person said were false.
      A withdrawn alert is no false alarm: a record was late, and nobody has said that the rule was wrong.
    - `load`: alerts opened for each 1,000 cylinders and day; None where no cylinder is.
    - `medians_h`: hours, and of how many: `acknowledge` from opening to the first acknowledgement; `issue` from the
      opening of its first alert to the directive; `rectify` from the directive to the first report; `recheck` from a
      report to its re-check; `close` from opening to the end of an alert that was not withdrawn.
    """

    alerts: int
    open: int
    withdrawn: int
    unsettled: int
    directives: int
    closure: Share
    rectification: Share
    on_time: Share
    recheck_on_time: Share
    execution: Share
    false_alarms: Share
    load: float | None
    medians_h: dict[str, tuple[float, int]]

    def as_json(self) -> dict[str, Any]:
        """All figures by name."""
        shares = ("closure", "rectification", "on_time", "recheck_on_time", "execution", "false_alarms")
        counts = ("alerts", "open", "withdrawn", "unsettled", "directives")
        return {
            **{name: getattr(self, name) for name in counts},
            **{name: getattr(self, name).as_json() for name in shares},
            "per_1000_cylinders_and_day": self.load,
            "median_hours": {
                step: {"hours": hours, "n": number} for step, (hours, number) in self.medians_h.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """What the figures are made of. `cylinders` is by the district where they are now, "" for those elsewhere."""

    period: Period
    episodes: Sequence[Episode] = ()
    directives: Sequence[Directive] = ()
    visits: Sequence[Visit] = ()
    cylinders: dict[str, int] = field(default_factory=dict)


def figures(facts: Facts) -> Figures:
    """The figures of all these facts together."""
    return _figures(
        facts.period, facts.episodes, facts.directives, facts.visits, sum(facts.cylinders.values())
    )


def by_district(facts: Facts) -> dict[str, Figures]:
    """The figures of each district in which anything began."""
    episodes = _grouped(facts.episodes, lambda one: [one.district or ""])
    directives = _grouped(facts.directives, lambda one: [one.district])
    visits = _grouped(facts.visits, lambda one: [one.district])
    return {
        district: _figures(
            facts.period,
            episodes.get(district, ()),
            directives.get(district, ()),
            visits.get(district, ()),
            facts.cylinders.get(district, 0),
        )
        for district in sorted({*episodes, *directives, *visits})
    }


def by_rule(facts: Facts) -> dict[str, Figures]:
    """The figures of each rule; a directive about alerts of several rules counts for each. Visits are of no rule."""
    episodes = _grouped(facts.episodes, lambda one: [one.rule])
    directives = _grouped(facts.directives, lambda one: sorted(one.rules))
    cylinders = sum(facts.cylinders.values())
    return {
        rule: _figures(facts.period, episodes.get(rule, ()), directives.get(rule, ()), (), cylinders)
        for rule in sorted({*episodes, *directives})
    }


def _figures(
    period: Period,
    episodes: Sequence[Episode],
    directives: Sequence[Directive],
    visits: Sequence[Visit],
    cylinders: int,
) -> Figures:
    stood = [one for one in episodes if one.ended != "withdrawn"]
    said = [one.verdict for one in episodes if one.verdict not in {None, UNSETTLED}]
    to_rectify = [one for one in directives if one.closed_how != "appeal"]
    kept = [kept for one in directives if (kept := _was_on_time(one, period.now_ms)) is not None]
    rechecked = [kept for one in directives for kept in _rechecks(one, period.now_ms)]
    return Figures(
        alerts=len(episodes),
        open=sum(one.ended is None for one in episodes),
        withdrawn=len(episodes) - len(stood),
        unsettled=sum(one.verdict == UNSETTLED for one in episodes),
        directives=len(directives),
        closure=Share(sum(one.ended is not None for one in stood), len(stood)),
        rectification=Share(sum(one.closed_how == "recheck" for one in to_rectify), len(to_rectify)),
        on_time=Share(sum(kept), len(kept)),
        recheck_on_time=Share(sum(rechecked), len(rechecked)),
        execution=Share(sum(one.is_done for one in visits), len(visits)),
        false_alarms=Share(said.count(FALSE_ALARM), len(said)),
        load=round(len(episodes) / (cylinders / 1000) / period.days, 4)
        if cylinders and period.days
        else None,
        medians_h=_medians(stood, directives),
    )


def _was_on_time(one: Directive, now_ms: int) -> bool | None:
    """Whether a directive's rectification missed no deadline; None where the first one is still to come."""
    reports = [taken for taken in one.steps if taken.step == "report"]
    if any(taken.due_ms is not None and taken.at_ms >= taken.due_ms for taken in reports):
        return False
    waits = one.state in {"issued", "failed"}
    if waits and one.due_ms is not None and one.due_ms <= now_ms:
        return False
    return True if reports else None


def _rechecks(one: Directive, now_ms: int) -> Iterable[bool]:
    """For each re-check that was done or should have been, whether it was in time."""
    for taken in one.steps:
        if taken.step in {"pass", "fail"}:
            yield taken.due_ms is None or taken.at_ms < taken.due_ms
    if one.state == "reported" and one.due_ms is not None and one.due_ms <= now_ms:
        yield False


def _medians(stood: Iterable[Episode], directives: Iterable[Directive]) -> dict[str, tuple[float, int]]:
    took: dict[str, list[int]] = {step: [] for step in STEPS}
    for one in stood:
        if one.acknowledged_ms is not None:
            took["acknowledge"].append(one.acknowledged_ms - one.opened_ms)
        if one.ended_ms is not None:
            took["close"].append(one.ended_ms - one.opened_ms)
    for directive in directives:
        if directive.first_opened_ms is not None:
            took["issue"].append(directive.issued_ms - directive.first_opened_ms)
        reported_ms = None
        for taken in directive.steps:
            if taken.step == "report":
                if reported_ms is None:
                    took["rectify"].append(taken.at_ms - directive.issued_ms)
                reported_ms = taken.at_ms
            elif taken.step in {"pass", "fail"} and reported_ms is not None:
                took["recheck"].append(taken.at_ms - reported_ms)
    return {step: (round(median(times) / HOUR_MS, 1), len(times)) for step, times in took.items() if times}


def _grouped(rows: Iterable[T], keys: Callable[[T], Iterable[Key]]) -> dict[Key, list[T]]:
    groups: dict[Key, list[T]] = defaultdict(list)
    for row in rows:
        for key in keys(row):
            groups[key].append(row)
    return groups
