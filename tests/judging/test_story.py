"""A story is the same in whatever order and in whatever batches its events arrive."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import read_record
from cylinder_trace.judging import story
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import HOUR_MS, Scan
from cylinder_trace.judging.state import State
from cylinder_trace.law.tables import load
from tests.judging.arriving import Arrivals, told

CODE = "SH310001"
START_MS = epoch_ms(datetime(2026, 5, 1, tzinfo=UTC))
SITES = {
    "甲站": "filling_station",
    "乙站": "filling_station",
    "配送点": "depot",
    "用户": "customer",
    "检验站": "inspection_agency",
}
REFERENCE = Reference.of(
    load(),
    [
        read_record({"record": "site", "site_id": name, "name": name, "type": kind, "district": "310112"})
        for name, kind in SITES.items()
    ],
    [],
)
MOVES = ["ship", "receive", "deliver", "return"]
CHECKS = ["fill_check", "post_check"]
KINDS = [
    "register",
    "fill",
    "inspect",
    "observe",
    "stop",
    "resume",
    "lost",
    "found",
    "hold",
    "release",
    "scrap",
    "tag_replace",
    "transfer",
]
MASTER = {"cylinder_class": "lpg_bottle", "medium": "lpg", "owner_id": "甲公司", "valid_until": "2026-05-02"}


def scan(kind: str, name: str, hours: float, site: str | None = "甲站", **fields: Any) -> Scan:
    """An event `hours` into the story."""
    one = Scan(kind, name, START_MS + round(hours * HOUR_MS), CODE, site)
    for field, value in fields.items():
        setattr(one, field, value)
    return one


def move(kind: str, name: str, hours: float, origin: str, goal: str) -> Scan:
    return scan(kind, name, hours, goal if kind == "receive" else origin, from_site=origin, to_site=goal)


@st.composite
def stories(draw: st.DrawFn) -> list[Scan]:
    """Up to fourteen events over four days or four months; quarter hours and days, so that deadlines are hit exactly.

    Times collide, too.
    """
    scans: list[Scan] = []
    apart = draw(st.sampled_from([1, 1, 30]))
    for number in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(["correct", "fill", "fill", *KINDS, *MOVES, *CHECKS]))
        site = draw(st.sampled_from(list(SITES)))
        one = scan(kind, f"e{number:02}", draw(st.integers(0, 400)) * apart / 4, site)
        if kind in MOVES:
            one.from_site, one.to_site = site, draw(st.sampled_from(list(SITES)))
        elif kind == "fill":
            one.medium = "lpg"
        elif kind in CHECKS:
            one.result = draw(st.sampled_from(["pass", "fail"]))
        elif kind == "inspect":
            one.result, one.valid_until_day = draw(st.sampled_from(["pass", "fail"])), 740_000
        elif kind == "register":
            one.master = MASTER
        elif kind == "tag_replace":
            one.new_code = f"new{number}"
        elif kind == "transfer":
            one.new_owner = "乙公司"
        elif kind == "correct":
            one.corrects = f"e{draw(st.integers(0, 13)):02}"
        scans.append(one)
    return scans


@settings(max_examples=300, deadline=None)
@given(scans=stories(), data=st.data())
def test_any_order_and_any_batches_end_as_told_from_the_beginning(
    scans: list[Scan], data: st.DataObject
) -> None:
    arriving = data.draw(st.permutations(scans) | st.just(sorted(scans, key=lambda one: one.key)))
    waits = data.draw(st.lists(st.integers(0, 120), min_size=len(scans), max_size=len(scans)))
    arrivals, now_ms = Arrivals(CODE, REFERENCE), START_MS
    while arriving:
        size = data.draw(st.integers(0, len(arriving)))
        now_ms += waits[len(arriving) - 1] * HOUR_MS
        arrivals.take(arriving[:size] or arriving[:1], now_ms)
        arriving = arriving[size or 1 :]
        arrivals.take([], now_ms)  # the sweep wakes it
    end_ms = max(now_ms, START_MS + 260 * 24 * HOUR_MS)
    arrivals.take([], end_ms)
    assert arrivals.result() == told(CODE, scans, REFERENCE, end_ms)


@given(scans=stories(), hours=st.integers(0, 200))
def test_a_saved_state_is_read_back_as_it_was(scans: list[Scan], hours: int) -> None:
    state = story.told(CODE, scans, REFERENCE, START_MS + hours * HOUR_MS).state
    assert State.restored(state.saved()) == state


@pytest.mark.parametrize("kept", ["", "torn", "[]", "[1]", "null", '[1,"SH310001"]'])
def test_a_state_that_another_version_kept_is_not_read_as_ours(kept: str) -> None:
    assert State.restored(kept) is None


def test_events_in_order_are_continued_and_a_late_one_is_told_anew() -> None:
    arrivals = Arrivals(CODE, REFERENCE)
    for number in range(4):
        arrivals.take([move("ship", f"{number}", number, "甲站", "配送点")], START_MS)
    assert arrivals.retold == 0
    arrivals.take([scan("observe", "late", 1.5)], START_MS)
    assert arrivals.retold == 1


def test_a_check_that_arrives_after_its_deadline_withdraws_what_was_found() -> None:
    fill = scan("fill", "fill", 1, medium="lpg")
    late = scan("fill_check", "check", 1.25, result="pass")
    arrivals = Arrivals(CODE, REFERENCE)
    arrivals.take([fill], START_MS + 3 * HOUR_MS)
    assert "no_precheck" in {finding.rule for finding in arrivals.findings}
    arrivals.take([late], START_MS + 4 * HOUR_MS)
    assert "no_precheck" not in {finding.rule for finding in arrivals.findings}


def test_what_lapses_at_the_time_of_judging_is_what_the_next_event_finds() -> None:
    fill = scan("fill", "fill", 1, medium="lpg")
    later = scan("observe", "seen", 50)
    woken, not_woken = Arrivals(CODE, REFERENCE), Arrivals(CODE, REFERENCE)
    woken.take([fill], START_MS + 40 * HOUR_MS)
    not_woken.take([fill], START_MS + HOUR_MS)
    for arrivals in (woken, not_woken):
        arrivals.take([later], START_MS + 60 * HOUR_MS)
    assert woken.result() == not_woken.result()
    assert woken.retold == 0
    assert {"no_precheck", "no_postcheck"} <= {finding.rule for finding in woken.findings}


def found(*scans: Scan) -> set[str]:
    return {finding.rule for finding in told(CODE, scans, REFERENCE, START_MS)[2]}


def test_each_of_two_fills_in_a_row_owes_its_own_checks() -> None:
    fills = [scan("fill", "first", 1, medium="lpg"), scan("fill", "second", 1.1, medium="lpg")]
    _, _, findings = told(CODE, fills, REFERENCE, START_MS + 48 * HOUR_MS)
    missing = {(one.rule, one.anchor) for one in findings if one.rule.startswith("no_")}
    rules = ("no_precheck", "no_postcheck")
    assert missing == {(rule, fill) for rule in rules for fill in ("first", "second")}


def test_one_check_covers_all_fills_it_may_cover() -> None:
    fills = [scan("fill", "first", 1, medium="lpg"), scan("fill", "second", 1.1, medium="lpg")]
    checks = [
        scan("fill_check", "before", 0.9, result="pass"),
        scan("post_check", "after", 1.2, result="pass"),
    ]
    _, _, findings = told(CODE, [*fills, *checks], REFERENCE, START_MS + 48 * HOUR_MS)
    assert not {one.rule for one in findings} & {"no_precheck", "no_postcheck"}


@pytest.mark.parametrize(("hours", "fires"), [(0.8, False), (0.76, False), (0.74, True)])
def test_a_check_after_a_fill_that_a_slow_clock_dates_before_it_counts(hours: float, fires: bool) -> None:
    scans = [scan("post_check", "check", hours, result="pass"), scan("fill", "fill", 1, medium="lpg")]
    _, _, findings = told(CODE, scans, REFERENCE, START_MS + 48 * HOUR_MS)
    assert ("no_postcheck" in {one.rule for one in findings}) is fires


def test_a_check_covers_the_fill_before_it_and_not_the_next_as_well() -> None:
    fills = [scan("fill", "first", 1, medium="lpg"), scan("fill", "second", 1.1, medium="lpg")]
    scans = [*fills, scan("post_check", "check", 1.05, result="pass")]
    _, _, findings = told(CODE, scans, REFERENCE, START_MS + 48 * HOUR_MS)
    assert {one.anchor for one in findings if one.rule == "no_postcheck"} == {"second"}


@pytest.mark.parametrize(("hours", "fires"), [(3.2, False), (3.3, True)])
def test_a_check_that_a_fast_clock_dates_after_the_departure_counts(hours: float, fires: bool) -> None:
    scans = [scan("fill", "fill", 1, medium="lpg"), move("ship", "ship", 3, "甲站", "配送点")]
    scans += [scan("post_check", "check", hours, result="pass")]
    _, _, findings = told(CODE, scans, REFERENCE, START_MS + 48 * HOUR_MS)
    assert ("no_postcheck" in {one.rule for one in findings}) is fires


def test_a_rework_is_lawful_where_a_slow_clock_dates_the_failed_check_before_the_fill() -> None:
    fills = [scan("fill", "first", 1, medium="lpg"), scan("fill", "second", 2, medium="lpg")]
    failed = scan("post_check", "check", 0.95, result="fail")
    assert "double_fill" in found(*fills)
    assert "double_fill" not in found(*fills, failed)


def test_a_fill_after_it_was_seen_elsewhere_is_no_second_fill_in_a_row() -> None:
    fills = [scan("fill", "first", 1, medium="lpg"), scan("fill", "second", 50, medium="lpg")]
    assert "double_fill" in found(*fills)
    assert "double_fill" not in found(*fills, scan("observe", "seen", 20, "配送点"))


def test_what_is_entered_at_a_stations_desk_does_not_mean_the_cylinder_was_there() -> None:
    trip = [move("return", "back", 1, "用户", "配送点"), move("deliver", "out", 9, "配送点", "用户")]
    assert "deliver_without_fill" in found(*trip)
    assert "deliver_without_fill" in found(*trip, scan("update", "desk", 5, master={}))
    assert "deliver_without_fill" not in found(*trip, scan("observe", "there", 5))


def test_the_larger_of_the_two_masses_of_a_fill_counts() -> None:
    message = {
        "kind": "fill",
        "event_id": "fill",
        "occurred_at": "2026-05-01T08:00:00+08:00",
        "cylinder_code": CODE,
    }
    weighed = {"gas_mass_kg": 14.5, "tare_kg": 16.5, "gross_kg": 40.5}
    assert Scan.of(message | weighed).net_g == 24_000
    assert Scan.of(message | weighed | {"gross_kg": 30.0}).net_g == 14_500


def test_a_correction_voids_an_event_and_a_correction_of_it_reinstates_the_event() -> None:
    fills = [scan("fill", "first", 1, medium="lpg"), scan("fill", "second", 2, medium="lpg")]
    wrong = scan("correct", "correction", 3, None, corrects="first")
    wrong_too = scan("correct", "another", 4, None, corrects="correction")
    assert "double_fill" in found(*fills)
    assert "double_fill" not in found(*fills, wrong)
    assert "double_fill" in found(*fills, wrong, wrong_too)


def test_a_correction_counts_whatever_its_clock_says() -> None:
    fills = [scan("fill", "first", 1, medium="lpg"), scan("fill", "second", 2, medium="lpg")]
    wrong = scan("correct", "correction", 4, None, corrects="first")
    slow = scan("correct", "another", 3, None, corrects="correction")
    assert "double_fill" in found(*fills, wrong, slow)


def test_a_missed_receive_scan_draws_a_gap_leg_to_where_it_is_seen_next() -> None:
    _, legs, _ = told(
        CODE,
        [move("ship", "ship", 1, "甲站", "配送点"), scan("observe", "seen", 9, "乙站")],
        REFERENCE,
        START_MS,
    )
    assert [(leg.kind, leg.from_site, leg.to_site, leg.gap) for leg in legs] == [
        ("ship", "甲站", "配送点", False),
        ("gap", "配送点", "乙站", True),
    ]
    assert (legs[1].departed_ms, legs[1].depart_event, legs[1].arrive_event) == (None, "ship", "seen")


def test_a_receive_ends_the_leg_its_ship_began() -> None:
    moves = [move("ship", "ship", 1, "甲站", "配送点"), move("receive", "receive", 3, "甲站", "配送点")]
    _, legs, _ = told(CODE, moves, REFERENCE, START_MS)
    assert [(leg.no, leg.depart_event, leg.arrive_event, leg.gap) for leg in legs] == [
        (0, "ship", "receive", False)
    ]


def test_a_licence_stands_again_when_its_correction_is_corrected() -> None:
    licence = {
        "kind": "licence", "event_id": "licence", "occurred_at": "2025-01-01T08:00:00+08:00",
        "licensed_site_id": "甲站", "media": ["lpg"], "valid_until": "2028-12-31",
    }  # fmt: skip
    wrong = {"kind": "correct", "event_id": "correction", "corrects": "licence"}
    wrong_too = {"kind": "correct", "event_id": "another", "corrects": "correction"}
    told_in: list[list[dict[str, Any]]] = [[licence], [licence, wrong], [wrong_too, wrong, licence]]
    in_force = [bool(Reference.of(load(), [], acts).licences_in_force("甲站", START_MS)) for acts in told_in]
    assert in_force == [True, False, True]
