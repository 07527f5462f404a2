"""Where things went and came from: everything filled at a station, and how what is at a site got there."""

from collections.abc import Sequence
from typing import NamedTuple

from cylinder_trace.judging.circulation import seen_ms
from cylinder_trace.judging.state import Leg, State


class Filled(NamedTuple):
    """One fill: its event, station and moment, and the cylinder."""

    cylinder_id: str
    event_id: str
    site: str
    at_ms: int


class Whereabouts(NamedTuple):
    """Where a cylinder is now and since when, None where that was never scanned, and how it got there from a fill on.

    `on_the_way` is left and not arrived; `holds_it` that no later fill replaced the gas of this one.
    """

    filled: Filled
    site: str | None
    since_ms: int | None
    last_seen_ms: int
    on_the_way: bool
    holds_it: bool
    way: tuple[Leg, ...]


def whereabouts(filled: Filled, state: State, legs: Sequence[Leg]) -> Whereabouts:
    """Where a cylinder is now that was filled; `legs` are all of its legs in order."""
    last = legs[-1] if legs and legs[-1].to_site == state.loc else None
    return Whereabouts(
        filled,
        state.loc,
        seen_ms(last) if last else None,
        state.last_ms,
        last is not None and last.arrived_ms is None,
        state.fill_event == filled.event_id,
        tuple(leg for leg in legs if seen_ms(leg) >= filled.at_ms),
    )


def last_fill(state: State) -> Filled | None:
    """The fill whose gas a cylinder holds, as far as anyone scanned it."""
    if state.fill_event is None or state.fill_site is None or state.fill_ms is None:
        return None
    return Filled(state.cylinder_id, state.fill_event, state.fill_site, state.fill_ms)
