"""Where a cylinder is and how it came there: legs from site to site, gaps nobody scanned, and two stories under one code."""

from cylinder_trace.judging.chapter import Chapter
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, MINUTE_MS, Scan
from cylinder_trace.judging.state import Conflict, Leg, Owed, State

AT_THE_GUN = frozenset({"fill_check", "fill", "post_check"})
"""The scans of one visit to a gun."""

NAMED_BY_A_CLONE = frozenset({
    "double_fill", "deliver_without_fill", "received_not_shipped", "inspect_no_arrival", "diverted",
    "wrong_party_return", "impossible_order", "never_received", "dormant_reactivated",
})  # fmt: skip
"""What two cylinders under one code look like one scan at a time; where the clone is named these are not."""

_FARTHEST_REACH_MS = 6 * HOUR_MS
"""No two sites of a city are farther apart than can be driven in this."""


def move(chapter: Chapter, scan: Scan, reference: Reference) -> None:
    """A movement: the leg it begins or ends, and the gap that it reveals."""
    state = chapter.state
    state.moved_since_fill = True
    kind, origin, goal = scan.kind, scan.from_site, scan.to_site
    if origin is None or goal is None:
        return
    at_ms, event_id, leg = scan.at_ms, scan.event_id, state.open_leg
    if kind == "receive" and leg is not None and leg.from_site == origin:
        # The same leg, arrived; not always where it was shipped to.
        chapter.legs.append(leg.ended(at_ms, event_id, goal))
        state.open_leg = None
    else:
        if origin != state.loc:
            seen_elsewhere(chapter, scan, origin)
        is_delivery = kind == "deliver"
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
            is_delivery and is_decanted(state, scan, reference),
            is_delivery and _is_outside(state.owner, goal, at_ms, reference),
        )
        state.legs += 1
        chapter.legs.append(leg)
        if kind == "ship":
            state.open_leg, state.open_waybill, state.is_awaited = leg, scan.waybill, True
        else:
            state.open_leg = None
    if goal != state.loc and (state.dwell_from_ms is not None or state.shown):
        _left(chapter)
    state.loc, state.loc_event = goal, event_id
    if kind == "return":
        state.returned = True
        state.station_since_return = goal in reference.stations
    elif not state.station_since_return and (origin in reference.stations or goal in reference.stations):
        # It was on its way from or to a station, though the station's own scans may be missing.
        state.station_since_return = True


def seen_elsewhere(chapter: Chapter, scan: Scan, site: str) -> None:
    """A scan at another place than the story has it reveals a leg nobody scanned: drawn as a gap."""
    state = chapter.state
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
        chapter.legs.append(gap)
        state.open_leg = None
        state.moved_since_fill = True
        _left(chapter)
        state.is_awaited = False
        chapter.end("never_received")
    state.loc, state.loc_event = site, scan.event_id


def _left(chapter: Chapter) -> None:
    """It is no longer where it stood."""
    state = chapter.state
    state.dwell_from_ms = state.dwell_event = None
    if state.shown:
        chapter.end("long_dwell", "overdue_at_user")


def missing_from_ms(state: State, reference: Reference) -> int | None:
    """From when a shipped cylinder that nobody has seen since counts as missing; None where none is awaited."""
    leg = state.open_leg
    if not state.is_awaited or leg is None or leg.departed_ms is None or state.out:
        return None
    return leg.departed_ms + reference.custody_terms(leg.departed_ms).receive_ms


def dwelt_from_ms(state: State, reference: Reference) -> int | None:
    """From when it has stood with its user for longer than such users take; None where it does not, or is out of use."""
    since_ms = state.dwell_from_ms
    if since_ms is None or state.out or "long_dwell" in state.shown:
        return None
    record = reference.sites.get(state.loc or "")
    segment = (record.segment if record else None) or "household"
    by_ms = since_ms + reference.custody_terms(since_ms).dwell_ms[segment]
    return max(by_ms, state.resumed_ms or by_ms)


def is_decanted(before: State, scan: Scan, reference: Reference) -> bool:
    """Whether a delivery follows a return with no sign of a station between."""
    return before.returned and not before.station_since_return and scan.from_site not in reference.stations


def conflict(before: State, scan: Scan) -> Conflict | None:
    """What a scan is where the story has the cylinder at neither of its ends."""
    loc, site = before.loc, scan.site
    if loc is None or site is None or loc in {site, scan.from_site}:
        return None
    kind = scan.kind
    if kind == "receive" and before.open_leg is not None and before.open_leg.from_site == scan.from_site:
        return None  # diverted, not doubled
    if kind in AT_THE_GUN and before.conflicts:
        last = before.conflicts[-1]
        if last.kind in AT_THE_GUN and last.site == site and scan.at_ms - last.at_ms < DAY_MS:
            return None
    place = scan.from_site if kind == "return" and scan.from_site else site
    return Conflict(scan.at_ms, scan.event_id, kind, place, loc)


def conflicts_by(before: State, scan: Scan, reference: Reference) -> tuple[Conflict, ...]:
    """The conflicts of the last days, this scan's among them; empty where it is none."""
    one = conflict(before, scan)
    if one is None:
        return ()
    since_ms = scan.at_ms - reference.custody_terms(scan.at_ms).conflicts_ms
    return (*(earlier for earlier in before.conflicts if earlier.at_ms >= since_ms), one)


def speed_km_h(before: State, scan: Scan, reference: Reference) -> tuple[float, float] | None:
    """Kilometres, and km/h at the least, between the last scan and this one, where that is faster than anything drives."""
    seen_ms, site = before.seen_ms, scan.site
    if site is None or not 0 <= scan.at_ms - seen_ms <= _FARTHEST_REACH_MS:
        return None
    # Either may have been made at the other end of its movement: the shortest way counts.
    here, there = {site, scan.from_site}, {before.seen_from, before.loc}
    if (here & there) - {None}:
        return None
    at_ms = scan.at_ms
    ways = [reference.distance_km(a, b) for a in here if a for b in there if b]
    if not ways or None in ways:
        return None
    km = min(way for way in ways if way is not None)
    hours = (at_ms - seen_ms + reference.number("clone.clock_tolerance_min", at_ms) * MINUTE_MS) / HOUR_MS
    if km <= reference.number("clone.min_distance_km", at_ms):
        return None
    speed = km / hours
    return (km, speed) if speed > reference.number("clone.speed_km_h", at_ms) else None


def wait_for_a_fill(state: State, scan: Scan, reference: Reference) -> None:
    """A check after filling where nothing was filled: it may be that a slow clock dates it before its fill."""
    after_ms = reference.fill_check_terms(scan.at_ms).after_ms
    if state.fill_ms is not None and state.fill_site == scan.site and scan.at_ms - state.fill_ms <= after_ms:
        return
    tolerance_ms = int(reference.number("impossible_order.clock_tolerance_min", scan.at_ms) * MINUTE_MS)
    state.owe(Owed("impossible_order", scan.event_id, scan.at_ms, scan.site, scan.at_ms + tolerance_ms))


def _is_outside(owner: str | None, site: str, at_ms: int, reference: Reference) -> bool:
    record = reference.sites.get(site)
    return bool(record and owner and not reference.may_serve(owner, record.district, at_ms))
