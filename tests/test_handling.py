"""Promises 9, 10 and 14: what people do about alerts is kept, one after the other, and what nobody does goes up."""

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any, get_args

import pytest
from sqlalchemy import select

from cylinder_trace import acting
from cylinder_trace.acting import Wish
from cylinder_trace.judging.handling import care as caring
from cylinder_trace.judging.handling.care import Act
from cylinder_trace.judging.handling.escalation import due_ms
from cylinder_trace.store.database import Database
from cylinder_trace.store.handling import Looked, MayNot, NoSuchAlert, NotNow, Quicker
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import alert_care, notice
from tests.handling import (
    CITY,
    MANAGER,
    MINHANG_OFFICER,
    OPERATOR,
    OTHER_OFFICER,
    SONGJIANG_OFFICER,
    Office,
)
from tests.world import LAW, World, code, filled, ms, registered

THURSDAY_H = 64
"""Midnight of Shanghai: 4 and 5 May 2026 are public holidays, so that Wednesday the 6th is the first working day."""


@pytest.fixture
def office(database: Database) -> Office:
    """The officers, and an alert of a station without a licence that has filled one cylinder, on Monday."""
    world = World(database, licences=False)
    world.post([registered(code(1)), registered(code(2)), filled(code(1), 1)])
    world.judge(1)
    return Office(world, "unlicensed_site")


def fills_again(office: Office, which: int = 2, hours: float = 5) -> None:
    office.world.post([filled(code(which), hours)])
    office.world.judge(hours)


def said(office: Office) -> list[str]:
    return [entry["did"] for entry in office.log()]


def due(office: Office) -> list[tuple[str, int]]:
    """Reason and level of what people are to be told of the alert, which they heard of before."""
    with office.world.database.reading() as connection:
        its = notice.c.fingerprint == office.row()["fingerprint"]
        which = select(notice.c.reason, notice.c.level).where(its, notice.c.state == "due")
        return [
            tuple(row) for row in connection.execute(which.order_by(notice.c.transition_no, notice.c.step))
        ]


def tell(office: Office) -> None:
    with office.world.database.writing() as connection:
        connection.execute(notice.update().where(notice.c.state == "due").values(state="told"))


# --- promise 9 ------------------------------------------------------------------------------------------------


def test_promise_9_each_step_is_kept_with_who_when_what_and_why(office: Office) -> None:
    office.act("acknowledged", hours=2, why="已派员")
    office.act("assigned", hours=3, assignee="minhang-2")
    office.act("commented", hours=4, why="现场无人", person=CITY)
    entries = [
        (one["who"], one["who_name"], one["who_role"], one["at_ms"], one["did"], one["why"])
        for one in office.log()
    ]
    assert entries == [
        ("minhang", "闵行 李", "officer", ms(2), "acknowledged", "已派员"),
        ("minhang", "闵行 李", "officer", ms(3), "assigned", ""),
        ("city", "市局 王", "city", ms(4), "commented", "现场无人"),
    ]
    care = office.care()
    assert (care.acknowledged_by, care.acknowledged_ms, care.assigned_to) == ("minhang", ms(2), "minhang-2")


def test_promise_9_of_two_people_at_once_one_is_told_what_the_other_did(office: Office) -> None:
    seen, start = office.seen(), Barrier(2)

    def close(person: Person) -> Any:
        start.wait()
        try:
            return office.act("closed", person=person, seen=seen, why="到场核实", verdict="handled")
        except Quicker as quicker:
            return quicker

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(close, (MINHANG_OFFICER, CITY)))
    lost = [one for one in answers if isinstance(one, Quicker)]
    assert len(lost) == 1
    assert [entry["did"] for entry in lost[0].since] == ["closed"]
    assert said(office) == ["closed"]
    assert office.row()["transition_no"] == 1


def test_a_person_and_the_judge_at_once_lose_nothing(office: Office) -> None:
    """The one closes while the other finds more: the alert ends as one of the two orders would leave it."""
    seen, start = office.seen(), Barrier(2)

    def close() -> bool:
        start.wait()
        try:
            office.act("closed", seen=seen, why="到场核实", verdict="handled")
        except Quicker:
            return False
        return True

    def judge() -> None:
        start.wait()
        fills_again(office)

    with ThreadPoolExecutor(2) as both:
        closed, judged = both.submit(close), both.submit(judge)
        judged.result()
    row = office.row()
    assert closed.result()
    assert (row["status"], row["episode"]) in {("open", 2), ("closed", 1)}
    assert said(office) == ["closed"]


def test_the_judge_waits_for_a_person_who_is_about_to_close_and_then_sees_that_they_did(
    office: Office,
) -> None:
    seen, its = office.seen(), office.row()["fingerprint"]
    database, wish = office.world.database, Wish("closed", why="到场核实", verdict="handled")
    with ThreadPoolExecutor(1) as other:
        with database.writing() as connection:
            reference = office.world.cache.read(connection)
            acting.act(connection, MINHANG_OFFICER, its, seen, wish, reference, ms(4))
            judged = other.submit(fills_again, office)
            assert wait([judged], 0.7).not_done
        judged.result()
    assert (office.row()["status"], office.row()["episode"]) == ("open", 2)


