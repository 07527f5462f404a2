"""From what was scanned to what arrives: device counters, clocks that drift, outages, late bursts and repeats.

A device numbers its scans from 1 in the order it made them. A label nobody scanned leaves no trace; a scan
that was made and then lost with its device leaves a gap in `device_seq`. A device that is cut off keeps its
scans and sends them in one burst when it is back, so they arrive in another order than they happened. A device
whose answer was lost on the way sends the same scan again. A gun counts every fill it makes, scanned or not.

A large city is kept packed, and each event is only built when it is looked at.
"""

import pickle
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, get_args, overload
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
_KEYED_SHARE = 0.015
"""Of the codes, those that an honest hand keys because the label does not read at once."""


@dataclass(slots=True, eq=False)
class Act:
    """Something that happened: `at_ms` by a true clock. `received_ms` is set where it is entered late on purpose.

    A scan written up afterwards is made at `made_ms` and says `at_ms`; a clock set wrong is `shift_ms` off.
    """

    at_ms: int
    kind: str
    event_id: UUID
    device: str | None
    fields: Any
    received_ms: int | None = None
    lost: bool = False
    made_ms: int | None = None
    shift_ms: int = 0

    @property
    def order(self) -> tuple[int, UUID]:
        """Where its device counts it."""
        return self.at_ms if self.made_ms is None else self.made_ms, self.event_id


@dataclass(slots=True)
class Log:
    """All that happened in the city, in no order; `cut_off` are outages of devices beyond those by chance."""

    rng: Random
    acts: list[Act] = field(default_factory=list)
    cut_off: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _packed: int = 0
    _unscanned: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, act: Act) -> UUID:
        """Take in an act; its event id comes back."""
        self.acts.append(act)
        return act.event_id

    @property
    def last(self) -> Act:
        """The act just added, which whoever added it may still change."""
        return self.acts[-1]

    def fill_unscanned(self, gun: str, at_ms: int) -> None:
        """A gun filled something that nobody scanned: it counts all the same."""
        self._unscanned[gun].append(at_ms)

    def unscanned(self, gun: str) -> list[int]:
        """When a gun filled what nobody scanned, sorted."""
        return sorted(self._unscanned.get(gun, ()))

    def pack(self) -> None:
        """Nobody changes what has been added so far: keep it small."""
        for number in range(self._packed, len(self.acts)):
            act = self.acts[number]
            act.fields = pickle.dumps(act.fields, pickle.HIGHEST_PROTOCOL)
        self._packed = len(self.acts)

    def new_id(self, at_ms: int) -> UUID:
        """A UUIDv7 of that millisecond."""
        bits = self.rng.getrandbits(74)
        return UUID(int=at_ms << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1)


class _Sent(NamedTuple):
    """An act on its way in. `scanned` is device, count, offset, entry and the gun's count; empty at a desk."""

    received_ms: int
    event_id: UUID
    act: Act
    occurred_ms: int
    scanned: tuple[Any, ...] = ()

    def arrival(self) -> Arrival:
        """The event, built."""
        fields = self.act.fields
        fields = pickle.loads(fields) if isinstance(fields, bytes) else dict(fields)
        if self.scanned:
            device, count, offset_ms, entry, gun_count = self.scanned
            fields |= {"device_id": device, "device_seq": count, "clock_offset_ms": offset_ms}
            fields.setdefault("entry", entry)
            if fields.get("gun_id") == device:
                fields["gun_count"] = gun_count
        event = _MODELS[self.act.kind](
            event_id=self.event_id, occurred_at=local_moment(self.occurred_ms), **fields
        )
        return Arrival(moment_of(self.received_ms), event)


