"""What is planted about sites, people, devices and the network is what it says; an honest city has none of it."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import mean

import pytest

from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.simulator.city import Label, Plan, simulate
from cylinder_trace.simulator.faults_of_clocks import backdated_upload, clock_fault
from cylinder_trace.simulator.faults_of_people import courier_bulk_scan, no_failures
from cylinder_trace.simulator.founding import built
from cylinder_trace.simulator.site_stories import FAULTS_OF_SITES, LAWFUL_SITES
from cylinder_trace.simulator.uploads import uploaded
from tests.simulator.told import Told, by, by_day, day, gaps_s, hour

END = datetime(2026, 11, 20, tzinfo=UTC)
KINDS = {
    "night_fill", "fill_too_fast", "inspection_mill", "no_failures", "backdated_upload", "clock_fault",
    "operator_two_places", "courier_bulk_scan", "identical_weights", "short_weight", "silent_station",
    "manual_codes", "scan_gap", "fill_to_delivery", "station_burst", "site_imbalance", "new_intermediary",
    "overstock", "sink_source", "hoarding", "backdated_scan",
}  # fmt: skip
LAWFUL = KINDS - {"manual_codes", "scan_gap", "fill_to_delivery", "hoarding"}
"""Kinds of which a lawful look-alike is planted."""


@pytest.fixture(scope="module")
def told() -> Told:
    return Told(simulate(Plan(seed=21, cylinders=5000, days=60, end=END, faults_of_each_kind=2)))


@pytest.fixture(scope="module")
def honest() -> Told:
    return Told(simulate(Plan(seed=22, cylinders=2500, days=60, end=END, faults_of_each_kind=0)))


def test_every_kind_is_planted_its_events_arrived_and_the_large_ones_are_fewer(told: Told) -> None:
    assert {label.kind for label in told.city.labels if label.fault} >= KINDS - {"no_failures"}
    assert {label.kind for label in told.city.labels if not label.fault} >= LAWFUL
    for label in told.city.labels:
        assert label.event_ids
        assert set(label.event_ids) <= told.by_id.keys(), label


def test_a_short_window_of_a_small_city_has_what_fits_in_it() -> None:
    city = simulate(Plan(seed=5, cylinders=60, days=8, end=END, faults_of_each_kind=1))
    kinds = {label.kind for label in city.labels} & KINDS
    assert {"night_fill", "fill_too_fast", "scan_gap", "clock_fault", "operator_two_places"} <= kinds
    assert not kinds & {"silent_station", "hoarding", "short_weight", "site_imbalance"}
    assert all(story.least_days >= 8 for story in (*FAULTS_OF_SITES, *LAWFUL_SITES))


def test_night_fills_lie_outside_declared_hours_and_those_of_the_all_night_station_do_not(told: Told) -> None:
    for label in told.labels("night_fill"):
        assert told.sites[label.subject].closes == "21:30"
        assert len(label.event_ids) >= 4
        assert all(hour(event.occurred_at) < 5 for event in told.of(label))
        assert len({day(event.occurred_at) for event in told.of(label)}) == 1
    for label in told.labels("night_fill", fault=False):
        assert (told.sites[label.subject].opens, told.sites[label.subject].closes) == ("00:00", "24:00")
        nights = Counter(day(one.occurred_at) for one in told.of(label) if hour(one.occurred_at) < 5)
        assert max(nights.values()) >= 4


def test_fills_too_fast_are_on_one_gun_and_those_of_a_manifold_on_several(told: Told) -> None:
    for label in told.labels("fill_too_fast"):
        assert len({event.gun_id for event in told.of(label)}) == 1
        assert sum(gap < 45 for gap in gaps_s(told.of(label))) >= 3
    for label in told.labels("fill_too_fast", fault=False):
        assert sum(gap < 45 for gap in gaps_s(told.of(label))) >= 3
        for fills in by(told.fills(label.subject), "gun_id").values():
            assert all(gap > 150 for gap in gaps_s(fills))


def test_an_inspection_mill_is_faster_than_one_line_can_be(told: Told) -> None:
    for label in told.labels("inspection_mill"):
        events = told.of(label)
        took_s = (events[-1].occurred_at - events[0].occurred_at).total_seconds()
        assert told.sites[label.subject].lines == 1
        assert took_s < (len(events) - 1) * 240 / 2
    for label in told.labels("inspection_mill", fault=False):
        assert min(gaps_s(told.of(label))) > 240
        received = [told.by_id[one].received_at for one in label.event_ids]
        assert max(received) - min(received) < timedelta(minutes=5)


def test_an_agency_without_failures_has_hundreds_of_inspections(told: Told) -> None:
    # Only a large city has failures enough to tell, so that this one is planted by hand.
    plan = told.city.plan
    world = built(plan)
    (label,) = no_failures(world, Random(1), 0)
    inspected = [one.event for one in uploaded(world.log, plan) if one.event.kind == "inspect"]
    assert {one.event_id for one in inspected} == set(label.event_ids)
    assert len(inspected) >= 700
    assert {(one.site_id, one.result) for one in inspected} == {(label.subject, "pass")}
    assert inspected[-1].occurred_at - inspected[0].occurred_at < timedelta(days=28)
    others = [one for one in told.events if one.kind == "inspect" and one.site_id in {"IA01", "IA02"}]
    assert 0.01 < sum(one.result != "pass" for one in others) / len(others) < 0.08


def test_a_scan_dated_back_has_a_number_after_those_of_later_days_and_a_late_one_has_not(told: Told) -> None:
    for fault in (True, False):
        for label in told.labels("backdated_scan", fault=fault):
            (one,) = told.of(label)
            lower = [
                its
                for its in told.events
                if its.device_id == label.subject and its.device_seq < one.device_seq
            ]
            assert lower
            assert any(day(its.occurred_at) > day(one.occurred_at) for its in lower) is fault


def test_backdated_scans_come_days_late_from_a_device_that_was_on_line(told: Told) -> None:
    for label in told.labels("backdated_upload"):
        late = told.of(label)
        assert len(late) >= 5
        of_device = [one for one in told.arrivals if one.event.device_id == late[0].device_id]
        for event in late:
            received_at = told.by_id[event.event_id].received_at
            assert received_at - event.occurred_at > timedelta(hours=72)
            meanwhile = [one for one in of_device if event.occurred_at < one.received_at < received_at]
            assert any(one.event.device_seq < event.device_seq for one in meanwhile)
            assert any(one.event.occurred_at > event.occurred_at for one in meanwhile)


def test_a_real_outage_is_as_late_but_the_device_was_silent(told: Told) -> None:
    for label in told.labels("backdated_upload", fault=False):
        events = told.of(label)
        late = [one for one in events
                if told.by_id[one.event_id].received_at - one.occurred_at > timedelta(hours=72)]  # fmt: skip
        assert len(late) >= 5
        of_device = [one for one in told.arrivals if one.event.device_id == late[0].device_id]
        first, back_at = late[0].occurred_at, told.by_id[late[0].event_id].received_at
        assert not [one for one in of_device if first < one.received_at < back_at]
        numbers = [one.event.device_seq for one in of_device]
        assert numbers == sorted(numbers)


def test_a_faulty_clock_runs_hours_ahead_and_one_set_wrong_once_does_so_twice(told: Told) -> None:
    def ahead(label: Label) -> Counter[int]:
        arrivals = [told.by_id[one] for one in label.event_ids]
        far = [one for one in arrivals if one.event.occurred_at - one.received_at > timedelta(minutes=15)]
        return Counter(day(one.event.occurred_at) for one in far)

    for label in told.labels("clock_fault"):
        assert max(ahead(label).values()) >= 3
    for label in told.labels("clock_fault", fault=False):
        assert sum(ahead(label).values()) == 2


def test_every_faulty_device_is_another_one(told: Told) -> None:
    world = built(told.city.plan)
    for plant in (clock_fault, backdated_upload, courier_bulk_scan):
        labels = [label for number in range(6) for label in plant(world, Random(number), number)]
        assert len({label.subject for label in labels}) == 6


def test_one_person_in_two_places_would_have_flown(told: Told) -> None:
    for fault in (True, False):
        for label in told.labels("operator_two_places", fault):
            events = told.of(label)
            assert {event.operator_id for event in events} == {label.subject}
            legs = Counter(
                day(one.occurred_at)
                for one, other in pairwise(events)
                if one.site_id != other.site_id
                and other.occurred_at - one.occurred_at < timedelta(minutes=10)
            )
            assert (max(legs.values(), default=0) >= 3) is fault


def test_bulk_scans_are_for_many_customers_or_for_one(told: Told) -> None:
    for fault in (True, False):
        for label in told.labels("courier_bulk_scan", fault):
            events = told.of(label)
            assert events[-1].occurred_at - events[0].occurred_at < timedelta(minutes=5)
            assert len({event.device_id for event in events}) == 1
            assert (len({event.to_site for event in events}) > 20) is fault


def test_identical_weights_are_a_whole_day_and_a_machines_are_spread(told: Told) -> None:
    for fault in (True, False):
        for label in told.labels("identical_weights", fault):
            fullest = max(by_day(told.fills(label.subject)).values(), key=len)
            assert len(fullest) > 20
            assert fullest[0].event_id in label.event_ids
            distinct = len({fill.gas_mass_kg for fill in fullest}) / len(fullest)
            assert (distinct < 0.05) is fault


def test_short_weight_is_half_a_kilogram_over_hundreds_of_fills(told: Told) -> None:
    for label in told.labels("short_weight"):
        assert len(label.event_ids) >= 200
        assert 0.6 < 14.9 - mean(fill.gas_mass_kg for fill in told.of(label)) < 0.9
    for label in told.labels("short_weight", fault=False):
        assert len(label.event_ids) >= 200
        assert 0 < 5.0 - mean(fill.gas_mass_kg for fill in told.of(label)) < 0.15


def test_a_silent_station_sends_nothing_for_days_and_a_holiday_is_announced(told: Told) -> None:
    for fault in (True, False):
        for label in told.labels("silent_station", fault):
            at_site = [one for one in told.events if getattr(one, "site_id", None) == label.subject]
            gaps = gaps_s(one for one in at_site if one.kind != "register")
            assert max(gaps) > 4.5 * 86_400
            assert sorted(gaps)[-2] < 2 * 86_400
            records = [one for one in told.city.records
                       if isinstance(one, SiteRecord) and one.site_id == label.subject]  # fmt: skip
            assert any(one.opens is None for one in records) is not fault


def test_a_station_that_keys_its_codes_stands_out(told: Told) -> None:
    (label, *_) = told.labels("manual_codes")
    shares = {
        site: mean(one.entry == "keyed" for one in scans)
        for (site,), scans in by(
            (one for one in told.events if getattr(one, "entry", None)), "site_id"
        ).items()
        if len(scans) > 300
    }
    assert shares.pop(label.subject) > 0.6
    honest = [share for site, share in shares.items() if told.sites[site].type == "filling_station"]
    assert max(share for share in honest if share < 0.5) < 0.03


def test_scans_are_missing_where_a_gap_is_planted_and_hardly_anywhere_else(told: Told, honest: Told) -> None:
    for label in told.labels("scan_gap"):
        events = told.of(label)
        counter = "gun_count" if events[0].kind == "fill" else "device_seq"
        assert max(getattr(b, counter) - getattr(a, counter) for a, b in pairwise(events)) >= 10
    for (gun,), fills in by((one for one in honest.events if one.kind == "fill"), "gun_id").items():
        counts = [one.gun_count for one in sorted(fills, key=lambda one: one.device_seq)]
        assert all(0 < later - earlier < 4 for earlier, later in pairwise(counts)), gun


def test_what_is_filled_and_never_leaves_is_most_of_what_the_station_fills(told: Told) -> None:
    for label in told.labels("fill_to_delivery"):
        codes = {event.code for event in told.of(label)}
        left = [one for one in told.events if one.kind in {"ship", "deliver"} and one.code in codes
                and one.site_id == label.subject]  # fmt: skip
        assert not left
        assert len(codes) >= 50
        days = [day(event.occurred_at) for event in told.of(label)]
        fills = [one for one in told.fills(label.subject) if min(days) <= day(one.occurred_at) <= max(days)]
        assert len(codes) > 0.6 * len(fills)


def test_a_burst_is_far_above_the_usual_day(told: Told) -> None:
    bursts = [label for label in told.labels("station_burst") if "远超" in label.note]
    for label in bursts:
        counts = sorted(len(fills) for fills in by_day(told.fills(label.subject)).values())
        assert counts[-1] > 5 * counts[len(counts) // 2]
    ghosts = [label for label in told.labels("station_burst") if "重复" in label.note]
    doubles = {one for label in told.labels("double_fill") for one in label.event_ids}
    for label in ghosts:
        assert len(label.event_ids) >= 5
        assert set(label.event_ids) <= doubles
        assert len({day(event.occurred_at) for event in told.of(label)}) == 1


def test_in_a_cold_spell_every_station_fills_more(told: Told) -> None:
    spell = [label for label in told.labels("station_burst", fault=False) if "寒潮" in label.note]
    assert len(spell) >= 3
    for label in spell:
        days = {day(event.occurred_at) for event in told.of(label)}
        counts = by_day(told.fills(label.subject))
        usual = mean(len(fills) for number, fills in counts.items() if number not in days)
        assert mean(len(counts[number]) for number in days) > 1.3 * usual


def test_a_depots_balance_is_off_where_it_is_planted_and_not_where_one_opens(told: Told) -> None:
    def balance(site: str) -> int:
        came = [one for one in told.events if one.kind in {"receive", "return"} and one.to_site == site]
        went = [one for one in told.events if one.kind in {"ship", "deliver"} and one.from_site == site]
        return len(came) - len(went)

    for label in told.labels("site_imbalance"):
        kinds = {event.kind for event in told.of(label)}
        assert kinds <= {"receive", "observe"}
        assert abs(balance(label.subject)) >= 25
        elsewhere = {event.site_id for event in told.of(label)} - {label.subject}
        assert len(elsewhere) == 3
    for label in told.labels("site_imbalance", fault=False):
        assert balance(label.subject) == 0


def test_a_new_intermediary_is_a_customer_a_stranger_or_serves_another_firm(told: Told) -> None:
    labels = told.labels("new_intermediary")
    owner_of = {one.code: one.cylinder.owner_id for one in told.events if one.kind == "register"}
    seen = set()
    for label in labels:
        site = told.sites.get(label.subject)
        events = told.of(label)
        if site is None:
            seen.add("unknown")
            assert {event.kind for event in events} == {"ship", "receive"}
        elif site.type == "customer":
            seen.add("customer")
            assert {event.kind for event in events} == {"ship", "receive"}
        else:
            seen.add("other firm")
            owners = {told.sites[event.to_site].owner_id for event in events if event.kind == "receive"}
            assert site.owner_id not in owners
            assert {owner_of[event.code] for event in events} == {site.owner_id}
        assert len(events) >= 10
    assert seen == {"unknown", "customer", "other firm"}
    for label in told.labels("new_intermediary", fault=False):
        assert told.sites[label.subject].valid_from is not None
        assert {owner_of[event.code] for event in told.of(label)} == {told.sites[label.subject].owner_id}


def test_a_customer_over_its_limit_is_so_for_days(told: Told) -> None:
    for label in told.labels("overstock"):
        assert told.limit_kg(label.subject) < 14.9 * len(label.event_ids)
        assert not [one for one in told.events if one.kind == "return" and one.from_site == label.subject]
    large: list[Label] = []
    missed: list[Label] = []
    for label in told.labels("overstock", fault=False):
        (missed if "漏扫" in label.note else large).append(label)
    for label in large:
        assert told.limit_kg(label.subject) > 14.9 * len(label.event_ids)
    for label in missed:
        assert told.limit_kg(label.subject) < 14.9 * len(label.event_ids)


def test_honest_customers_keep_within_their_storage(honest: Told) -> None:
    gas = {"YSP35.5": 14.9, "YSP12": 5.0, "YSP118": 49.5}
    size = {one.code: gas.get(one.cylinder.model, 10.0) for one in honest.events if one.kind == "register"}
    changes = defaultdict(list)
    where: dict[str, str] = {}
    first = {one.new_code: one.code for one in honest.events if one.kind == "tag_replace"}
    for event in sorted(honest.events, key=lambda one: one.occurred_at):
        if event.kind not in {"ship", "receive", "deliver", "return", "fill"}:
            continue
        code = event.code
        while code in first:
            code = first[code]
        if held := where.pop(code, None):
            changes[held].append(-size[code])
        if event.kind == "deliver":
            where[code] = event.to_site
            changes[event.to_site].append(size[code])
            assert sum(changes[event.to_site]) <= honest.limit_kg(event.to_site) + 30
    assert len(changes) > 500


def test_a_sink_gives_nothing_and_a_hoarding_cluster_gives_nothing_back(told: Told) -> None:
    for label in told.labels("sink_source"):
        came = [one for one in told.events if one.kind == "receive" and one.to_site == label.subject]
        went = [one for one in told.events if one.kind == "ship" and one.from_site == label.subject]
        assert min(len(came), len(went)) == 0
        assert max(len(came), len(went)) == len(label.event_ids) >= 20
    for label in told.labels("hoarding"):
        homes = {event.to_site for event in told.of(label)}
        assert len(homes) >= 5
        assert not [one for one in told.events if one.kind == "return" and one.from_site in homes]
        for home in homes:
            held = sum(event.to_site == home for event in told.of(label))
            assert 14.9 * held < told.sites[home].storage_limit_kg


def test_an_honest_city_fills_by_day_and_no_faster_than_a_gun_can(honest: Told) -> None:
    fills = [one for one in honest.events if one.kind == "fill"]
    assert not [one for one in fills if not 6 <= hour(one.occurred_at) < 21.5]
    for on_gun in by(fills, "gun_id").values():
        assert min(gaps_s(on_gun)) > 150


def test_an_honest_agency_inspects_one_at_a_time(honest: Told) -> None:
    inspected = by((one for one in honest.events if one.kind == "inspect"), "site_id")
    assert len(inspected) == 2
    for at_agency in inspected.values():
        assert min(gaps_s(at_agency)) >= 240


def test_an_honest_hand_keys_few_codes(honest: Told) -> None:
    scans = [one for one in honest.events if getattr(one, "entry", None)]
    assert 0.01 < mean(one.entry == "keyed" for one in scans) < 0.02


def test_a_large_city_has_more_of_everything() -> None:
    small = built(Plan(seed=1, cylinders=2000, days=60, end=END))
    large = built(Plan(seed=1, cylinders=200_000, days=60, end=END))
    assert (len(small.firms), len(small.agencies)) == (3, 2)
    assert 8 <= len(large.firms) <= 12
    assert 30 <= sum(len(firm.stations) for firm in large.firms) <= 50
    assert 50 <= sum(len(firm.depots) for firm in large.firms) <= 70
    assert 4 <= len(large.agencies) <= 6