def test_what_was_seen_before_somebody_else_acted_does_not_count(office: Office) -> None:
    seen = office.seen()
    office.act("acknowledged", person=OTHER_OFFICER)
    with pytest.raises(Quicker) as quicker:
        office.act("commented", seen=seen, why="我也看到了")
    assert [(one["who_name"], one["did"]) for one in quicker.value.since] == [("闵行 赵", "acknowledged")]
    assert said(office) == ["acknowledged"]


@pytest.mark.parametrize("person", [MANAGER, OPERATOR, SONGJIANG_OFFICER])
@pytest.mark.parametrize("did", get_args(Act))
def test_a_station_explains_and_another_district_does_nothing(
    office: Office, did: Act, person: Person
) -> None:
    wish: dict[str, Any] = {"why": "说明", "verdict": "handled", "assignee": "city", "until_ms": ms(100)}
    if person is MANAGER and did == "commented":
        office.act(did, person=person, **wish)
        assert said(office) == ["commented"]
        return
    with pytest.raises((MayNot, NoSuchAlert)):
        office.act(did, person=person, **wish)
    assert said(office) == []


def test_the_city_acts_everywhere(office: Office) -> None:
    office.act("acknowledged", person=CITY)
    assert office.care().acknowledged_by == "city"


@pytest.mark.parametrize("assignee", ["songjiang", "manager", "op-1", "nobody", None])
def test_an_alert_is_assigned_to_officers_of_its_district_or_the_city_only(
    office: Office, assignee: str | None
) -> None:
    with pytest.raises(NotNow, match="needs_assignee"):
        office.act("assigned", assignee=assignee)
    for one in ("minhang", "minhang-2", "city"):
        office.act("assigned", assignee=one)
        assert office.care().assigned_to == one


def test_promise_9_new_events_never_wipe_what_people_wrote(office: Office) -> None:
    office.act("assigned", assignee="minhang-2")
    office.act("commented", why="换证材料已报")
    before = office.log()
    fills_again(office)
    office.world.sweep(7)
    assert office.log() == before
    assert office.care().assigned_to == "minhang-2"


def test_promise_9_an_acknowledged_alert_that_gets_worse_wakes_up_and_says_so(office: Office) -> None:
    office.act("acknowledged")
    tell(office)
    office.world.sweep(3)
    assert due(office) == []
    fills_again(office)
    assert said(office) == ["acknowledged", "worse"]
    assert office.care().is_waiting
    assert due(office) == [("worse", 0)]
    fills_again(office, 1, 6)
    assert said(office) == ["acknowledged", "worse"]  # it waits already


def test_what_became_graver_wakes_up_too(office: Office) -> None:
    assert caring.is_worse(caring.after(office.care(), _acknowledged()), 1, is_graver=True)
    assert not caring.is_worse(caring.after(office.care(), _acknowledged()), 1, is_graver=False)


def _acknowledged() -> caring.Note:
    return caring.Note(1, "acknowledged", ms(1), 1, "minhang")


@pytest.mark.parametrize("did", ["commented", "snoozed", "closed", "reopened"])
@pytest.mark.parametrize("why", ["", "  \n", "长" * 2001])
def test_what_can_not_be_understood_later_without_a_reason_needs_one(
    office: Office, did: Act, why: str
) -> None:
    if did == "reopened":
        office.act("closed", why="先关闭", verdict="unsettled")
    before = said(office)
    with pytest.raises(NotNow, match="needs_why"):
        office.act(did, why=why, until_ms=ms(50), verdict="handled")
    assert said(office) == before


def test_closing_needs_a_verdict(office: Office) -> None:
    for verdict in (None, "whatever"):
        with pytest.raises(NotNow, match="needs_verdict"):
            office.act("closed", why="已核实", verdict=verdict)


def test_what_ended_takes_remarks_and_nothing_else(office: Office) -> None:
    office.act("closed", why="已核实", verdict="handled")
    office.act("commented", why="补充照片编号 3")
    for did in ("acknowledged", "assigned", "snoozed", "unsnoozed", "closed"):
        with pytest.raises(NotNow, match="not_open"):
            office.act(did, why="再来", verdict="handled", until_ms=ms(50), assignee="city")


# --- promise 10 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [{}, {"until_ms": ms(0)}, {"until_ms": ms(91 * 24 + 2)}, {"more_times": 0}, {"more_times": 1001}],
    ids=["none", "past", "too late", "no more", "too many more"],
)
def test_promise_10_a_snooze_needs_an_end_that_comes(office: Office, end: dict[str, Any]) -> None:
    with pytest.raises(NotNow, match="needs_end"):
        office.act("snoozed", why="等检验", **end)


