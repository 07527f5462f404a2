"""What becomes of alerts when a cylinder or a site is judged again, and what people are told."""

from dataclasses import replace

import pytest

from cylinder_trace.judging.alerting import Status, Transition, transition
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.rules import RULES

FACT = RULES["fill_overdue"]
CONDITION = replace(FACT, condition=True)


def test_a_new_finding_opens_an_alert_and_is_told() -> None:
    assert transition(None, True, FACT) == Transition("opened", "first")


def test_a_finding_that_is_still_there_continues_in_silence() -> None:
    assert transition("open", True, FACT) == Transition("continued", None)


@pytest.mark.parametrize("ended", ["withdrawn", "resolved"])
def test_a_finding_that_comes_back_after_its_alert_ended_opens_again_and_is_told(ended: Status) -> None:
    assert transition(ended, True, FACT) == Transition("opened", "again")


def test_a_fact_that_was_explained_is_withdrawn_and_told() -> None:
    assert transition("open", False, FACT) == Transition("withdrawn", "withdrawn")


def test_a_condition_that_ended_is_resolved_not_withdrawn() -> None:
    assert transition("open", False, CONDITION) == Transition("resolved", "resolved")


@pytest.mark.parametrize("before", [None, "withdrawn", "resolved"])
def test_what_had_ended_or_never_was_does_not_end_again(before: Status | None) -> None:
    assert transition(before, False, FACT) is None


def test_a_rule_no_longer_in_force_withdraws_what_it_found() -> None:
    assert transition("open", False, None) == Transition("withdrawn", "withdrawn")


def test_a_fingerprint_depends_on_rule_subject_and_anchor_only() -> None:
    finding = Finding("fill_overdue", "SH310001", "fill 1", 1_000, "甲站", ("fill 1",), {"days_over": 1})
    same = replace(finding, at_ms=2, site=None, evidence=("x",), facts={"days_over": 9})
    assert same.fingerprint == finding.fingerprint
    others = [
        replace(finding, rule="overfill"),
        replace(finding, subject="SH310002"),
        replace(finding, anchor="fill 2"),
        # what belongs to one part must not be read as the end of another
        replace(finding, subject="SH310001f", anchor="ill 1"),
    ]
    assert len({finding.fingerprint, *(other.fingerprint for other in others)}) == 5
