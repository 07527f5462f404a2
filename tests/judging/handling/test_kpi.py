"""The figures say what was found, put right and wrong, and say of how many."""

from dataclasses import replace
from typing import Any

import pytest

from cylinder_trace.judging.handling.kpi import (
    HOUR_MS,
    Directive,
    Episode,
    Facts,
    Period,
    Share,
    Taken,
    Visit,
    by_district,
    by_rule,
    figures,
)

DAY_MS = 24 * HOUR_MS
PERIOD = Period(0, 10 * DAY_MS, 20 * DAY_MS)
OPEN = Episode("overfill", "310112", 0)
ISSUED = Directive("310112", "issued", HOUR_MS, "", 15 * DAY_MS, frozenset({"overfill"}), 0,
                   [Taken("issue", HOUR_MS, None)])  # fmt: skip


def of(*episodes: Episode, **more: Any) -> Any:
    return figures(Facts(PERIOD, episodes, **more))


def report(at_ms: int, due_ms: int | None = 15 * DAY_MS) -> list[Taken]:
    return [*ISSUED.steps, Taken("report", at_ms, due_ms)]


def test_withdrawn_is_not_a_false_alarm_unless_a_person_said_so() -> None:
    withdrawn = replace(OPEN, ended="withdrawn", ended_ms=HOUR_MS)
    assert of(withdrawn).false_alarms == Share(0, 0)
    assert of(withdrawn).false_alarms.percent is None
    assert of(replace(withdrawn, verdict="false_alarm")).false_alarms == Share(1, 1)


def test_the_false_alarm_rate_comes_from_recorded_verdicts_only_and_says_how_many() -> None:
    verdicts = ["handled", "handled", "false_alarm", "unsettled"]
    closed = [replace(OPEN, ended="closed", ended_ms=DAY_MS, verdict=one) for one in verdicts]
    found = of(*closed, OPEN, OPEN)
    assert found.false_alarms == Share(1, 3)
    assert found.false_alarms.as_json() == {"n": 3, "part": 1, "percent": 33.3}
    assert found.unsettled == 1


def test_what_was_withdrawn_needs_no_closing_and_all_others_do() -> None:
    ended = [replace(OPEN, ended=how, ended_ms=DAY_MS) for how in ("resolved", "closed", "withdrawn")]
    found = of(*ended, OPEN)
    assert (found.alerts, found.open, found.withdrawn, found.closure) == (4, 1, 1, Share(2, 3))


def test_one_of_a_thousand_left_open_is_not_a_hundred_per_cent() -> None:
    assert Share(9999, 10000).percent == 99.9
    assert Share(10000, 10000).percent == 100.0


def test_a_directive_ended_by_an_upheld_appeal_had_nothing_to_be_put_right() -> None:
    closed = replace(ISSUED, state="closed", closed_how="recheck", due_ms=None)
    appealed = replace(ISSUED, state="closed", closed_how="appeal", due_ms=None)
    assert of(directives=[closed, appealed, ISSUED]).rectification == Share(1, 2)


@pytest.mark.parametrize(
    ("directive", "kept"),
    [
        (replace(ISSUED, due_ms=25 * DAY_MS), Share(0, 0)),  # its day is still to come
        (replace(ISSUED, due_ms=PERIOD.now_ms - 1), Share(0, 1)),  # past, and nothing was reported
        (replace(ISSUED, state="reported", steps=report(14 * DAY_MS)), Share(1, 1)),
        (replace(ISSUED, state="reported", steps=report(15 * DAY_MS)), Share(0, 1)),  # the first moment too late
        (replace(ISSUED, state="failed", due_ms=PERIOD.now_ms, steps=report(DAY_MS)), Share(0, 1)),  # again, and late
    ],
    ids=["to come", "missed", "in time", "too late", "late at the second"],
)  # fmt: skip
def test_a_rectification_is_on_time_when_it_missed_no_deadline(directive: Directive, kept: Share) -> None:
    assert of(directives=[directive]).on_time == kept


def test_a_recheck_is_on_time_before_the_deadline_that_the_report_set() -> None:
    reported = report(2 * DAY_MS)
    in_time = replace(ISSUED, state="closed", steps=[*reported, Taken("pass", 3 * DAY_MS, 12 * DAY_MS)])
    late = replace(ISSUED, state="failed", steps=[*reported, Taken("fail", 13 * DAY_MS, 12 * DAY_MS)])
    waits = replace(ISSUED, state="reported", due_ms=12 * DAY_MS, steps=reported)
    assert of(directives=[in_time, late, waits]).recheck_on_time == Share(1, 3)


def test_the_median_time_of_each_step_says_of_how_many() -> None:
    steps = [*report(DAY_MS + HOUR_MS), Taken("pass", 3 * DAY_MS + HOUR_MS, None)]
    done = replace(ISSUED, state="closed", closed_how="recheck", steps=steps)
    seen = [replace(OPEN, acknowledged_ms=hours * HOUR_MS) for hours in (1, 2, 30)]
    closed = replace(OPEN, ended="closed", ended_ms=4 * DAY_MS)
    found = of(*seen, closed, directives=[done])
    assert found.medians_h == {
        "acknowledge": (2.0, 3), "issue": (1.0, 1), "rectify": (24.0, 1), "recheck": (48.0, 1), "close": (96.0, 1)
    }  # fmt: skip


def test_the_load_is_of_a_thousand_cylinders_and_a_day_and_of_the_days_that_are_over() -> None:
    assert of(*[OPEN] * 30, cylinders={"310112": 1500, "": 500}).load == 1.5
    half = replace(PERIOD, now_ms=5 * DAY_MS)
    assert figures(Facts(half, [OPEN] * 30, cylinders={"310112": 2000})).load == 3.0
    assert of(OPEN).load is None


def test_execution_is_the_share_of_drawn_visits_that_were_carried_out() -> None:
    assert of(visits=[Visit("310112", True), Visit("310112", False)]).execution == Share(1, 2)


def test_each_district_and_each_rule_has_its_own() -> None:
    facts = Facts(
        PERIOD,
        [OPEN, replace(OPEN, district="310117"), replace(OPEN, rule="clone")],
        [replace(ISSUED, rules=frozenset({"overfill", "clone"}))],
        [Visit("310118", True)],
        {"310112": 1000, "310117": 1000},
    )
    districts, rules = by_district(facts), by_rule(facts)
    assert {one: its.alerts for one, its in districts.items()} == {"310112": 2, "310117": 1, "310118": 0}
    assert {one: its.directives for one, its in rules.items()} == {"overfill": 1, "clone": 1}
    assert districts["310112"].load == 0.2
    assert rules["clone"].load == 0.05
