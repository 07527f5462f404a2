"""A cylinder's story: its events in the order they happened, folded into a state, legs and findings.

The fold is the only definition of a cylinder's state. It can continue from a saved state for events that
come after all it has seen, or start from the beginning when one comes late; both give the same result.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType

from cylinder_trace.judging import custody, validity
from cylinder_trace.judging.chapter import Chapter
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Find
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.judging.scan import DAY_MS, MOVEMENTS, SCANS, Scan, day_start_ms, overruled
from cylinder_trace.judging.state import SHORTEST_IDLE_MS, Owed, State

__all__ = ["Chapter", "advance", "continued", "lapse", "told", "voided"]

_IN_ORDER = attrgetter("at_ms", "event_id")
_KINDS = {kind for rule in CYLINDER_RULES for kind in rule.kinds}


def _looking(kind: str, only: Collection[str | None]) -> tuple[Find, ...]:
    return tuple(rule.find for rule in CYLINDER_RULES if kind in rule.kinds and rule.only in only)


_FINDS = {kind: _looking(kind, {None}) for kind in _KINDS}
_FINDS_MORE = {
    (is_away, is_odd): {
        kind: _looking(kind, {"out_of_place" if is_away else None, "out_of_use" if is_odd else None} - {None})
        for kind in _KINDS
    }
    for is_away in (False, True)
    for is_odd in (False, True)
}
_FINDS_GRAVE = {
    kind: tuple(rule.find for rule in CYLINDER_RULES if kind in rule.kinds and rule.severity == 1)
    for kind in _KINDS
}
_LAPSES = {rule.name: rule.lapse for rule in CYLINDER_RULES if rule.lapse is not None}
_DUE_ON = {
    kind: frozenset(rule.name for rule in CYLINDER_RULES if kind in rule.due_on)
    for kind in {kind for rule in CYLINDER_RULES for kind in rule.due_on}
}
_CONDITIONS = frozenset(rule.name for rule in CYLINDER_RULES if rule.condition)
_OUT_OF_USE = {"stop": "stopped", "lost": "lost", "hold": "held", "scrap": "scrapped"}
_BACK_IN_USE = {"resume": "stopped", "found": "lost", "release": "held"}


def told(
    cylinder_id: str,
    scans: Iterable[Scan],
    reference: Reference,
    as_of_ms: int,
    corrections: Mapping[str, str] = MappingProxyType({}),
    made_with: Mapping[str, str] = MappingProxyType({}),
) -> Chapter:
    """Fold a whole story from its beginning. `scans` may come in any order, each event once.

    `corrections` are those that were filed elsewhere: the id of each with the id it corrects; `made_with` the devices
    of those that a device made.
    """
    scans = sorted(scans, key=_IN_ORDER)
    void = voided(scans, corrections)
    chapter = Chapter(State(cylinder_id), is_whole=True)
    _read_on(chapter, scans, void, reference, _disputed(scans, corrections, made_with, void, reference))
    if void:
        mine = {scan.event_id for scan in scans} | {scan.corrects for scan in scans}
        chapter.state.voids = tuple(sorted(void & mine))
    lapse(chapter, as_of_ms, reference)
    return chapter


def continued(state: State, scans: Iterable[Scan], reference: Reference, as_of_ms: int) -> Chapter | None:
    """Move a saved state on; None where the story must be told anew: an event is late, or ends what was shown.

    Where it gives None `state` is of no further use.
    """
    scans = sorted(scans, key=_IN_ORDER)
    if scans and (scans[0].key <= state.last_key or scans[0].at_ms <= state.lapsed_ms):
        return None
    if any(scan.kind == "correct" or scan.event_id in state.voids for scan in scans):
        return None
    chapter = Chapter(state)
    _read_on(chapter, scans, frozenset(), reference)
    lapse(chapter, as_of_ms, reference)
    return None if chapter.is_spent else chapter


def voided(scans: Iterable[Scan], filed_elsewhere: Mapping[str, str] = MappingProxyType({})) -> set[str]:
    """The ids of the events that corrections declare wrong; a correction can itself be corrected."""
    corrections = {**filed_elsewhere, **{scan.event_id: scan.corrects for scan in scans if scan.corrects}}
    return overruled(corrections) if corrections else set()


def _disputed(
    scans: Iterable[Scan],
    filed_elsewhere: Mapping[str, str],
    made_with: Mapping[str, str],
    void: set[str],
    reference: Reference,
) -> set[str]:
    """Of the events declared wrong, those that no office declares wrong, but only sites by their own devices."""
    if not void:
        return set()
    made = {scan.event_id: scan.device for scan in scans if scan.corrects}
    by_sites = reference.devices.of_sites([*made.items(), *made_with.items()])
    if not by_sites:
        return set()
    corrections = {**filed_elsewhere, **{scan.event_id: scan.corrects for scan in scans if scan.corrects}}
    return void - overruled({one: wrong for one, wrong in corrections.items() if one not in by_sites})


def _is_grave(state: State, scan: Scan, reference: Reference) -> bool:
    """Whether what a site declares wrong shows something grave: it stands then, until an office declares it wrong.

    So does a failed check, which accuses the fill that follows it; a passed one ends it.
    """
    if scan.kind == "fill_check" and scan.result == "fail":
        return True
    return any(find(state, scan, reference) for find in _FINDS_GRAVE.get(scan.kind, ()))


def lapse(chapter: Chapter, as_of_ms: int, reference: Reference) -> None:
    """Find what became true by time alone up to `as_of_ms`: what was owed and did not come, what stood for too long.

    Afterwards the state wakes when the next of it falls due, and not before.
    """
    state = chapter.state
    if state.wake_ms is not None and state.wake_ms < as_of_ms:
        _settle_up(chapter, as_of_ms, reference)
    waits = [one.deadline_ms for one in state.owed]
    if state.term_ms is not None:
        waits.append(state.term_ms)
    if (by_ms := custody.missing_from_ms(state, reference)) is not None and (leg := state.open_leg):
        if by_ms < as_of_ms:
            state.is_awaited, state.lapsed_ms = False, max(state.lapsed_ms, by_ms)
            owed = Owed("never_received", leg.depart_event or "", by_ms, leg.to_site, by_ms)
            _speak(chapter, owed, reference)
        else:
            waits.append(by_ms)
    if (by_ms := custody.dwelt_from_ms(state, reference)) is not None:
        if by_ms < as_of_ms:
            state.lapsed_ms = max(state.lapsed_ms, by_ms)
            _speak(chapter, Owed("long_dwell", state.dwell_event or "", by_ms, state.loc, by_ms), reference)
        else:
            waits.append(by_ms)
    state.wake_ms = min(waits) if waits else None


def _settle_up(chapter: Chapter, as_of_ms: int, reference: Reference) -> None:
    """What was owed until now, and the term that comes near or ends."""
    state = chapter.state
    if state.owed:
        for owed in state.settle(lambda owed: owed.deadline_ms < as_of_ms):
            state.lapsed_ms = max(state.lapsed_ms, owed.deadline_ms)
            _speak(chapter, owed, reference)
    shown_by = state.loc_event or state.register_event or ""
    while (by_ms := state.term_ms) is not None and by_ms < as_of_ms and state.term_day is not None:
        state.lapsed_ms = max(state.lapsed_ms, by_ms)
        if state.term_near:
            state.term_over, state.term_ms = True, None
            chapter.end("due_soon")
            _speak(chapter, Owed("overdue_at_user", shown_by, by_ms, state.loc, by_ms), reference)
        else:
            state.term_near, state.term_ms = True, max(by_ms, day_start_ms(state.term_day + 1))
            _speak(chapter, Owed("due_soon", shown_by, by_ms, state.fill_site, by_ms), reference)
    state.wake_ms = state.term_ms
    for one in state.owed:
        state.wake_by(one.deadline_ms)


def _speak(chapter: Chapter, owed: Owed, reference: Reference) -> None:
    """Have the rule say that what was owed did not come, unless a clone says it."""
    if owed.rule in custody.NAMED_BY_A_CLONE and owed.deadline_ms <= chapter.state.clone_until_ms:
        return
    finding = _LAPSES[owed.rule](chapter.state, owed, reference)
    if finding is None:
        return
    if finding.rule in _CONDITIONS:
        chapter.show(finding)
    else:
        chapter.findings.append(finding)


def _read_on(
    chapter: Chapter,
    scans: Iterable[Scan],
    void: set[str] | frozenset[str],
    reference: Reference,
    disputed: set[str] | frozenset[str] = frozenset(),
) -> None:
    # The hot loop of the whole city: plain integers, no look-up that is not needed.
    state, findings = chapter.state, chapter.findings
    for scan in scans:
        kind = scan.kind
        # A voided event still moves the reading mark: what arrives before it is late all the same.
        if kind == "correct" or (
            scan.event_id in void and not (scan.event_id in disputed and _is_grave(state, scan, reference))
        ):
            state.last_ms, state.last_event = scan.at_ms, scan.event_id
            state.events += 1
            continue
        at_ms = scan.at_ms
        if (wake_ms := state.wake_ms) is not None and wake_ms < at_ms:
            _settle_up(chapter, at_ms, reference)
        if state.owed and (due := _DUE_ON.get(kind)):
            state.hasten(due, at_ms + reference.fill_check_terms(at_ms).after_tolerance_ms)
        finds = _FINDS.get(kind, ())
        loc = state.loc
        is_away = loc != scan.site and loc != scan.from_site  # noqa: PLR1714 - half the time of a tuple
        if is_away or state.is_odd:
            finds += _FINDS_MORE[is_away, state.is_odd].get(kind, ())
        for find in finds:
            if finding := find(state, scan, reference):
                if finding.rule == "clone":
                    _name_clone(chapter, finding, scan, reference)
                elif at_ms <= state.clone_until_ms and finding.rule in custody.NAMED_BY_A_CLONE:
                    continue
                findings.append(finding)
        if is_away and kind in SCANS and (conflicts := custody.conflicts_by(state, scan, reference)):
            state.conflicts = conflicts
        advance(chapter, scan, reference)


def _name_clone(chapter: Chapter, finding: Finding, scan: Scan, reference: Reference) -> None:
    """From the first conflict on, what looked like faults of one cylinder's custody were two cylinders."""
    state = chapter.state
    if state.clone_until_ms < scan.at_ms:
        times = [one.at_ms for one in state.conflicts if one.event_id in finding.evidence]
        chapter.take_back(custody.NAMED_BY_A_CLONE, min([*times, scan.at_ms]))
        chapter.end(*custody.NAMED_BY_A_CLONE)
        state.clone_anchor = finding.anchor
    state.clone_until_ms = scan.at_ms + int(reference.number("clone.window_days", scan.at_ms) * DAY_MS)


