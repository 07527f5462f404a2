"""The simulated city: the same from the same plan, readable by the contract, lawful but for what is labelled."""

import hashlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cylinder_trace.contract.event import REFERENCE_KINDS, read_event, written
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import OwnerRecord, SiteRecord
from cylinder_trace.simulator.calendar import local_date
from cylinder_trace.simulator.city import Arrival, City, Plan, simulate
from cylinder_trace.simulator.files import read, write
from cylinder_trace.simulator.plan import MINUTE_MS

END = datetime(2026, 11, 20, tzinfo=UTC)
FAULTS = {
    "fill_overdue", "fill_over_life", "zombie", "unregistered", "foreign_fill", "unlicensed_site",
    "medium_mismatch", "overfill", "no_precheck", "no_postcheck", "double_fill", "deliver_without_fill",
    "out_of_area", "bypass_loop", "fill_after_failed_check", "uncertified_operator", "foreign_gun", "owner_gone",
    "override_used", "diverted", "never_received", "received_not_shipped", "impossible_order", "clone",
    "long_dwell", "overdue_at_user", "dormant_reactivated", "inspect_no_arrival", "inspection_inconsistent",
    "tag_out_of_block", "retag_repeat", "tag_conflict", "wrong_party_return",
}  # fmt: skip
MOVEMENTS = {"ship", "receive", "deliver", "return"}
CLOCKS_APART = timedelta(minutes=30)
NEVER_LAWFUL = {"bypass_loop", "foreign_gun", "override_used", "impossible_order"}
"""Kinds of which no lawful look-alike is planted."""


@pytest.fixture(scope="module")
def city() -> City:
    return simulate(Plan(seed=11, cylinders=150, days=40, end=END))


@pytest.fixture(scope="module")
def honest() -> City:
    # Noisier than usual, so that what must hold despite noise is tried.
    return simulate(
        Plan(seed=12, cylinders=300, days=45, end=END, faults_of_each_kind=0, missed_scan_share=0.1,
             late_upload_share=0.1, clock_drift_s=600)
    )  # fmt: skip


def once(city: City) -> list[Arrival]:
    """What arrived, without what was sent again."""
    first: dict[UUID, Arrival] = {}
    for arrival in city.arrivals:
        first.setdefault(arrival.event.event_id, arrival)
    return list(first.values())


def stories(city: City) -> dict[str, list[Any]]:
    """Every cylinder's events in the order they happened, under its first code."""
    events = [arrival.event for arrival in once(city)]
    first = {event.new_code: event.code for event in events if event.kind == "tag_replace"}
    told = defaultdict(list)
    for event in events:
        if event.kind not in REFERENCE_KINDS:
            code = event.code
            while code in first:
                code = first[code]
            told[code].append(event)
    return {
        code: sorted(story, key=lambda event: (event.occurred_at, event.event_id))
        for code, story in told.items()
    }


def digest(directory: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(directory.iterdir()))).hexdigest()


def test_the_same_plan_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        write(simulate(Plan(seed=seed, cylinders=10, days=7, end=END)), tmp_path / name)
    assert digest(tmp_path / "one") == digest(tmp_path / "again")
    assert digest(tmp_path / "one") != digest(tmp_path / "other")


def test_every_event_reads_back_through_the_contract(city: City) -> None:
    for arrival in city.arrivals:
        assert read_event(written(arrival.event)) == arrival.event


def test_a_city_reads_back_from_its_files(city: City, tmp_path: Path) -> None:
    write(city, tmp_path)
    parts = read(tmp_path)
    assert tuple(parts.records) == city.records
    assert tuple(parts.arrivals) == tuple(city.arrivals)
    assert tuple(parts.labels) == city.labels
    assert tuple(parts.missed) == city.missed != ()


def test_a_city_of_which_nobody_knows_what_was_missed_reads_as_if_nothing_was(
    city: City, tmp_path: Path
) -> None:
    write(city, tmp_path)
    (tmp_path / "missed.jsonl").unlink()
    assert tuple(read(tmp_path).missed) == ()


def test_every_kind_of_fault_and_look_alike_is_planted_and_its_events_arrived(city: City) -> None:
    assert {label.kind for label in city.labels if label.fault} >= FAULTS
    assert {label.kind for label in city.labels if not label.fault} >= FAULTS - NEVER_LAWFUL
    arrived = {arrival.event.event_id for arrival in city.arrivals}
    for label in city.labels:
        assert label.event_ids
        assert set(label.event_ids) <= arrived, label
    for kind in FAULTS:
        assert sum(label.kind == kind and label.fault for label in city.labels) >= 3


