"""The rules in force. A rule that is not listed here does not exist."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cylinder_trace.judging.days import SiteDay
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, NetworkRule, Rule
from cylinder_trace.judging.rules.cylinder import (
    clone,
    deliver_without_fill,
    diverted,
    dormant_reactivated,
    double_fill,
    due_soon,
    fill_after_failed_check,
    fill_over_life,
    fill_overdue,
    foreign_fill,
    foreign_gun,
    impossible_order,
    inspect_no_arrival,
    inspection_inconsistent,
    long_dwell,
    medium_mismatch,
    never_received,
    no_postcheck,
    no_precheck,
    overdue_at_user,
    overfill,
    override_used,
    owner_gone,
    received_not_shipped,
    retag_repeat,
    tag_conflict,
    tag_out_of_block,
    uncertified_operator,
    unchecked_fill,
    unlicensed_site,
    unregistered,
    wrong_party_return,
    zombie,
)
from cylinder_trace.judging.rules.network import (
    bypass_loop,
    hoarding,
    new_intermediary,
    out_of_area,
    overstock,
    sink_source,
)
from cylinder_trace.judging.rules.site import (
    backdated_scan,
    backdated_upload,
    clock_fault,
    courier_bulk_scan,
    fill_to_delivery,
    fill_too_fast,
    identical_weights,
    inspection_mill,
    manual_codes,
    night_fill,
    no_failures,
    operator_two_places,
    scan_gap,
    short_weight,
    silent_station,
    site_imbalance,
    station_burst,
)
from cylinder_trace.judging.rules.system import (
    alert_flood,
    dead_letters,
    heartbeat_missing,
    no_recipient,
    outbox_stuck,
    snapshot_stale,
    worker_stopped,
)
from cylinder_trace.judging.scan import IN_ORDER, Scan
from cylinder_trace.judging.site_rule import SiteRule, nothing
from cylinder_trace.judging.system_rule import SystemRule, SystemState
from cylinder_trace.judging.windows import City, PersonDay, at_several_sites, device_windows, site_windows

if TYPE_CHECKING:
    import networkx as nx

CYLINDER_RULES: tuple[CylinderRule, ...] = (
    fill_overdue.RULE,
    fill_over_life.RULE,
    zombie.RULE,
    unregistered.RULE,
    foreign_fill.RULE,
    unlicensed_site.RULE,
    medium_mismatch.RULE,
    overfill.RULE,
    unchecked_fill.RULE,
    no_precheck.RULE,
    no_postcheck.RULE,
    double_fill.RULE,
    deliver_without_fill.RULE,
    override_used.RULE,
    fill_after_failed_check.RULE,
    uncertified_operator.RULE,
    foreign_gun.RULE,
    owner_gone.RULE,
    diverted.RULE,
    never_received.RULE,
    received_not_shipped.RULE,
    impossible_order.RULE,
    clone.RULE,
    long_dwell.RULE,
    due_soon.RULE,
    overdue_at_user.RULE,
    dormant_reactivated.RULE,
    inspect_no_arrival.RULE,
    inspection_inconsistent.RULE,
    tag_out_of_block.RULE,
    retag_repeat.RULE,
    tag_conflict.RULE,
    wrong_party_return.RULE,
)

SITE_RULES: tuple[SiteRule, ...] = (
    night_fill.RULE,
    fill_too_fast.RULE,
    inspection_mill.RULE,
    no_failures.RULE,
    backdated_upload.RULE,
    backdated_scan.RULE,
    clock_fault.RULE,
    operator_two_places.RULE,
    courier_bulk_scan.RULE,
    identical_weights.RULE,
    short_weight.RULE,
    silent_station.RULE,
    manual_codes.RULE,
    scan_gap.RULE,
    fill_to_delivery.RULE,
    station_burst.RULE,
    site_imbalance.RULE,
)

NETWORK_RULES: tuple[NetworkRule, ...] = (
    out_of_area.RULE,
    bypass_loop.RULE,
    new_intermediary.RULE,
    overstock.RULE,
    sink_source.RULE,
    hoarding.RULE,
)

SYSTEM_RULES: tuple[SystemRule, ...] = (
    worker_stopped.RULE,
    outbox_stuck.RULE,
    dead_letters.RULE,
    no_recipient.RULE,
    heartbeat_missing.RULE,
    snapshot_stale.RULE,
    alert_flood.RULE,
)

# Those that look at a window at all: a city has many windows.
_IN_WINDOW = tuple(rule for rule in SITE_RULES if rule.in_window is not nothing)
_OF_DEVICE = tuple(rule for rule in SITE_RULES if rule.of_device is not nothing)

LEDGER_RULES: dict[str, Rule] = {rule.name: rule for rule in (*CYLINDER_RULES, *SITE_RULES, *NETWORK_RULES)}
"""The rules over what is on record, by name: what they find can be found again from the ledger."""

RULES: dict[str, Rule] = LEDGER_RULES | {rule.name: rule for rule in SYSTEM_RULES}
"""Every rule by its name."""


def day_findings(site_day: SiteDay, reference: Reference) -> list[Finding]:
    """All that the rules find in one day of a site."""
    return [finding for rule in SITE_RULES for finding in rule.in_day(site_day, reference)]


def city_findings(
    city: City, reference: Reference, scans_of: Callable[[str, Sequence[str]], Sequence[Scan]]
) -> list[Finding]:
    """All that the rules find over the days that end with the city's.

    `scans_of(person, sites)` gives what a person scanned at these sites on the last day.
    """
    found = [
        finding
        for window in site_windows(city, reference)
        for rule in _IN_WINDOW
        for finding in rule.in_window(window, reference)
    ]
    for device in device_windows(city):
        found += [finding for rule in _OF_DEVICE for finding in rule.of_device(device, reference)]
    apart_km = reference.number("operator_two_places.min_distance_km", city.at_ms)
    for person, sites in at_several_sites(city, reference, apart_km).items():
        scans = sorted(scans_of(person, sites), key=IN_ORDER)
        day = PersonDay(person, city.day, scans)
        found += [finding for rule in SITE_RULES for finding in rule.of_person(day, reference)]
    return found


def system_findings(state: SystemState, reference: Reference) -> list[Finding]:
    """All that the rules find in the system itself."""
    return [finding for rule in SYSTEM_RULES for finding in rule.find(state, reference)]


def network_findings(
    graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int
) -> list[Finding]:
    """All that the network rules find around a site as of a moment."""
    rules = _not_ruled_out(graph)
    return [finding for rule in rules for finding in rule.find(graph, site, reference, as_of_ms)]


def network_wake_ms(
    graph: "nx.MultiDiGraph[str]", site: str, reference: Reference, as_of_ms: int
) -> int | None:
    """After which moment time alone may change what the network rules find around a site; None where it can not."""
    wakes = [rule.wake(graph, site, reference, as_of_ms) for rule in _not_ruled_out(graph)]
    return min((wake for wake in wakes if wake is not None), default=None)


def _not_ruled_out(graph: "nx.MultiDiGraph[str]") -> list[NetworkRule]:
    return [rule for rule in NETWORK_RULES if rule.name not in graph.graph.get("ruled_out", ())]
