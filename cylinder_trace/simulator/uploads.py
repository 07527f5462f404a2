"""From what was scanned to what arrives: device counters, clocks that drift, outages, late bursts and repeats.

A device numbers its scans from 1 in the order it made them. A label nobody scanned leaves no trace; a scan
that was made and then lost with its device leaves a gap in `device_seq`. A device that is cut off keeps its
scans and sends them in one burst when it is back, so they arrive in another order than they happened. A device
whose answer was lost on the way sends the same scan again.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any, get_args
from uuid import UUID

from cylinder_trace.contract.event import Event
from cylinder_trace.contract.fields import moment_of
from cylinder_trace.simulator.calendar import local_moment
from cylinder_trace.simulator.plan import DAY_MS, HOUR_MS, MINUTE_MS, Arrival, Plan

_MODELS: dict[str, Any] = {
    model.model_fields["kind"].default: model for model in get_args(get_args(Event)[0])
}
_OUTAGE_H = (3.0, 48.0)
_CLOSING_MS = 2 * MINUTE_MS


@dataclass(slots=True, eq=False)
class Act:
    """Something that happened: `at_ms` by a true clock. `received_ms` is set where it is entered late on purpose."""

    at_ms: int
    kind: str
    event_id: UUID
    device: str | None
    fields: dict[str, Any]
    received_ms: int | None = None
    lost: bool = False


@dataclass(slots=True)
class Log:
    """All that happened in the city, in no order."""

    rng: Random
    acts: list[Act] = field(default_factory=list)

    def add(self, act: Act) -> UUID:
        """Take in an act; its event id comes back."""
        self.acts.append(act)
        return act.event_id

    def new_id(self, at_ms: int) -> UUID:
        """A UUIDv7 of that millisecond."""
        bits = self.rng.getrandbits(74)
        return UUID(int=at_ms << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1)


def uploaded(log: Log, plan: Plan) -> list[Arrival]:
    """Every act as an event, sorted by arrival, without what lies beyond the plan's end; the log is empty after."""
    by_device: dict[str | None, list[Act]] = defaultdict(list)
    for act in log.acts:
        by_device[act.device].append(act)
    arrivals: list[tuple[int, UUID, Any]] = []
    # Each act is let go once it is an event: a large city would not fit twice.
    log.acts.clear()
    for device in sorted(by_device, key=str):
        acts = sorted(by_device.pop(device), key=lambda act: (act.at_ms, act.event_id))
        arrivals += _office(acts, plan) if device is None else _device(device, acts, plan)
    arrivals.sort(key=lambda arrival: arrival[:2])
    return [Arrival(moment_of(received_ms), event) for received_ms, _, event in arrivals]


def _office(acts: list[Act], plan: Plan) -> list[tuple[int, UUID, Any]]:
    """A desk has no device: its acts arrive within the hour."""
    rng = Random(f"{plan.seed}/office")
    entered = []
    for act in acts:
        received_ms = act.received_ms or act.at_ms + int(rng.uniform(1, 40) * MINUTE_MS)
        if received_ms < plan.end_ms:
            entered.append((received_ms, act.event_id, _event(act, act.at_ms, {})))
    return entered


def _device(device: str, acts: list[Act], plan: Plan) -> list[tuple[int, UUID, Any]]:
    rng = Random(f"{plan.seed}/{device}")
    ahead_ms = [rng.uniform(-1, 1) * plan.clock_drift_s * 1000 for _ in ("first", "last")]
    cut_off = outages(rng, plan, plan.late_upload_share, _OUTAGE_H)
    sent = []
    sequence, received_ms = 0, 0
    # The margin keeps a device that runs ahead from dating an event after the city's end.
    last_ms = plan.end_ms - _CLOSING_MS - int(plan.clock_drift_s * 1000)
    for act in acts:
        if act.at_ms >= last_ms:
            break
        sequence += 1
        if act.lost:
            continue
        back_ms = next((end for start, end in cut_off if start <= act.at_ms < end), act.at_ms)
        earliest_ms = max(act.at_ms + rng.randint(400, 20_000), act.received_ms or 0)
        # A device sends in the order it scanned, five a second when it is back.
        received_ms = max(received_ms + 200, back_ms, earliest_ms)
        gone = (act.at_ms - plan.start_ms) / (plan.end_ms - plan.start_ms)
        offset_ms = int(ahead_ms[0] + (ahead_ms[1] - ahead_ms[0]) * gone)
        scanned = {"device_id": device, "device_seq": sequence, "clock_offset_ms": offset_ms}
        event = _event(act, act.at_ms + offset_ms, scanned)
        sent.append((min(received_ms, plan.end_ms), act.event_id, event))
        if rng.random() < plan.doubled_upload_share:
            again_ms = received_ms + rng.randint(5_000, 120_000)
            sent.append((min(again_ms, plan.end_ms), act.event_id, event))
    return sent


def outages(rng: Random, plan: Plan, share: float, hours: tuple[float, float]) -> list[tuple[int, int]]:
    """Some stretches of time that together make a share of the window, on average; each ends an hour before it."""
    left_ms = share * plan.days * DAY_MS * rng.uniform(0, 2)
    found = []
    while left_ms > 0:
        length = min(int(rng.uniform(*hours) * HOUR_MS), plan.days * DAY_MS // 4)
        # What is left of the share decides whether a last outage comes, so that the mean is kept.
        if left_ms >= length or rng.random() < left_ms / length:
            start = rng.randrange(plan.start_ms, plan.end_ms - HOUR_MS - length)
            found.append((start, start + length))
        left_ms -= length
    return found


def _event(act: Act, occurred_ms: int, scanned: dict[str, Any]) -> Any:
    return _MODELS[act.kind](
        event_id=act.event_id, occurred_at=local_moment(occurred_ms), **scanned, **act.fields
    )