def test_arrivals_are_sorted_and_nothing_lies_beyond_the_end(city: City) -> None:
    received = [arrival.received_at for arrival in city.arrivals]
    assert received == sorted(received)
    assert received[-1] <= END
    assert max(arrival.event.occurred_at for arrival in city.arrivals) <= END


def test_late_uploads_arrive_in_another_order_than_they_happened(honest: City) -> None:
    scans = [arrival for arrival in honest.arrivals if arrival.event.device_id]
    late = [a for a in scans if a.received_at - a.event.occurred_at > timedelta(hours=1)]
    assert 0.02 < len(late) / len(scans) < 0.3
    happened = [arrival.event.occurred_at for arrival in scans]
    assert happened != sorted(happened)


def test_a_device_numbers_its_scans_in_the_order_it_made_and_sent_them(honest: City) -> None:
    by_device = defaultdict(list)
    for arrival in once(honest):
        if arrival.event.device_id:
            by_device[arrival.event.device_id].append(arrival)
    gaps = 0
    for arrivals in by_device.values():
        numbers = [arrival.event.device_seq for arrival in arrivals]
        assert all(a < b for a, b in pairwise(numbers)), "sent in the order of the count"
        times = [arrival.event.occurred_at for arrival in arrivals]
        assert times == sorted(times)
        gaps += numbers[-1] - len(numbers)
    assert 0 < gaps < 0.02 * len(honest.arrivals)


def test_an_honest_city_has_no_labels_and_misses_the_planned_share_of_movements(honest: City) -> None:
    assert not honest.labels
    moved = sum(arrival.event.kind in MOVEMENTS for arrival in once(honest))
    missed = sum(one.kind in MOVEMENTS for one in honest.missed)
    assert 0.05 < missed / (moved + missed) < 0.15  # 0.1 was planned


def test_missed_scans_are_forgotten_one_by_one_or_for_hours(honest: City) -> None:
    by_site = defaultdict(list)
    for one in honest.missed:
        by_site[one.site_id].append(one.at_ms)
    apart_min = [(b - a) / MINUTE_MS for times in by_site.values() for a, b in pairwise(sorted(times))]
    # By chance alone one in a hundred would follow another within half an hour.
    assert sum(gap < 30 for gap in apart_min) > len(apart_min) / 10
    assert sum(gap > 600 for gap in apart_min) > 20


def test_a_cylinder_whose_label_nobody_can_read_passes_a_station_on_paper(honest: City) -> None:
    unseen = {one.cylinder_code for one in honest.missed if one.kind == "fill"}
    assert unseen
    replaced = {a.event.code for a in once(honest) if a.event.kind == "tag_replace"}
    scanned_at_guns = {one.cylinder_code for one in honest.missed if one.kind in {"fill_check", "post_check"}}
    assert scanned_at_guns == unseen
    assert unseen & replaced


def test_some_uploads_come_twice_and_say_the_same(city: City) -> None:
    arrivals = defaultdict(list)
    for arrival in city.arrivals:
        arrivals[arrival.event.event_id].append(arrival)
    twice = [several for several in arrivals.values() if len(several) > 1]
    assert 0 < len(twice) < 0.02 * len(arrivals)
    for first, again in twice:
        assert again.event == first.event
        assert again.received_at > first.received_at


def test_clocks_drift_and_say_how_far_they_are_off(honest: City) -> None:
    offsets = defaultdict(set)
    for arrival in once(honest):
        event = arrival.event
        if event.device_id:
            offsets[event.device_id].add(event.clock_offset_ms)
            lag = arrival.received_at - event.occurred_at + timedelta(milliseconds=event.clock_offset_ms)
            assert lag > timedelta(0)
            assert abs(event.clock_offset_ms) <= honest.plan.clock_drift_s * 1000
    busiest = max(offsets.values(), key=len)
    assert max(busiest) - min(busiest) > 30_000
    assert {min(several) < 0 for several in offsets.values()} == {True, False}