def test_what_was_put_off_is_due_again_when_its_time_comes_and_people_are_told(office: Office) -> None:
    tell(office)
    office.act("snoozed", why="等检验", until_ms=ms(200))
    assert office.follow(199) == {"woke": 0, "escalated": 0}
    assert office.follow(200) == {"woke": 1, "escalated": 0}
    assert office.follow(201) == {"woke": 0, "escalated": 0}
    assert said(office) == ["snoozed", "woke"]
    assert office.care().is_waiting
    assert due(office) == [("reminder", 0)]


def test_what_was_put_off_wakes_earlier_when_it_gets_worse(office: Office) -> None:
    tell(office)
    office.act("snoozed", why="等检验", until_ms=ms(200))
    fills_again(office)
    assert said(office) == ["snoozed", "worse"]
    assert due(office) == [("worse", 0)]


def test_promise_10_until_it_happens_two_more_times_is_the_second_time_not_the_first(office: Office) -> None:
    tell(office)
    office.act("snoozed", why="偶发", more_times=2)
    fills_again(office, 2, 5)
    assert office.care().is_snoozed
    fills_again(office, 1, 6)
    assert said(office) == ["snoozed", "worse"]
    assert due(office) == [("worse", 0)]


def test_until_it_happens_again_sleeps_for_the_longest_time_at_most(office: Office) -> None:
    office.act("snoozed", why="偶发", more_times=9)
    assert office.follow(90 * 24 + 1)["woke"] == 1


def test_a_person_who_puts_it_off_no_longer_has_it_back_as_it_was(office: Office) -> None:
    office.act("acknowledged")
    office.act("snoozed", why="等检验", until_ms=ms(200))
    office.act("unsnoozed")
    care = office.care()
    assert (care.is_snoozed, care.acknowledged_by) == (False, "minhang")
    with pytest.raises(NotNow, match="not_snoozed"):
        office.act("unsnoozed")


# --- promise 14 -----------------------------------------------------------------------------------------------


def test_promise_14_what_nobody_acknowledged_within_a_working_day_goes_up_one_level_at_a_time_once_each(
    office: Office,
) -> None:
    """Opened on Monday 4 May 2026, a holiday: the first working day is Wednesday, and it ends at midnight."""
    tell(office)
    assert office.follow(THURSDAY_H - 0.01)["escalated"] == 0
    assert office.follow(THURSDAY_H)["escalated"] == 1
    assert office.follow(THURSDAY_H + 1)["escalated"] == 0
    assert due(office) == [("escalated", 1)]
    # Thursday's own day does not count: the next level hears at the end of Friday.
    assert office.follow(THURSDAY_H + 47)["escalated"] == 0
    assert office.follow(THURSDAY_H + 48)["escalated"] == 1
    assert due(office) == [("escalated", 1), ("escalated", 2)]
    assert office.follow(THURSDAY_H + 2000)["escalated"] == 0
    assert said(office) == ["escalated", "escalated"]


@pytest.mark.parametrize("did", ["acknowledged", "snoozed", "closed"])
def test_what_somebody_has_seen_to_does_not_go_up(office: Office, did: Act) -> None:
    office.act(did, why="已知", until_ms=ms(1000), verdict="unsettled")
    assert office.follow(THURSDAY_H + 100)["escalated"] == 0


def test_what_ended_does_not_go_up(office: Office) -> None:
    with office.world.database.reading() as connection:
        assert connection.scalar(select(alert_care.c.wake_ms)) == ms(THURSDAY_H)
    office.act("closed", why="已核实", verdict="handled")
    with office.world.database.reading() as connection:
        assert connection.scalar(select(alert_care.c.wake_ms)) is None


def test_what_wakes_up_may_wait_a_working_day_again(office: Office) -> None:
    office.act("snoozed", why="等检验", until_ms=ms(THURSDAY_H + 8))
    office.follow(THURSDAY_H + 8)
    assert office.follow(THURSDAY_H + 47)["escalated"] == 0
    assert office.follow(THURSDAY_H + 48)["escalated"] == 1


def test_two_workers_at_once_escalate_once(office: Office) -> None:
    start = Barrier(2)

    def follow(_number: int) -> int:
        start.wait()
        return office.follow(THURSDAY_H)["escalated"]

    with ThreadPoolExecutor(2) as both:
        assert sum(both.map(follow, range(2))) == 1
    assert said(office) == ["escalated"]


def test_the_term_is_a_row_of_the_law_tables(office: Office) -> None:
    longer = LAW.with_numbers({"acknowledge.within_working_days": 3})
    assert due_ms(office.care(), LAW) == ms(THURSDAY_H)
    assert due_ms(office.care(), longer) == ms(THURSDAY_H + 48)


def test_an_act_on_an_episode_that_ended_meanwhile_is_refused(office: Office) -> None:
    seen = office.seen()
    with pytest.raises(Quicker):
        office.act("acknowledged", seen=Looked(seen.episode + 1, seen.version))
