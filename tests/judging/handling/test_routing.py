"""The nearest branch that has somebody decides who is told, and nobody is told only where nobody is named."""

from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace.judging.handling.inhibition import INHIBITS, inhibited_by
from cylinder_trace.judging.handling.routing import EVERYWHERE, HOURS, Recipient, chosen
from cylinder_trace.judging.rules import RULES

TEAM = Recipient("team@a.cn", "310115")
CITY = Recipient("city@a.cn", EVERYWHERE)
names = st.builds(
    Recipient,
    address=st.sampled_from([f"{one}@a.cn" for one in "abcdef"]),
    district=st.sampled_from(["310115", "310101", EVERYWHERE]),
    rules=st.frozensets(st.sampled_from(["fill_overdue", "overfill"]), max_size=2),
    severities=st.frozensets(st.sampled_from([1, 2, 3]), max_size=2),
    hours=st.sampled_from(HOURS),
    level=st.sampled_from([0, 1, 2]),
)


def told(
    *recipients: Recipient,
    district: str | None = "310115",
    rule: str = "fill_overdue",
    severity: int = 1,
    at_work: bool = True,
    level: int = 0,
) -> list[str]:
    found = chosen(recipients, district, rule, severity, is_working_time=at_work, level=level)
    return [one.address for one in found]


def test_a_district_s_own_team_is_told_and_the_city_is_not() -> None:
    assert told(TEAM, CITY) == ["team@a.cn"]


def test_a_district_without_a_team_and_a_place_in_no_district_fall_to_the_city() -> None:
    assert told(TEAM, CITY, district="310101") == told(TEAM, CITY, district=None) == ["city@a.cn"]


def test_who_asked_for_a_rule_by_name_is_told_instead_of_those_for_everything() -> None:
    expert = Recipient("expert@a.cn", "310115", rules=frozenset({"overfill"}))
    assert told(TEAM, expert, rule="overfill") == ["expert@a.cn"]
    assert told(TEAM, expert) == ["team@a.cn"]


def test_the_officer_on_duty_is_told_out_of_working_time_only() -> None:
    office = Recipient("office@a.cn", "310115", hours="working")
    duty = Recipient("duty@a.cn", "310115", hours="off")
    assert told(office, duty) == ["office@a.cn"]
    assert told(office, duty, at_work=False) == ["duty@a.cn"]


def test_what_nobody_of_the_district_asked_for_falls_to_the_city_and_without_one_to_all_of_the_district() -> (
    None
):
    grave_only = Recipient("grave@a.cn", "310115", severities=frozenset({1}))
    assert told(grave_only, CITY, severity=2) == ["city@a.cn"]
    assert told(grave_only, severity=2) == ["grave@a.cn"]


def test_an_escalation_reaches_the_head_and_the_team_that_did_not_act() -> None:
    head = Recipient("head@a.cn", "310115", level=1)
    assert told(TEAM, head) == ["team@a.cn"]
    assert told(TEAM, head, level=1) == ["head@a.cn", "team@a.cn"]


@given(
    st.lists(names, min_size=1),
    st.sampled_from(["310115", None]),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 2),
)
def test_a_notice_reaches_somebody_wherever_the_district_or_the_city_names_anybody(
    recipients: list[Recipient], district: str | None, severity: int, at_work: bool, level: int
) -> None:
    found = told(*recipients, district=district, severity=severity, at_work=at_work, level=level)
    named = [one for one in recipients if one.district in {district, EVERYWHERE}]
    assert bool(found) == bool(named)
    assert found == sorted(set(found))


def test_what_inhibits_and_what_is_inhibited_are_rules_and_none_holds_back_itself() -> None:
    for rule, held in INHIBITS.items():
        assert {rule, *held} <= RULES.keys()
        assert rule not in held


def test_a_station_without_a_licence_holds_back_its_single_fills_and_nothing_else() -> None:
    assert inhibited_by("fill_overdue", {"unlicensed_site"}) == "unlicensed_site"
    assert inhibited_by("zombie", {"unlicensed_site"}) is None
    assert inhibited_by("no_precheck", {"silent_station"}) == "silent_station"
    assert inhibited_by("fill_overdue", {"silent_station"}) is None