class Arrivals(Sequence[Arrival]):
    """What arrived, in that order; each event is built anew whenever it is looked at."""

    def __init__(self, sent: list[_Sent]) -> None:
        self._sent = sent

    def __len__(self) -> int:
        return len(self._sent)

    def __iter__(self) -> Iterator[Arrival]:
        return (one.arrival() for one in self._sent)

    @overload
    def __getitem__(self, where: int) -> Arrival: ...
    @overload
    def __getitem__(self, where: slice) -> list[Arrival]: ...
    def __getitem__(self, where: int | slice) -> Arrival | list[Arrival]:
        if isinstance(where, slice):
            return [one.arrival() for one in self._sent[where]]
        return self._sent[where].arrival()

    def fills_of(self, station: str) -> Iterator[Arrival]:
        """The fills scanned at a station's guns, without building any other event."""
        guns = f"{station}-"
        return (
            one.arrival()
            for one in self._sent
            if one.act.kind == "fill" and (one.act.device or "").startswith(guns)
        )


def uploaded(log: Log, plan: Plan) -> Arrivals:
    """Every act as an event, sorted by arrival, without what lies beyond the plan's end; the log is empty after."""
    log.pack()
    by_device: dict[str | None, list[Act]] = defaultdict(list)
    for act in log.acts:
        by_device[act.device].append(act)
    log.acts.clear()
    arrivals: list[_Sent] = []
    for device in sorted(by_device, key=str):
        acts = sorted(by_device.pop(device), key=lambda act: act.order)
        arrivals += _office(acts, plan) if device is None else _device(device, acts, plan, log)
    arrivals.sort(key=lambda arrival: arrival[:2])
    return Arrivals(arrivals)


def _office(acts: list[Act], plan: Plan) -> list[_Sent]:
    """A desk has no device: its acts arrive within the hour."""
    rng = Random(f"{plan.seed}/office")
    entered = []
    for act in acts:
        received_ms = act.received_ms or act.at_ms + int(rng.uniform(1, 40) * MINUTE_MS)
        if received_ms < plan.end_ms:
            entered.append(_Sent(received_ms, act.event_id, act, act.at_ms))
    return entered


def _device(device: str, acts: list[Act], plan: Plan, log: Log) -> list[_Sent]:
    rng = Random(f"{plan.seed}/{device}")
    ahead_ms = [rng.uniform(-1, 1) * plan.clock_drift_s * 1000 for _ in ("first", "last")]
    cut_off = outages(rng, plan, plan.late_upload_share, _OUTAGE_H) + log.cut_off.get(device, [])
    entering = Random(f"{plan.seed}/entry/{device}")
    counted, unscanned = entering.randint(2_000, 90_000), log.unscanned(device)
    sent = []
    sequence, received_ms = 0, 0
    # The margin keeps a device that runs ahead from dating an event after the city's end.
    last_ms = plan.end_ms - _CLOSING_MS - int(plan.clock_drift_s * 1000)
    for act in acts:
        made_ms = act.order[0]
        if made_ms >= last_ms:
            break
        sequence += 1
        counted += act.kind == "fill"
        if act.lost:
            continue
        back_ms = max((end for start, end in cut_off if start <= made_ms < end), default=made_ms)
        earliest_ms = max(made_ms + rng.randint(400, 20_000), act.received_ms or 0)
        # A device sends in the order it scanned, five a second when it is back.
        received_ms = max(received_ms + 200, back_ms, earliest_ms)
        gone = (made_ms - plan.start_ms) / (plan.end_ms - plan.start_ms)
        offset_ms = int(ahead_ms[0] + (ahead_ms[1] - ahead_ms[0]) * gone)
        entry = "keyed" if entering.random() < _KEYED_SHARE else "scanned"
        gun_count = counted + bisect_left(unscanned, made_ms) if act.kind == "fill" else None
        scanned = (device, sequence, offset_ms, entry, gun_count)
        occurred_ms = act.at_ms + offset_ms + act.shift_ms
        sent.append(_Sent(min(received_ms, plan.end_ms), act.event_id, act, occurred_ms, scanned))
        if rng.random() < plan.doubled_upload_share:
            again_ms = received_ms + rng.randint(5_000, 120_000)
            sent.append(sent[-1]._replace(received_ms=min(again_ms, plan.end_ms)))
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
