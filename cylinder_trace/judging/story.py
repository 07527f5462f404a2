"""A cylinder's story: its events in the order they happened, folded into a state, legs and findings.

The fold is the only definition of a cylinder's state. It can continue from a saved state for events that
come after all it has seen, or start from the beginning when one comes late; both give the same result.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.judging.scan import HOUR_MS, MOVEMENTS, Scan, local_day, overruled
from cylinder_trace.judging.state import Leg, Owed, State

_BY_KIND = {
    kind: tuple(rule for rule in CYLINDER_RULES if kind in rule.kinds)
    for kind in {kind for rule in CYLINDER_RULES for kind in rule.kinds}
}
_LAPSING = tuple(rule for rule in CYLINDER_RULES if rule.lapse is not None)
_OUT_OF_USE = {"stop": "stopped", "lost": "lost", "hold": "held", "scrap": "scrapped"}
_BACK_IN_USE = {"resume": "stopped", "found": "lost", "release": "held"}


@dataclass(slots=True)
class Chapter:
    """What a fold gives: the state after it, and the legs and findings of the events it saw."""

    state: State
    legs: list[Leg]
    findings: list[Finding]


def told(cylinder_id: str, scans: Iterable[Scan], reference: Reference, as_of_ms: int) -> Chapter:
    """Fold a whole story from its beginning. `scans` may come in any order, each event once."""
    scans = list(scans)
    void = voided(scans)
    chapter = Chapter(State(cylinder_id), [], [])
    for scan in sorted(scans, key=lambda scan: scan.key):
        # A voided event still moves the reading mark: what arrives before it is late all the same.
        if scan.event_id in void or scan.kind == "correct":
            chapter.state.pass_over(scan)
        else:
            _step(chapter, scan, reference)
    chapter.state.voids = tuple(sorted(void))
    lapse(chapter, as_of_ms, reference)
    return chapter


def continued(state: State, scans: Iterable[Scan], reference: Reference, as_of_ms: int) -> Chapter | None:
    """Continue a story from its saved state; None where an event is late and the story must be told anew."""
    scans = sorted(scans, key=lambda scan: scan.key)
    if scans and (scans[0].key <= state.last_key or scans[0].at_ms <= state.lapsed_ms):
        return None
    if any(scan.kind == "correct" or scan.event_id in state.voids for scan in scans):
        return None
    chapter = Chapter(state.copy(), [], [])
    for scan in scans:
        _step(chapter, scan, reference)
    lapse(chapter, as_of_ms, reference)
    return chapter


def voided(scans: Iterable[Scan]) -> set[str]:
    """The ids of the events that corrections declare wrong; a correction can itself be corrected."""
    return overruled({scan.event_id: scan.corrects for scan in scans if scan.corrects})


def lapse(chapter: Chapter, as_of_ms: int, reference: Reference) -> None:
    """Find what became true by time alone up to `as_of_ms`: what was owed and did not come."""
    state = chapter.state
    while state.wake_ms is not None and state.wake_ms < as_of_ms:
        deadline = state.wake_ms
        for rule in _LAPSING:
            if rule.lapse is not None and (finding := rule.lapse(state, deadline, reference)):
                chapter.findings.append(finding)
        state.forgive(deadline)
        state.lapsed_ms = max(state.lapsed_ms, deadline)


def _step(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    state = chapter.state
    if state.wake_ms is not None and state.wake_ms < scan.at_ms:
        lapse(chapter, scan.at_ms, reference)
    for rule in _BY_KIND.get(scan.kind, ()):
        if finding := rule.find(state, scan, reference):
            chapter.findings.append(finding)
    advance(state, scan, reference, chapter.legs)


def advance(state: State, scan: Scan, reference: Reference, legs: list[Leg]) -> None:
    """Move one cylinder by one event; the legs it begins, ends or reveals are appended to `legs`."""
    kind = scan.kind
    if kind == "fill":
        _fill(state, scan, reference)
    elif kind == "fill_check":
        if scan.result == "pass":
            state.check_ms, state.check_site = scan.at_ms, scan.site
            owed = state.precheck_owed
            if owed and owed.site == scan.site:
                state.precheck_owed = None
    elif kind == "post_check":
        state.post_result = scan.result
        if scan.result == "pass":
            state.postcheck_owed = None
    elif kind in MOVEMENTS:
        _move(state, scan, reference, legs)
    elif kind == "inspect":
        _inspect(state, scan)
    elif kind in {"register", "update"}:
        _enter(state, scan, reference)
    elif kind == "transfer":
        state.owner = scan.new_owner
    elif kind == "tag_replace":
        state.retired = (*state.retired, scan.code)
    elif kind in _OUT_OF_USE:
        state.take_out(_OUT_OF_USE[kind], scan.event_id)
    elif kind in _BACK_IN_USE:
        state.bring_back(_BACK_IN_USE[kind])
    if scan.site is not None and kind not in MOVEMENTS:
        _seen_at(state, scan, scan.site, legs)
    if scan.site in reference.stations:
        state.station_since_return = True
    state.pass_over(scan)
    state.set_wake()


def _fill(state: State, scan: Scan, reference: Reference) -> None:
    at_ms = scan.at_ms
    before_ms = reference.number("no_precheck.before_h", at_ms) * HOUR_MS
    if state.check_ms is None or state.check_site != scan.site or at_ms - state.check_ms > before_ms:
        tolerance_ms = int(reference.number("no_precheck.clock_tolerance_min", at_ms) * 60_000)
        state.precheck_owed = Owed(scan.event_id, at_ms, scan.site, at_ms + tolerance_ms)
    within_ms = int(reference.number("no_postcheck.within_h", at_ms) * HOUR_MS)
    state.postcheck_owed = Owed(scan.event_id, at_ms, scan.site, at_ms + within_ms)
    state.fill_ms, state.fill_event, state.fill_site = at_ms, scan.event_id, scan.site
    state.moved_since_fill = False
    state.post_result = None
    state.medium_filled = scan.medium


def _move(state: State, scan: Scan, reference: Reference, legs: list[Leg]) -> None:
    state.moved_since_fill = True
    state.postcheck_owed = None  # the rule has spoken: it left without
    origin, goal = scan.from_site, scan.to_site
    if origin is None or goal is None:
        return
    leg = state.open_leg
    if scan.kind == "receive" and leg is not None and leg.from_site == origin:
        arrived = leg.ended(scan.at_ms, scan.event_id, goal)
        legs.append(arrived)
        state.open_leg, state.loc = None, goal
    else:
        _seen_at(state, scan, origin, legs)
        decanted = scan.kind == "deliver" and state.returned and not state.station_since_return
        leg = Leg(
            state.legs,
            scan.kind,
            origin,
            goal,
            None if scan.kind == "receive" else scan.at_ms,
            None if scan.kind == "ship" else scan.at_ms,
            scan.event_id,
            scan.event_id,
            state.owner,
            scan.kind == "receive",
            decanted,
            scan.kind == "deliver" and _is_outside(state.owner, goal, reference),
        )
        state.legs += 1
        legs.append(leg)
        state.open_leg = leg if scan.kind == "ship" else None
        state.loc = goal
    state.loc_event = scan.event_id
    if scan.kind == "return":
        state.returned = True
        state.station_since_return = goal in reference.stations


def _seen_at(state: State, scan: Scan, site: str, legs: list[Leg]) -> None:
    """A scan at another place than the story has it reveals a leg nobody scanned: drawn as a gap."""
    if state.loc is not None and state.loc != site:
        gap = Leg(
            no=state.legs,
            kind="gap",
            from_site=state.loc,
            to_site=site,
            departed_ms=None,
            arrived_ms=scan.at_ms,
            depart_event=state.loc_event,
            arrive_event=scan.event_id,
            owner=state.owner,
            gap=True,
            decanted=False,
            outside=False,
        )
        state.legs += 1
        legs.append(gap)
        state.open_leg = None
    if state.loc != site or scan.kind not in MOVEMENTS:
        state.loc, state.loc_event = site, scan.event_id


def _is_outside(owner: str | None, site: str, reference: Reference) -> bool:
    record = reference.sites.get(site)
    firm = reference.owners.get(owner) if owner else None
    return bool(record and firm and firm.districts and record.district not in firm.districts)


def _inspect(state: State, scan: Scan) -> None:
    if scan.result == "pass":
        state.valid_until_day, state.inspected_ms = scan.valid_until_day, scan.at_ms
    elif scan.result == "scrap":
        state.take_out("scrapped", scan.event_id)
    else:
        # A failed inspection ends the term of the one before it.
        yesterday = local_day(scan.at_ms) - 1
        state.valid_until_day = min(state.valid_until_day or yesterday, yesterday)


def _enter(state: State, scan: Scan, reference: Reference) -> None:
    entry: dict[str, Any] = dict(scan.master or {})
    if scan.kind == "register" and state.registered_ms is None:
        state.registered_ms = scan.at_ms
    state.cylinder_class = entry.get("cylinder_class", state.cylinder_class)
    state.medium = entry.get("medium", state.medium)
    state.owner = entry.get("owner_id", state.owner)
    state.model = entry.get("model", state.model)
    state.volume_l = entry.get("volume_l", state.volume_l)
    state.manufactured = entry.get("manufactured", state.manufactured)
    if "working_pressure_mpa" in entry:
        state.working_kpa = round(entry["working_pressure_mpa"] * 1000)
    if "extension_until" in entry:
        state.extension_day = date.fromisoformat(entry["extension_until"]).toordinal()
    if "valid_until" in entry:
        state.valid_until_day = date.fromisoformat(entry["valid_until"]).toordinal()
    state.allowed_g = reference.allowed_g(state.model, state.volume_l, state.medium, scan.at_ms)
    if state.cylinder_class and state.medium:
        state.life_end_day = reference.life_end_day(
            state.cylinder_class, state.medium, state.manufactured, state.extension_day, scan.at_ms
        )