def test_what_explains_a_late_look_alike_arrives_after_what_it_explains(city: City) -> None:
    arrived = {arrival.event.event_id: arrival for arrival in city.arrivals}
    late = [label for label in city.labels if not label.fault and "晚传" in label.note]
    assert {label.kind for label in late} >= {
        "unregistered", "no_precheck", "no_postcheck", "fill_overdue", "fill_after_failed_check",
        "never_received", "received_not_shipped", "inspect_no_arrival",
    }  # fmt: skip
    for label in late:
        explains, explained = (arrived[event_id] for event_id in label.event_ids)
        after = label.kind in {"no_postcheck", "never_received"}
        assert (explains.event.occurred_at > explained.event.occurred_at) is after
        assert explains.received_at > explained.received_at, label


def test_a_station_whose_licence_was_renewed_late_fills_nothing_meanwhile(city: City) -> None:
    (label,) = [label for label in city.labels if label.kind == "unlicensed_site" and not label.fault]
    acts = [arrival.event for arrival in city.arrivals]
    licences = [act for act in acts if act.kind == "licence" and act.licensed_site_id == label.subject]
    first, renewal = sorted(licences, key=lambda licence: licence.occurred_at)
    assert renewal.event_id == label.event_ids[0]
    fills = [act.occurred_at for act in acts if act.kind == "fill" and act.site_id == label.subject]
    assert any(moment > renewal.occurred_at for moment in fills)
    for moment in fills:
        assert moment > renewal.occurred_at or local_date(epoch_ms(moment)) <= first.valid_until


def test_an_honest_city_fills_nothing_overdue_unregistered_unchecked_or_foreign(honest: City) -> None:
    firm_of = {record.site_id: record.owner_id for record in honest.records if isinstance(record, SiteRecord)}
    licences = {a.event.licensed_site_id: a.event for a in honest.arrivals if a.event.kind == "licence"}
    fills = 0
    for events in stories(honest).values():
        assert events[0].kind == "register"
        entry = events[0].cylinder
        valid_until = entry.valid_until
        for event in events:
            if event.kind == "inspect" and event.result == "pass":
                valid_until = event.valid_until
            if event.kind != "fill":
                continue
            fills += 1
            assert local_date(epoch_ms(event.occurred_at)) <= valid_until
            # A handheld's clock is not the gun's: by their times the two checks may stand on either side.
            near = [other for other in events if abs(other.occurred_at - event.occurred_at) < CLOCKS_APART]
            checks = {(one.kind, one.result, one.site_id) for one in near if one.kind.endswith("_check")}
            assert ("fill_check", "pass", event.site_id) in checks
            if event.occurred_at < END - CLOCKS_APART:
                assert ("post_check", "pass", event.site_id) in checks
            assert entry.owner_id == firm_of[event.site_id]
            assert event.medium == entry.medium
            assert event.medium in licences[event.site_id].media
            assert licences[event.site_id].valid_until > END.date()
    assert fills > 100


def test_an_honest_city_delivers_within_the_owners_districts_and_only_after_a_station(honest: City) -> None:
    on_paper = {one.cylinder_code for one in honest.missed if one.kind == "fill"}
    sites = {record.site_id: record for record in honest.records if isinstance(record, SiteRecord)}
    serves = {
        record.owner_id: record.districts for record in honest.records if isinstance(record, OwnerRecord)
    }
    for code, events in stories(honest).items():
        owner = events[0].cylinder.owner_id
        seen_by_station = True
        if on_paper & {code, *(event.code for event in events)}:
            continue
        for event in events:
            if event.kind == "return":
                seen_by_station = False
            if event.kind != "register" and event.site_id is not None:
                seen_by_station |= sites[event.site_id].type == "filling_station"
            if event.kind == "deliver":
                assert sites[event.to_site].district in serves[owner]
                assert seen_by_station


def test_nothing_happens_to_an_honest_cylinder_after_it_was_scrapped(honest: City) -> None:
    for events in stories(honest).values():
        kinds = [event.kind for event in events]
        if "scrap" in kinds:
            assert kinds[-1] == "scrap"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"days": 3}, "days"), ({"cylinders": 0}, "cylinders"), ({"end": datetime(2026, 1, 1)}, "end"),  # noqa: DTZ001
     ({"missed_scan_share": 0.9}, "missed_scan_share"),
     ({"doubled_upload_share": -0.1}, "doubled_upload_share"), ({"clock_drift_s": 900}, "clock_drift_s"),
     ({"faults_of_each_kind": -1}, "faults_of_each_kind")],
)  # fmt: skip
def test_a_plan_that_can_not_be_simulated_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    settings: dict[str, Any] = {"seed": 1, "end": END} | wrong
    with pytest.raises(ValueError, match=named):
        Plan(**settings)
