"""A site's day in numbers, and windows of such days."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cylinder_trace.contract.master import SiteRecord
from cylinder_trace.judging.days import SiteDay, tallied
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules.site import scan_gap
from cylinder_trace.judging.scan import HOUR_MS, Scan, day_start_ms
from cylinder_trace.judging.tally import Tally, ranges
from cylinder_trace.judging.windows import City, DeviceWindow, SiteWindow, device_windows, gaps
from cylinder_trace.law.tables import load

REFERENCE = Reference(load())
DAY = 740_000


def scan(number: int, hour: float, kind: str = "fill", **slots: object) -> Scan:
    made = Scan(kind, f"记录{number:02}", day_start_ms(DAY) + int(hour * HOUR_MS), f"瓶{number}", "甲站")
    made.device, made.seq, made.medium, made.net_g = "设备", number, "lpg", 14_500
    made.received_ms = made.at_ms + 60_000
    for name, value in slots.items():
        setattr(made, name, value)
    return made


def tally(*scans: Scan, void: tuple[Scan, ...] = ()) -> Tally:
    made = tallied(SiteDay("甲站", DAY, scans, void), REFERENCE)
    assert made is not None
    return made


def test_a_tally_is_read_back_as_it_was_saved() -> None:
    made = tally(scan(1, 9, gun="枪1", gun_count=7, entry="keyed", operator="张三"), scan(2, 9.1, "deliver"))
    assert Tally.restored(made.saved()).saved() == made.saved()
    assert (made.fills, made.delivers, made.keyed, made.people) == (1, 1, 1, ("张三",))
    assert Tally.restored(made.saved()).saved().count("[7,7]") == 1


def test_a_day_without_anything_has_no_tally() -> None:
    assert tallied(SiteDay("甲站", DAY, []), REFERENCE) is None


def test_what_is_declared_wrong_does_not_count_but_was_heard() -> None:
    made = tally(scan(1, 9), scan(3, 9.2), void=(scan(2, 9.1),))
    assert made.fills == 2
    assert made.devices["设备"].heard == ((1, 3),)


@given(st.sets(st.integers(0, 60)))
def test_ranges_hold_exactly_the_numbers_they_are_made_of(numbers: set[int]) -> None:
    made = ranges(numbers)
    assert {one for first, last in made for one in range(first, last + 1)} == numbers
    assert all(earlier[1] + 1 < later[0] for earlier, later in pairwise(made))


def test_a_gap_is_named_with_the_day_of_the_number_after_it() -> None:
    assert gaps([(1, [(1, 5)]), (2, [(9, 12)])], until_day=2) == [(2, 3)]


def test_a_gap_may_still_close_while_the_number_after_it_is_new() -> None:
    assert gaps([(1, [(1, 5)]), (2, [(9, 12)])], until_day=1) == []


def test_scans_written_up_later_close_the_gap_they_would_leave() -> None:
    assert gaps([(1, [(1, 5), (9, 9)]), (4, [(6, 8), (10, 12)])], until_day=9) == []


def test_a_counter_that_began_anew_has_no_gap() -> None:
    assert gaps([(1, [(500, 505)]), (2, [(1, 5)])], until_day=9) == []
    assert gaps([(1, [(500, 505)]), (2, [(1, 5)]), (3, [(6, 9)])], until_day=9) == []


def test_a_counter_that_leaps_has_a_gap_however_far_it_leaps() -> None:
    assert gaps([(1, [(1, 5)]), (2, [(5000, 5005)])], until_day=9) == [(2, 4994)]


def test_one_number_that_was_read_wrong_is_no_gap_once_the_count_went_on() -> None:
    assert gaps([(1, [(1, 5), (99_999, 99_999)]), (2, [(6, 9)])], until_day=9) == []


def test_a_device_that_made_lower_numbers_elsewhere_on_a_later_day_is_looked_at() -> None:
    first, later = (
        tally(*(scan(one, 9) for one in range(11, 16))),
        tally(*(scan(one, 9) for one in range(6, 11))),
    )
    city = City.ending(DAY + 3, {"甲站": {DAY + 1: later}, "乙站": {DAY: first}})
    assert [window.device for window in device_windows(city)] == ["设备"]
    city = City.ending(DAY + 3, {"甲站": {DAY: later}, "乙站": {DAY + 1: first}})
    assert list(device_windows(city)) == []


def test_a_rule_over_days_finds_nothing_in_the_devices_that_are_left_out() -> None:
    """A device whose numbers run on and that sent in time; all others are looked at."""
    at_sites: dict[str, dict[int, Tally]] = {"甲站": {}, "乙站": {}}
    for day, (first, other) in enumerate([(1, 1), (21, 21), (41, 61), (61, 81)]):
        numbers = {"甲站": range(first, first + 20), "乙站": range(other, other + 20)}
        for site, its in numbers.items():
            made = [scan(one, 9 + one / 60, device=f"{site}的设备", site=site) for one in its]
            at_sites[site][DAY + day] = tally(*made)
    city = City.ending(DAY + 5, at_sites)
    assert [window.device for window in device_windows(city)] == ["乙站的设备"]
    every_one = {device for its in at_sites.values() for one in its.values() for device in one.devices}
    found = {}
    for device in every_one:
        days = {
            day: [(site, its[day].devices[device])]
            for site, its in at_sites.items()
            for day in its
            if device in its[day].devices
        }
        found[device] = list(scan_gap.of_device(DeviceWindow(device, city.day, days), REFERENCE))
    assert {device for device, its in found.items() if its} == {"乙站的设备"}


def test_late_scans_are_proved_backdated_only_by_later_ones_sent_an_hour_before() -> None:
    late_ms = day_start_ms(DAY + 4)
    late = [scan(number, 9 + number / 60, received_ms=late_ms) for number in range(6)]
    afterwards = scan(10, 12)
    assert tally(*late, afterwards).devices["设备"].proved
    assert not tally(*late).devices["设备"].proved
    afterwards.received_ms = late_ms - HOUR_MS // 2
    assert not tally(*late, afterwards).devices["设备"].proved
    before = scan(11, 8)
    assert not tally(before, *late).devices["设备"].proved


def test_a_gun_that_was_used_away_from_home_lacks_nothing_there() -> None:
    """What it filled between its two visits, it filled at its own station."""
    days = {
        DAY: tally(scan(1, 9, gun="枪1", gun_count=100)),
        DAY + 1: tally(scan(2, 9, gun="枪1", gun_count=130)),
    }
    window = SiteWindow("甲站", days, City(DAY + 5, {"甲站": days}))
    assert [one.subject for one in scan_gap.in_window(window, REFERENCE)] == ["枪1"]
    home = SiteRecord(site_id="乙站", name="乙站", type="filling_station", district="310112", guns=("枪1",))
    lent = Reference.of(load(), [home], [])
    assert list(scan_gap.in_window(window, lent)) == []