def advance(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    """Move one cylinder by one event; the legs it begins, ends or reveals are added to the chapter."""
    state = chapter.state
    kind, site = scan.kind, scan.site
    if kind in SCANS:
        if state.is_awaited:
            state.is_awaited = False
        if state.shown:
            chapter.end("never_received")
        if scan.at_ms - state.seen_ms > SHORTEST_IDLE_MS:
            _wake_from_idling(state, scan, reference)
        state.seen_ms, state.seen_from = scan.at_ms, scan.from_site
        if site in reference.stations:
            state.station_since_return = True
    if kind in MOVEMENTS:
        custody.move(chapter, scan, reference)
        if kind == "deliver":
            _deliver(chapter, scan, reference)
    else:
        if move := _MOVES.get(kind):
            move(chapter, scan, reference)
        if site is not None:
            if site != state.loc:
                custody.seen_elsewhere(chapter, scan, site)
            state.loc_event = scan.event_id
    state.last_ms, state.last_event = scan.at_ms, scan.event_id
    state.events += 1


def _wake_from_idling(state: State, scan: Scan, reference: Reference) -> None:
    """Seen again after so long that it has to be inspected, or put back into use, before it is used."""
    since_ms = state.idle_until(
        scan.at_ms, reference.number("dormant_reactivated.after_days", scan.at_ms) * DAY_MS
    )
    if since_ms is not None and scan.kind not in {"inspect", "fill"}:
        state.idle_since_ms, state.idle_event = since_ms, scan.event_id


def _deliver(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    """It is with a user now, and may stand there so long."""
    state = chapter.state
    if scan.to_site in reference.customers and not scan.standby:
        state.dwell_from_ms, state.dwell_event = scan.at_ms, scan.event_id
    if state.term_over and not state.out:
        owed = Owed("overdue_at_user", scan.event_id, scan.at_ms, scan.to_site, scan.at_ms)
        _speak(chapter, owed, reference)


def _fill_check(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    state = chapter.state
    if scan.result == "pass":
        state.check_ms, state.check_site = scan.at_ms, scan.site
        if state.owed:
            state.settle(lambda owed: owed.rule == "no_precheck" and owed.site == scan.site)
        if any(site == scan.site for site, _, _ in state.failed):
            tolerance_ms = reference.fill_check_terms(scan.at_ms).before_tolerance_ms
            filled_ms = state.failed_fill_ms if state.fill_site == scan.site else None
            if filled_ms is not None and scan.at_ms - filled_ms <= tolerance_ms:
                # Passed before the fill, by a clock that is fast.
                chapter.take_back({"fill_after_failed_check"}, filled_ms)
                state.failed_fill_ms = None
            state.failed = tuple(one for one in state.failed if one[0] != scan.site)
    else:
        since_ms = scan.at_ms - reference.fill_check_terms(scan.at_ms).before_ms
        others = (one for one in state.failed if one[0] != scan.site and one[2] >= since_ms)
        state.failed = (*others, (scan.site, scan.event_id, scan.at_ms))


def _fill(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    state, at_ms, site = chapter.state, scan.at_ms, scan.site
    before_ms, before_tolerance_ms, after_ms, after_tolerance_ms = reference.fill_check_terms(at_ms)
    if state.owed:
        state.settle(lambda owed: owed.rule == "impossible_order" and owed.site == site)
    state.post_result = _checked_by_a_slow_clock(state, at_ms - after_tolerance_ms, site)
    if state.post_result != "pass":
        state.owe(Owed("no_postcheck", scan.event_id, at_ms, site, at_ms + after_ms))
    if state.check_ms is None or state.check_site != site or at_ms - state.check_ms > before_ms:
        state.owe(Owed("no_precheck", scan.event_id, at_ms, site, at_ms + before_tolerance_ms))
    state.failed_fill_ms = at_ms if any(one[0] == site for one in state.failed) else None
    state.fill_ms, state.fill_event, state.fill_site = at_ms, scan.event_id, site
    state.moved_since_fill = False
    if state.idle_since_ms is not None:
        state.idle_since_ms = state.idle_event = None


def _checked_by_a_slow_clock(state: State, since_ms: int, site: str | None) -> str | None:
    """The result of a check after this fill that a slow clock dates before it: one that no earlier fill had owed."""
    early, state.post_early = state.post_early, None
    return early[2] if early is not None and early[0] >= since_ms and early[1] == site else None


def _post_check(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    state = chapter.state
    settled = scan.result == "pass" and state.settle(lambda owed: owed.rule == "no_postcheck")
    of_last_fill = state.fill_ms is not None and not state.moved_since_fill
    if scan.result == "fail" and of_last_fill and state.post_result == "pass":
        # It passed and then failed: it owes another check that it passes, or another fill.
        after_ms, tolerance_ms = reference.fill_check_terms(scan.at_ms)[2:]
        deadline_ms = max((state.fill_ms or 0) + after_ms, scan.at_ms + tolerance_ms)
        owed = Owed("no_postcheck", state.fill_event or "", state.fill_ms or 0, state.fill_site, deadline_ms)
        state.owe(owed)
        state.post_result = "fail"
    elif settled or (of_last_fill and state.post_result != "pass"):
        state.post_result = scan.result
    else:
        state.post_early = scan.at_ms, scan.site, scan.result
        custody.wait_for_a_fill(state, scan, reference)


def _transfer(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    chapter.state.owner = scan.new_owner
    validity.watch_term(chapter, scan.at_ms, reference)


def _bind(chapter: Chapter, scan: Scan, _reference: Reference) -> None:
    if scan.new_code is not None:
        chapter.state.bound = (*chapter.state.bound, scan.new_code)


def _retag(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    state = chapter.state
    _bind(chapter, scan, reference)
    state.retired, state.is_odd = (*state.retired, scan.code), True
    since_ms = scan.at_ms - int(reference.number("retag_repeat.window_days", scan.at_ms) * DAY_MS)
    state.retags = (*(one for one in state.retags if one[0] >= since_ms), (scan.at_ms, scan.event_id))
    # The old label could not be read: a visit to a station may have passed unscanned.
    state.station_since_return = True


def _take_out(chapter: Chapter, scan: Scan, _reference: Reference) -> None:
    validity.take_out(chapter, _OUT_OF_USE[scan.kind], scan.event_id)


def _bring_back(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    state = chapter.state
    state.bring_back(_BACK_IN_USE[scan.kind])
    state.idle_since_ms = state.idle_event = None
    state.resumed_ms = scan.at_ms
    if not state.out:
        validity.watch_term(chapter, scan.at_ms, reference)


_MOVES: dict[str, Callable[[Chapter, Scan, Reference], None]] = {
    "register": validity.enter,
    "update": validity.enter,
    "fill_check": _fill_check,
    "fill": _fill,
    "post_check": _post_check,
    "inspect": validity.inspect,
    "transfer": _transfer,
    "tag_bind": _bind,
    "tag_replace": _retag,
    **dict.fromkeys(_OUT_OF_USE, _take_out),
    **dict.fromkeys(_BACK_IN_USE, _bring_back),
}
"""What each kind does to the state, beyond where the cylinder is; movements are `custody.move`."""
