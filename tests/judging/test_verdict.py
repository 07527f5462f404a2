"""The answer at the gun: PASS, ASK or STOP, and nothing recorded by asking."""

from datetime import UTC, datetime

import pytest

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import read_record
from cylinder_trace.contract.verdict import Verdict
from cylinder_trace.judging import story
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.judging.scan import HOUR_MS, Scan
from cylinder_trace.judging.state import State
from cylinder_trace.judging.verdict import intended, rehearsed
from cylinder_trace.law.tables import load

CODE, STATION, CUSTOMER = "SH310001", "甲站", "用户"
NOON_MS = epoch_ms(datetime(2026, 5, 9, 4, tzinfo=UTC))
REFERENCE = Reference.of(
    load(),
    [
        read_record({"record": "site", "site_id": name, "name": name, "district": "310112", "type": kind} | firm)
        for name, kind, firm in (
            (STATION, "filling_station", {"owner_id": "甲公司"}),
            (CUSTOMER, "customer", {}),
        )
    ],
    [
        {
            "kind": "licence", "event_id": "L", "occurred_at": "2025-01-01T08:00:00+08:00",
            "licensed_site_id": STATION, "media": ["lpg"], "valid_until": "2028-12-31",
        }
    ],
)  # fmt: skip


def scan(kind: str, hours_before: int, site: str | None = STATION) -> Scan:
    return Scan(kind, f"{kind} {hours_before}", NOON_MS - hours_before * HOUR_MS, CODE, site)


def registered(valid_until: str = "2027-05-31") -> Scan:
    register = scan("register", 2000, None)
    register.master = {
        "cylinder_class": "lpg_bottle", "medium": "lpg", "owner_id": "甲公司", "manufactured": "2022-05-10",
        "valid_until": valid_until,
    }  # fmt: skip
    return register


def filled(hours_before: int) -> Scan:
    fill = scan("fill", hours_before)
    fill.medium = "lpg"
    return fill


def state_after(*scans: Scan) -> State:
    return story.told(CODE, scans, REFERENCE, NOON_MS).state


def asked(state: State, medium: str = "lpg", gun: str | None = None) -> Verdict:
    return rehearsed(state, intended(CODE, STATION, medium, NOON_MS, "持证人员01", gun), REFERENCE)


def test_a_lawful_cylinder_passes_without_a_reason() -> None:
    verdict = asked(state_after(registered()))
    assert (verdict.decision, verdict.reasons) == ("PASS", ())


def test_a_full_cylinder_is_asked_about() -> None:
    verdict = asked(state_after(registered(), filled(5)))
    assert verdict.decision == "ASK"
    assert [reason.rule for reason in verdict.reasons] == ["double_fill"]


def test_a_cylinder_the_register_does_not_know_is_stopped() -> None:
    verdict = asked(State(CODE))
    assert verdict.decision == "STOP"
    assert [reason.rule for reason in verdict.reasons] == ["unregistered"]
    assert CODE in verdict.reasons[0].fact_zh


def test_a_reason_to_stop_outranks_a_reason_to_ask_and_is_named_first() -> None:
    verdict = asked(state_after(registered("2026-05-08"), filled(5)))
    assert verdict.decision == "STOP"
    assert [reason.rule for reason in verdict.reasons] == ["fill_overdue", "double_fill"]


def test_the_last_day_of_the_inspection_passes_at_the_gun() -> None:
    assert asked(state_after(registered("2026-05-09"))).decision == "PASS"


@pytest.mark.parametrize("kind", ["stop", "lost", "scrap"])
def test_a_cylinder_out_of_use_is_stopped(kind: str) -> None:
    verdict = asked(state_after(registered(), scan(kind, 5, None)))
    assert [reason.rule for reason in verdict.reasons] == ["zombie"]
    assert verdict.decision == "STOP"


def test_a_seal_that_is_lifted_does_not_lift_a_stop() -> None:
    acts = [scan("stop", 9, None), scan("hold", 8, None), scan("release", 7, None)]
    assert asked(state_after(registered(), *acts)).decision == "STOP"
    assert asked(state_after(registered(), *acts, scan("resume", 6, None))).decision == "PASS"


def test_another_medium_is_stopped() -> None:
    rules = {reason.rule for reason in asked(state_after(registered()), "dme").reasons}
    assert rules == {"medium_mismatch", "unlicensed_site"}


def test_asking_leaves_the_state_as_it_was() -> None:
    for state in (State(CODE), state_after(registered("2026-05-08"), filled(5))):
        before = state.saved()
        asked(state)
        assert state.saved() == before


def test_every_rule_that_speaks_at_the_gun_looks_at_fills() -> None:
    deaf = [rule for rule in CYLINDER_RULES if rule.at_gun and "fill" not in rule.kinds and not rule.rehearse]
    assert [rule.name for rule in deaf] == []


def passed_check(hours_before: int, site: str = STATION) -> Scan:
    check = scan("fill_check", hours_before, site)
    check.result = "pass"
    return check


def test_on_the_gun_a_missing_check_is_asked_about_and_the_remedy_is_to_make_it() -> None:
    verdict = asked(state_after(registered()), gun="枪01")
    assert verdict.decision == "ASK"
    assert [(reason.rule, reason.remedy_zh) for reason in verdict.reasons] == [
        ("no_precheck", "先做充装前检查并登记，合格后再充装。")
    ]
    assert asked(state_after(registered(), passed_check(1)), gun="枪01").decision == "PASS"


@pytest.mark.parametrize("check", [passed_check(25), passed_check(1, "乙站")], ids=["too old", "elsewhere"])
def test_a_check_that_does_not_count_for_the_fill_does_not_count_on_the_gun(check: Scan) -> None:
    assert "no_precheck" in {one.rule for one in asked(state_after(registered(), check), gun="枪01").reasons}


def test_before_it_hangs_on_a_gun_nobody_asks_for_the_check_that_is_to_come() -> None:
    assert asked(state_after(registered())).decision == "PASS"


def test_every_reason_at_the_gun_cites_its_law_in_both_languages() -> None:
    reasons = asked(State(CODE)).reasons
    assert all(len(one.law) == len(one.law_zh) == len(one.law_en) > 0 for one in reasons)


def test_a_verdict_names_gases_and_firms_as_people_do() -> None:
    verdict = asked(state_after(registered()), "o2")
    said = {reason.rule: (reason.fact_zh, reason.fact_en) for reason in verdict.reasons}
    zh, en = said["medium_mismatch"]
    assert "液化石油气" in zh
    assert "oxygen" in en
    assert "o2" not in zh + en


def test_a_sealed_cylinder_is_not_filled_and_may_stand_where_it_is() -> None:
    sealed = state_after(registered(), scan("hold", 3))
    assert asked(sealed).decision == "STOP"
    counted = story.told(CODE, [registered(), scan("hold", 3), scan("observe", 1)], REFERENCE, NOON_MS)
    assert counted.findings == []
