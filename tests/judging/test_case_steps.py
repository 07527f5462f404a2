"""What may follow what in a case, tried with every order of steps by everybody."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cylinder_trace.judging.handling.cases import (
    CLOCK,
    DIRECTIVE,
    KINDS,
    STATES,
    STEPS,
    Actor,
    Case,
    Deed,
    Refused,
    end_of_day_ms,
    family,
    follow,
    last_day,
    open_to,
    overdue,
    recheck_due_ms,
    wakes_ms,
)
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, day_start_ms, local_day
from tests.world import LAW, MINHANG, SONGJIANG, STATION

REFERENCE = Reference(LAW)
ISSUER, OTHER = Actor("zhang", "officer", MINHANG), Actor("li", "officer", MINHANG)
FOREIGN, CITY = Actor("wang", "officer", SONGJIANG), Actor("chen", "city")
MANAGER, NEIGHBOUR = Actor("zhao", "manager", STATION), Actor("sun", "manager", "station-2")
EVERYBODY = (ISSUER, OTHER, FOREIGN, CITY, MANAGER, NEIGHBOUR, CLOCK, Actor("qian", "operator", STATION))
TODAY = date(2026, 9, 25).toordinal()
NOW_MS = day_start_ms(TODAY) + 10 * HOUR_MS
DRAFT = Case(DIRECTIVE, "draft", MINHANG, STATION, due_ms=end_of_day_ms(TODAY + 15))


def done(
    case: Case, step: str, actor: Actor, at_ms: int = NOW_MS, *, why: str = "因为", days: int = 15
) -> Case:
    return follow(case, Deed(step, actor, at_ms, why, local_day(at_ms) + days), REFERENCE)


def refused(case: Case, step: str, actor: Actor, **more: object) -> str:
    with pytest.raises(Refused) as no:
        done(case, step, actor, **more)  # type: ignore[arg-type]
    assert no.value.zh
    assert no.value.en
    return no.value.word


ISSUED = done(DRAFT, "issue", ISSUER)
REPORTED = done(ISSUED, "report", MANAGER)
APPEALED = done(ISSUED, "appeal", MANAGER)


@settings(deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.booleans(), st.data())
def test_no_order_of_steps_closes_a_directive_without_another_officer(
    kind: str, is_serious: bool, data: st.DataObject
) -> None:
    site_id = STATION if kind == DIRECTIVE else None
    case = Case(kind, "draft", MINHANG, site_id, is_serious=is_serious, due_ms=DRAFT.due_ms)
    every = [(step, actor) for step in STEPS[family(kind)] for actor in EVERYBODY]
    taken: list[tuple[str, Actor, Case]] = []
    while (ways := [one for one in every if one[0] in open_to(case, one[1])]) and len(taken) < 25:
        step, actor = data.draw(st.sampled_from(ways))
        case = done(case, step, actor)
        taken.append((step, actor, case))
        closed = [one for one in every if one[0] not in open_to(case, one[1])]
        with pytest.raises(Refused):
            done(case, *data.draw(st.sampled_from(closed)))
    if case.state != "closed":
        return
    step, actor, _ = taken[-1]
    if kind != DIRECTIVE:
        assert (step, actor) == ("close", CITY)
        assert "answer" in [one for one, *_ in taken]
        return
    issuer = next(who for one, who, _ in taken if one == "issue")
    assert actor.username != issuer.username
    assert actor in {ISSUER, OTHER, CITY}
    assert step in {"pass", "uphold"}
    assert ("report" if step == "pass" else "appeal") in [one for one, *_ in taken]
    assert case.closed_how == {"pass": "recheck", "uphold": "appeal"}[step]
    assert wakes_ms(case) is None


def test_the_issuer_does_not_re_check_what_he_issued() -> None:
    assert refused(REPORTED, "pass", ISSUER) == "of_another"
    assert refused(REPORTED, "fail", ISSUER) == "of_another"
    assert refused(APPEALED, "uphold", ISSUER) == "of_another"
    assert done(REPORTED, "pass", OTHER).state == "closed"


def test_a_re_check_is_due_ten_working_days_after_the_report() -> None:
    reported_ms = day_start_ms(date(2026, 5, 6).toordinal()) + 23 * HOUR_MS
    due_ms = recheck_due_ms(REFERENCE, reported_ms)
    assert date.fromordinal(last_day(due_ms)) == date(2026, 5, 19)  # 9 May is a Saturday that is worked
    case = done(ISSUED, "report", MANAGER, reported_ms)
    assert overdue(case, due_ms - 1) is None
    assert overdue(case, due_ms) == "late_recheck"


def test_what_is_late_is_noted_once_and_known_to_the_next_level() -> None:
    assert ISSUED.due_ms is not None
    assert wakes_ms(ISSUED) == ISSUED.due_ms
    assert overdue(ISSUED, ISSUED.due_ms - 1) is None
    late = done(ISSUED, "late_report", CLOCK, ISSUED.due_ms)
    assert late.is_escalated
    assert late.state == "issued"
    assert overdue(late, ISSUED.due_ms + 100 * DAY_MS) is None
    assert wakes_ms(late) is None
    again = done(late, "extend", OTHER)
    assert wakes_ms(again) == again.due_ms


def test_a_serious_hazard_is_with_the_city_from_the_hour_it_is_issued() -> None:
    assert done(replace(DRAFT, is_serious=True), "issue", ISSUER).is_escalated
    assert not ISSUED.is_escalated


def test_the_city_acts_in_a_districts_place_only_once_it_has_the_case() -> None:
    assert refused(REPORTED, "pass", CITY) == "not_yours"
    assert done(done(REPORTED, "escalate", ISSUER), "pass", CITY).state == "closed"
    assert done(APPEALED, "uphold", CITY).closed_how == "appeal"


def test_a_failed_re_check_sets_a_new_deadline_and_the_station_reports_again() -> None:
    failed = done(REPORTED, "fail", OTHER, days=7)
    assert failed.state == "failed"
    assert failed.due_ms == end_of_day_ms(TODAY + 7)
    assert overdue(failed, end_of_day_ms(TODAY + 7)) == "late_report"
    assert done(failed, "report", MANAGER).state == "reported"


def test_an_open_appeal_is_decided_before_the_case_is_closed() -> None:
    both = done(done(ISSUED, "appeal", MANAGER), "report", MANAGER)
    assert refused(both, "pass", OTHER) == "appeal_open"
    assert refused(both, "appeal", MANAGER) == "appeal_open"
    rejected = done(both, "reject", OTHER)
    assert refused(rejected, "reject", OTHER) == "no_appeal"
    assert done(rejected, "pass", OTHER).state == "closed"


def test_a_verdict_on_an_appeal_has_a_term_of_its_own() -> None:
    assert APPEALED.appeal_due_ms is not None
    case = replace(APPEALED, is_due_noted=True)
    assert wakes_ms(case) == case.appeal_due_ms
    assert overdue(case, APPEALED.appeal_due_ms) == "late_verdict"
    assert wakes_ms(done(case, "late_verdict", CLOCK)) is None


@pytest.mark.parametrize("actor", [FOREIGN, NEIGHBOUR, Actor("qian", "operator", STATION)])
def test_who_has_no_part_in_a_case_takes_no_step(actor: Actor) -> None:
    for case in (DRAFT, ISSUED, REPORTED, APPEALED):
        assert open_to(case, actor) == []
        assert all(refused(case, step, actor) == "not_yours" for step in STEPS["directive"])


def test_a_step_without_its_reason_or_with_a_past_deadline_is_not_taken() -> None:
    assert refused(ISSUED, "report", MANAGER, why="  ") == "why_missing"
    assert refused(ISSUED, "report", MANAGER, why="字" * 4001) == "too_long"
    assert refused(ISSUED, "extend", OTHER, days=-1) == "due_wrong"
    assert refused(ISSUED, "extend", OTHER, days=366) == "due_wrong"
    assert refused(DRAFT, "issue", ISSUER, at_ms=NOW_MS + 30 * DAY_MS) == "due_wrong"


def test_a_letter_is_answered_by_its_district_and_closed_by_the_city() -> None:
    letter = Case("supervise", "draft", MINHANG, due_ms=DRAFT.due_ms)
    issued = done(letter, "issue", CITY)
    assert refused(issued, "answer", FOREIGN) == "not_yours"
    assert overdue(issued, issued.due_ms or 0) == "late_answer"
    answered = done(issued, "answer", ISSUER)
    assert wakes_ms(answered) is None
    back = done(answered, "send_back", CITY)
    assert back.state == "issued"
    assert done(done(back, "answer", OTHER), "close", CITY).closed_how == "answer"


def test_every_state_that_is_reached_has_a_name_and_every_step_words() -> None:
    for kind in KINDS:
        for step in STEPS[family(kind)].values():
            assert step.to is None or step.to in STATES
            assert all(step.names)
