"""A cylinder's story: its events in the order they happened, folded into a state, legs and findings.

The fold is the only definition of a cylinder's state. It can continue from a saved state for events that
come after all it has seen, or start from the beginning when one comes late; both give the same result.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.judging.scan import MOVEMENTS, SCANS, Scan, local_day, overruled
from cylinder_trace.judging.state import Leg, Owed, State

_IN_ORDER = attrgetter("at_ms", "event_id")
_FINDS = {
    kind: tuple(rule.find for rule in CYLINDER_RULES if kind in rule.kinds)
    for kind in {kind for rule in CYLINDER_RULES for kind in rule.kinds}
}
_LAPSES = {rule.name: rule.lapse for rule in CYLINDER_RULES if rule.lapse is not None}
_DUE_ON = {
    kind: frozenset(rule.name for rule in CYLINDER_RULES if kind in rule.due_on)
    for kind in {kind for rule in CYLINDER_RULES for kind in rule.due_on}
}
_OUT_OF_USE = {"stop": "stopped", "lost": "lost", "hold": "held", "scrap": "scrapped"}
_BACK_IN_USE = {"resume": "stopped", "found": "lost", "release": "held"}


@dataclass(slots=True)
class Chapter:
    """What a fold gives: the state after it, and the legs and findings of the events it saw."""

    state: State
    legs: list[Leg]
    findings: list[Finding]


def told(
    cylinder_id: str,
    scans: Iterable[Scan],
    reference: Reference,
    as_of_ms: int,
    corrections: Mapping[str, str] = MappingProxyType({}),
) -> Chapter:
    """Fold a whole story from its beginning. `scans` may come in any order, each event once.

    `corrections` are those that were filed elsewhere: the id of each with the id it corrects.
    """
    scans = sorted(scans, key=_IN_ORDER)
    void = voided(scans, corrections)
    chapter = Chapter(State(cylinder_id), [], [])
    _read_on(chapter, scans, void, reference)
    if void:
        mine = {scan.event_id for scan in scans} | {scan.corrects for scan in scans}
        chapter.state.voids = tuple(sorted(void & mine))
    lapse(chapter, as_of_ms, reference)
    return chapter


def continued(state: State, scans: Iterable[Scan], reference: Reference, as_of_ms: int) -> Chapter | None:
    """Move a saved state on; None, and `state` as it was, where an event is late and the story must be told anew."""
    scans = sorted(scans, key=_IN_ORDER)
    if scans and (scans[0].key <= state.last_key or scans[0].at_ms <= state.lapsed_ms):
        return None
    if any(scan.kind == "correct" or scan.event_id in state.voids for scan in scans):
        return None
    chapter = Chapter(state, [], [])
    _read_on(chapter, scans, frozenset(), reference)
    lapse(chapter, as_of_ms, reference)
    return chapter


def voided(scans: Iterable[Scan], filed_elsewhere: Mapping[str, str] = MappingProxyType({})) -> set[str]:
    """The ids of the events that corrections declare wrong; a correction can itself be corrected."""
    corrections = {**filed_elsewhere, **{scan.event_id: scan.corrects for scan in scans if scan.corrects}}
    return overruled(corrections) if corrections else set()


def lapse(chapter: Chapter, as_of_ms: int, reference: Reference) -> None:
    """Find what became true by time alone up to `as_of_ms`: what was owed and did not come."""
    state = chapter.state
    if state.wake_ms is None or state.wake_ms >= as_of_ms:
        return
    late = state.settle(lambda owed: owed.deadline_ms < as_of_ms)
    chapter.findings += [_LAPSES[owed.rule](state, owed, reference) for owed in late]
    state.lapsed_ms = max(state.lapsed_ms, *(owed.deadline_ms for owed in late))


def _read_on(
    chapter: Chapter, scans: Iterable[Scan], void: set[str] | frozenset[str], reference: Reference
) -> None:
    # The hot loop of the whole city: plain integers, no look-up that is not needed.
    state, legs, findings = chapter.state, chapter.legs, chapter.findings
    for scan in scans:
        kind = scan.kind
        # A voided event still moves the reading mark: what arrives before it is late all the same.
        if kind == "correct" or scan.event_id in void:
            state.last_ms, state.last_event = scan.at_ms, scan.event_id
            state.events += 1
            continue
        if state.wake_ms is not None:
            if state.wake_ms < scan.at_ms:
                lapse(chapter, scan.at_ms, reference)
            if state.owed and (due := _DUE_ON.get(kind)):
                state.hasten(due, scan.at_ms + reference.fill_check_terms(scan.at_ms).after_tolerance_ms)
        for find in _FINDS.get(kind, ()):
            if finding := find(state, scan, reference):
                findings.append(finding)
        advance(state, scan, reference, legs)


def advance(state: State, scan: Scan, reference: Reference, legs: list[Leg]) -> None:
    """Move one cylinder by one event; the legs it begins, ends or reveals are appended to `legs`."""
    kind, site = scan.kind, scan.site
    if kind in MOVEMENTS:
        _move(state, scan, reference, legs)
    else:
        if move := _MOVES.get(kind):
            move(state, scan, reference)
        if site is not None:
            if site != state.loc:
                _seen_elsewhere(state, scan, site, legs)
            state.loc_event = scan.event_id
    if site in reference.stations and kind in SCANS:
        state.station_since_return = True
    state.last_ms, state.last_event = scan.at_ms, scan.event_id
    state.events += 1


def _fill_check(state: State, scan: Scan, _reference: Reference) -> None:
    if scan.result == "pass":
        state.check_ms, state.check_site = scan.at_ms, scan.site
        if state.owed:
            state.settle(lambda owed: owed.rule == "no_precheck" and owed.site == scan.site)


def _fill(state: State, scan: Scan, reference: Reference) -> None:
    at_ms, site = scan.at_ms, scan.site
    before_ms, before_tolerance_ms, after_ms, after_tolerance_ms = reference.fill_check_terms(at_ms)
    state.post_result = _checked_by_a_slow_clock(state, at_ms - after_tolerance_ms, site)
    if state.post_result != "pass":
        state.owe(Owed("no_postcheck", scan.event_id, at_ms, site, at_ms + after_ms))
    if state.check_ms is None or state.check_site != site or at_ms - state.check_ms > before_ms:
        state.owe(Owed("no_precheck", scan.event_id, at_ms, site, at_ms + before_tolerance_ms))
    state.fill_ms, state.fill_event, state.fill_site = at_ms, scan.event_id, site
    state.moved_since_fill = False


def _checked_by_a_slow_clock(state: State, since_ms: int, site: str | None) -> str | None:
    """The result of a check after this fill that a slow clock dates before it: one that no earlier fill had owed."""
    early, state.post_early = state.post_early, None
    return early[2] if early is not None and early[0] >= since_ms and early[1] == site else None


def _post_check(state: State, scan: Scan, _reference: Reference) -> None:
    settled = scan.result == "pass" and state.settle(lambda owed: owed.rule == "no_postcheck")
    of_last_fill = state.fill_ms is not None and not state.moved_since_fill and state.post_result != "pass"
    if settled or of_last_fill:
        state.post_result = scan.result
    else:
        state.post_early = scan.at_ms, scan.site, scan.result


def _move(state: State, scan: Scan, reference: Reference, legs: list[Leg]) -> None:
    state.moved_since_fill = True
    kind, origin, goal = scan.kind, scan.from_site, scan.to_site
    if origin is None or goal is None:
        return
    at_ms, event_id, leg = scan.at_ms, scan.event_id, state.open_leg
    if kind == "receive" and leg is not None and leg.from_site == origin:
        # The same leg, arrived; not always where it was shipped to.
        legs.append(leg.ended(at_ms, event_id, goal))
        state.open_leg = None
    else:
        if origin != state.loc:
            _seen_elsewhere(state, scan, origin, legs)
        handed_over = kind == "deliver"
        leg = Leg(
            state.legs,
            kind,
            origin,
            goal,
            None if kind == "receive" else at_ms,
            None if kind == "ship" else at_ms,
            event_id,
            event_id,
            state.owner,
            state.allowed_g,
            kind == "receive",
            handed_over and state.returned and not state.station_since_return,
            handed_over and _is_outside(state.owner, goal, at_ms, reference),
        )
        state.legs += 1
        legs.append(leg)
        state.open_leg = leg if kind == "ship" else None
    state.loc, state.loc_event = goal, event_id
    if kind == "return":
        state.returned = True
        state.station_since_return = goal in reference.stations


def _seen_elsewhere(state: State, scan: Scan, site: str, legs: list[Leg]) -> None:
    """A scan at another place than the story has it reveals a leg nobody scanned: drawn as a gap."""
    if state.loc is not None:
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
            gas_g=state.allowed_g,
            gap=True,
            decanted=False,
            outside=False,
        )
        state.legs += 1
        legs.append(gap)
        state.open_leg = None
        state.moved_since_fill = True
    state.loc, state.loc_event = site, scan.event_id


def _is_outside(owner: str | None, site: str, at_ms: int, reference: Reference) -> bool:
    record = reference.sites.get(site)
    return bool(record and owner and not reference.may_serve(owner, record.district, at_ms))


def _inspect(state: State, scan: Scan, _reference: Reference) -> None:
    if scan.result == "pass":
        state.valid_until_day = scan.valid_until_day
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


def _transfer(state: State, scan: Scan, _reference: Reference) -> None:
    state.owner = scan.new_owner


def _retag(state: State, scan: Scan, _reference: Reference) -> None:
    state.retired = (*state.retired, scan.code)


def _take_out(state: State, scan: Scan, _reference: Reference) -> None:
    state.take_out(_OUT_OF_USE[scan.kind], scan.event_id)


def _bring_back(state: State, scan: Scan, _reference: Reference) -> None:
    state.bring_back(_BACK_IN_USE[scan.kind])


_MOVES: dict[str, Callable[[State, Scan, Reference], None]] = {
    "register": _enter,
    "update": _enter,
    "fill_check": _fill_check,
    "fill": _fill,
    "post_check": _post_check,
    "inspect": _inspect,
    "transfer": _transfer,
    "tag_replace": _retag,
    **dict.fromkeys(_OUT_OF_USE, _take_out),
    **dict.fromkeys(_BACK_IN_USE, _bring_back),
}
"""What each kind does to the state, beyond where the cylinder is; movements are `_move`."""
