"""What becomes of alerts when a cylinder or a site is judged again."""

from dataclasses import replace

import pytest

from cylinder_trace.judging.alerting import Status, Transition, compared
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.rules import RULES

FINDING = Finding("fill_overdue", "SH310001", "fill 1", 1_000, "甲站", ("fill 1",), {"days_over": 1})
MARK = FINDING.fingerprint
NOW = {MARK: FINDING}
BEFORE = {MARK: "fill_overdue"}
CONDITION = {"fill_overdue": replace(RULES["fill_overdue"], condition=True)}


def ends(standing: dict[str, Status], elsewhere: tuple[str, ...] = ()) -> list[Transition]:
    return compared({}, BEFORE, standing, elsewhere, RULES)


def test_a_new_finding_opens_an_alert_and_is_told() -> None:
    assert compared(NOW, {}, {}, (), RULES) == [Transition(MARK, "fill_overdue", "opened", FINDING, True)]


def test_a_finding_that_is_still_there_continues_in_silence() -> None:
    assert compared(NOW, BEFORE, {MARK: "open"}, (), RULES) == [
        Transition(MARK, "fill_overdue", "continued", FINDING, False)
    ]


@pytest.mark.parametrize("ended", ["withdrawn", "resolved"])
def test_a_finding_that_comes_back_after_its_alert_ended_opens_again(ended: Status) -> None:
    (again,) = compared(NOW, {}, {MARK: ended}, (), RULES)
    assert (again.became, again.notify) == ("opened", True)


def test_a_fact_that_was_explained_is_withdrawn_and_told() -> None:
    assert ends({MARK: "open"}) == [Transition(MARK, "fill_overdue", "withdrawn", None, True)]


def test_a_condition_that_ended_is_resolved() -> None:
    (ended,) = compared({}, BEFORE, {MARK: "open"}, (), CONDITION)
    assert (ended.became, ended.notify) == ("resolved", True)


def test_a_rule_no_longer_in_force_withdraws_what_it_found() -> None:
    assert [ended.became for ended in compared({}, BEFORE, {MARK: "open"}, (), {})] == ["withdrawn"]


def test_an_alert_that_another_unit_shows_as_well_stays_open() -> None:
    assert ends({MARK: "open"}, elsewhere=(MARK,)) == []


@pytest.mark.parametrize("standing", [{}, {MARK: "withdrawn"}, {MARK: "resolved"}])
def test_an_alert_ends_only_once(standing: dict[str, Status]) -> None:
    assert ends(standing) == []


def test_a_fingerprint_depends_on_rule_subject_and_anchor_only() -> None:
    same = replace(FINDING, at_ms=2, site=None, evidence=("x",), facts={"days_over": 9})
    assert same.fingerprint == MARK
    others = [
        replace(FINDING, rule="overfill"),
        replace(FINDING, subject="SH310002"),
        replace(FINDING, anchor="fill 2"),
        # what belongs to one part must not be read as the end of another
        replace(FINDING, subject="SH310001f", anchor="ill 1"),
    ]
    assert len({MARK, *(other.fingerprint for other in others)}) == 5
