"""The figures of the closed loop as API, page and workbook show them: of a period of days, for whom they are."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cylinder_trace.exchange.xlsx import Cell, Sheet
from cylinder_trace.judging.handling import kpi
from cylinder_trace.judging.handling.kpi import Facts, Figures, Period, Share
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import day_start_ms, local_day
from cylinder_trace.law.answers import Names
from cylinder_trace.law.naming import Naming
from cylinder_trace.store import figures
from cylinder_trace.store.alerts import Scope
from cylinder_trace.web.pages.shown_alert import naming_for
from cylinder_trace.web.server import server
from cylinder_trace.web.wording import WORDS, say

MOST_DAYS = 366
_LAST_DAYS = 30

COUNTS = ("alerts", "open", "withdrawn", "directives")
SHARES = ("closure", "rectification", "on_time", "recheck_on_time", "execution", "false_alarms")


@dataclass(frozen=True, slots=True)
class Days:
    """A period of whole days of Shanghai, both inclusive."""

    first: date
    last: date

    def period(self, now_ms: int) -> Period:
        """The moments of these days."""
        return Period(day_start_ms(self.first.toordinal()), day_start_ms(self.last.toordinal() + 1), now_ms)


def days_of(first: date | None, last: date | None, now_ms: int) -> Days | None:
    """The days that are asked for, without any the last thirty; None where they are not in order, or too many."""
    last = last or date.fromordinal(local_day(now_ms))
    first = first or date.fromordinal(max(1, last.toordinal() - _LAST_DAYS + 1))
    fits = 0 <= last.toordinal() - first.toordinal() < MOST_DAYS and first.year >= 1990 and last.year <= 2100
    return Days(first, last) if fits else None


def facts_of(scope: Scope, days: Days) -> tuple[Facts, Naming]:
    """What the figures of these days are made of, and how things are called."""
    here = server()
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        facts = figures.facts(connection, scope, days.period(here.now_ms()), reference)
    return facts, naming_for(reference, scope)


def opened_by_day(facts: Facts, days: Days) -> list[tuple[date, int, int]]:
    """By day: how many alerts opened, and how many of them are still open."""
    opened = Counter(local_day(one.opened_ms) for one in facts.episodes)
    still = Counter(local_day(one.opened_ms) for one in facts.episodes if one.ended is None)
    span = range(days.first.toordinal(), days.last.toordinal() + 1)
    return [(date.fromordinal(day), opened[day], still[day]) for day in span]


def groups(facts: Facts, naming: Naming, lang: str) -> dict[str, list[tuple[str, str, Figures]]]:
    """By district and by rule: the key, its name, and its figures; those with the most alerts first."""
    which = 0 if lang == "zh" else 1

    def district(code: str) -> str:
        return naming.district(code)[which] if code else say("figures.elsewhere", lang)

    def rule(name: str) -> str:
        return RULES[name].words.title[which] if name in RULES else name

    def listed(its: dict[str, Figures], named: Callable[[str], str]) -> list[tuple[str, str, Figures]]:
        most_first = sorted(its.items(), key=lambda one: (-one[1].alerts, one[0]))
        return [(key, named(key), figure) for key, figure in most_first]

    return {"district": listed(kpi.by_district(facts), district), "rule": listed(kpi.by_rule(facts), rule)}


def as_json(facts: Facts, days: Days) -> dict[str, Any]:
    """All figures, as the API gives them."""
    return {
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "cylinders": sum(facts.cylinders.values()),
        "total": kpi.figures(facts).as_json(),
        "by_district": {key: one.as_json() for key, one in kpi.by_district(facts).items()},
        "by_rule": {key: one.as_json() for key, one in kpi.by_rule(facts).items()},
        "by_day": [
            {"day": day.isoformat(), "opened": opened, "open": still}
            for day, opened, still in opened_by_day(facts, days)
        ],
    }


def sheets(facts: Facts, naming: Naming, days: Days, lang: str) -> list[Sheet]:
    """A sheet of districts, one of rules, and how each figure is reckoned."""
    grouped = groups(facts, naming, lang)
    whole = ("", f"{days.first} – {days.last}", kpi.figures(facts))
    meaning = [
        (*WORDS[key.replace("means.", "figure.", 1)], *WORDS[key])
        for key in (f"means.{name}" for name in (*SHARES, "load"))
    ]
    meaning.append((*WORDS["figures.cohort"], *WORDS["means.steps"]))
    return [
        _sheet("figures.by_district", "district", [whole, *grouped["district"]], lang),
        _sheet("figures.by_rule", "rule", [whole, *grouped["rule"]], lang),
        Sheet(
            say("figures.meaning", lang),
            [Names("指标", "Figure (zh)"), Names("指标（英文）", "Figure"), Names("算法", "Reckoned (zh)"),
             Names("算法（英文）", "Reckoned")],
            meaning,
        ),
    ]  # fmt: skip


def _sheet(title: str, head: str, rows: Sequence[tuple[str, str, Figures]], lang: str) -> Sheet:
    columns = [Names(*WORDS[head]), *(Names(*WORDS[f"figure.{name}"]) for name in COUNTS)]
    for name in SHARES:
        zh, en = WORDS[f"figure.{name}"]
        columns += [Names(f"{zh}（%）", f"{en}, %"), Names(f"{zh}：件数", f"{en}: of how many")]
    columns += [Names(*WORDS["figure.unsettled"]), Names(*WORDS["figure.load"])]
    for step in kpi.STEPS:
        zh, en = WORDS[f"step.{step}"]
        columns += [Names(f"{zh}（中位小时）", f"{en}, median h"), Names(f"{zh}：件数", f"{en}: of how many")]
    return Sheet(say(title, lang), columns, [[name, *_cells(one)] for _, name, one in rows])


def _cells(one: Figures) -> list[Cell]:
    cells: list[Cell] = [getattr(one, name) for name in COUNTS]
    for name in SHARES:
        share: Share = getattr(one, name)
        cells += [share.percent, share.whole]
    cells += [one.unsettled, one.load]
    for step in kpi.STEPS:
        hours, number = one.medians_h.get(step, (None, 0))
        cells += [hours, number]
    return cells
