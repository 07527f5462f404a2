"""How well alerts fit what was planted in a city: recall, precision, time to detect, false alarms.

Definitions:

- An alert *stands* where it is open at the end. It is *raised* where it stands, where it was resolved because its
  condition ended, or where anybody was ever told of it.
- It is *true* where its rule is the kind of a planted fault, and its evidence shares an event with the fault or its
  subject is the fault's; a cylinder's codes count as one, whatever its tag was changed to.
- It stands *aside* where a planted fault of another kind explains it: it shares an event or the subject with that. A
  clone's two bottles also look filled twice. It counts neither for nor against its rule.
- Every other alert that stands is *false*, also where a scan that nobody made explains it; of them `unscanned` are so
  explained. One that people were told of, and that was then withdrawn or resolved, is *told_false*. `precision` is of
  what stands; `precision_told` counts what was told and taken back against the rule too.
- A fault is *found* where a true alert of it was raised and not withdrawn. A lawful look-alike is *alarmed* where an
  alert of its kind stands that is not true and rests on its events, or on its subject where it has no events.
- Conditions that are no accusation (an inspection falls due soon) are no alarms: they have recall only.
- Time to detect is given from the fact to the opening (`open_h`) and to the first notice (`told_h`), where the fact is
  the moment of the event that shows it (of an episode that went on after the alert, no time at all); and from the
  fault's first event to the opening (`since_begun_d`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, local_day
from cylinder_trace.simulator.plan import Label, Missed

NO_ALARMS = frozenset({"due_soon"})
"""Rules whose findings accuse nobody."""
_MISSED_BEFORE_MS = 45 * DAY_MS
"""How long before an alarm a missed scan of the same cylinder may lie to explain it."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert and what became of it. `status` is open, resolved or withdrawn at the end.

    `told_ms` is when people first heard of it, `taken_back_ms` when they first heard that it was withdrawn.
    """

    fingerprint: str
    rule: str
    subject: str
    at_ms: int
    evidence: frozenset[str]
    status: str
    opened_ms: int
    told_ms: int | None = None
    taken_back_ms: int | None = None

    @property
    def counts(self) -> bool:
        """Whether it is raised."""
        return self.status != "withdrawn" or self.told_ms is not None


_SHARE_OF_BUSIEST = 0.1


@dataclass(slots=True)
class Busyness:
    """Scans by the day they arrived. A city's days are those from the first busy one to the last.

    A day is busy where a tenth of the busiest day's scans arrived: a story that began a year before, and the papers
    of the years before, are not the city's time.
    """

    scans: Counter[int] = field(default_factory=Counter)

    def note(self, received_ms: int, device: str | None) -> None:
        """Count what a device scanned."""
        if device is not None:
            self.scans[local_day(received_ms)] += 1

    @property
    def days(self) -> int:
        """Local days from the first busy one to the last."""
        fewest = _SHARE_OF_BUSIEST * max(self.scans.values(), default=0)
        busy = [day for day, number in self.scans.items() if number >= fewest]
        return max(busy) - min(busy) + 1 if busy else 1


@dataclass(slots=True)
class City:
    """What a city was: planted labels, its size, when events happened, and which code is whose."""

    labels: Sequence[Label]
    cylinders: int
    days: float
    at_ms: dict[str, int]
    root_of: Callable[[str], str] = lambda code: code
    missed: Iterable[Missed] = ()


@dataclass(slots=True)
class Kind:
    """One rule's part of the score."""

    rule: str
    planted: int = 0
    found: int = 0
    true: int = 0
    false: int = 0
    told_false: int = 0
    aside: int = 0
    withdrawn: int = 0
    unscanned: int = 0
    lookalikes: int = 0
    alarmed: int = 0
    open_h: list[float] = field(default_factory=list)
    told_h: list[float] = field(default_factory=list)
    since_begun_d: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float | None:
        return self.found / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        if self.rule in NO_ALARMS or not self.true + self.false:
            return None
        return self.true / (self.true + self.false)

    @property
    def precision_told(self) -> float | None:
        raised = self.true + self.false + self.told_false
        return None if self.rule in NO_ALARMS or not raised else self.true / raised

    @property
    def f1(self) -> float | None:
        """None where nothing of the kind was planted; 0 where nothing was found."""
        recall, precision = self.recall, self.precision
        if recall is None:
            return None
        if not recall or not precision:
            return 0.0
        return 2 * precision * recall / (precision + recall)

    def as_json(self) -> dict[str, Any]:
        """The counts and rates; times are medians."""
        counts = (
            "planted",
            "found",
            "true",
            "false",
            "told_false",
            "aside",
            "withdrawn",
            "unscanned",
            "lookalikes",
            "alarmed",
        )
        times = ("open_h", "told_h", "since_begun_d")
        title = RULES[self.rule].words.title if self.rule in RULES else ("", "")
        return (
            {"zh": title[0], "en": title[1]}
            | {name: getattr(self, name) for name in counts}
            | {
                name: _rounded(getattr(self, name))
                for name in ("recall", "precision", "precision_told", "f1")
            }
            | {name: _middle(getattr(self, name)) for name in times}
        )


@dataclass(slots=True)
class Score:
    """The whole score. `false_alarms` and `alarmed` name the worst of what to look at, for whoever tunes a rule."""

    kinds: dict[str, Kind]
    totals: dict[str, float | int | None]
    false_alarms: list[Raised]
    missed_faults: list[Label]
    alarmed: list[Label]

    def as_json(self) -> dict[str, Any]:
        """Totals, and each kind by name."""
        kinds = {name: kind.as_json() for name, kind in sorted(self.kinds.items())}
        return {"totals": self.totals, "kinds": kinds}


def scored(city: City, alerts: Iterable[Raised]) -> Score:
    """Score the alerts of a city."""
    fits = _Fits(city)
    kinds: dict[str, Kind] = {}

    def of(rule: str) -> Kind:
        return kinds.setdefault(rule, Kind(rule))

    for label in city.labels:
        if label.fault:
            of(label.kind).planted += 1
        else:
            of(label.kind).lookalikes += 1
    unscanned = _Unscanned(city)
    first: dict[int, Raised] = {}
    alarmed: set[int] = set()
    false_alarms: list[Raised] = []
    opened: Counter[str] = Counter()
    for alert in alerts:
        kind = of(alert.rule)
        if alert.rule not in NO_ALARMS:
            opened["all"] += 1
            opened["withdrawn"] += alert.status == "withdrawn"
            opened["taken back"] += alert.taken_back_ms is not None
        kind.withdrawn += alert.status == "withdrawn"
        if not alert.counts:
            continue
        faults, others, lookalikes = fits.of(alert)
        if faults:
            kind.true += 1
            for number in faults if alert.status != "withdrawn" else ():
                known = first.get(number)
                if known is None or alert.opened_ms < known.opened_ms:
                    first[number] = alert
            continue
        stands = alert.status == "open"
        if stands:
            alarmed |= lookalikes
        if others and not lookalikes:
            kind.aside += 1
        elif not stands:
            kind.told_false += alert.told_ms is not None
        else:
            kind.false += 1
            kind.unscanned += unscanned.explains(alert)
            if alert.rule not in NO_ALARMS:
                false_alarms.append(alert)
    for number, alert in first.items():
        label = city.labels[number]
        _timed(of(label.kind), label, alert, city)
    for number in alarmed:
        of(city.labels[number].kind).alarmed += 1
    missed = [label for number, label in enumerate(city.labels) if label.fault and number not in first]
    totals = _totals(city, kinds, opened)
    return Score(kinds, totals, false_alarms, missed, [city.labels[number] for number in sorted(alarmed)])


def _timed(kind: Kind, label: Label, alert: Raised, city: City) -> None:
    kind.found += 1
    kind.open_h.append(max(0, alert.opened_ms - alert.at_ms) / HOUR_MS)
    if alert.told_ms is not None:
        kind.told_h.append(max(0, alert.told_ms - alert.at_ms) / HOUR_MS)
    begun = [city.at_ms[str(one)] for one in label.event_ids if str(one) in city.at_ms]
    if begun:
        kind.since_begun_d.append((alert.opened_ms - min(begun)) / DAY_MS)


def _totals(city: City, kinds: dict[str, Kind], opened: "Counter[str]") -> dict[str, float | int | None]:
    alarms = [kind for kind in kinds.values() if kind.rule not in NO_ALARMS]
    exposure = city.cylinders / 1000 * city.days
    raised = sum(kind.true + kind.false + kind.told_false + kind.aside for kind in alarms)
    false = sum(kind.false for kind in alarms)
    lookalikes = sum(kind.lookalikes for kind in alarms)
    scores = [kind.f1 for kind in alarms if kind.f1 is not None]
    return {
        "cylinders": city.cylinders,
        "days": round(city.days, 2),
        "macro_f1": _rounded(sum(scores) / len(scores) if scores else None),
        "alerts_per_1000_and_day": _rounded(raised / exposure),
        "false_per_1000_and_day": _rounded(false / exposure),
        "false_by_missed_scans_per_1000_and_day": _rounded(sum(kind.unscanned for kind in alarms) / exposure),
        "withdrawn_share": _rounded(opened["withdrawn"] / opened["all"] if opened["all"] else None),
        "told_then_withdrawn_per_1000_and_day": _rounded(opened["taken back"] / exposure),
        "lookalikes": lookalikes,
        "lookalikes_alarmed_share": _rounded(
            sum(kind.alarmed for kind in alarms) / lookalikes if lookalikes else None
        ),
    }


class _Fits:
    """Which labels an alert fits: by event and by subject."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._by_event: dict[str, list[int]] = defaultdict(list)
        self._by_subject: dict[str, list[int]] = defaultdict(list)
        for number, label in enumerate(city.labels):
            for event_id in label.event_ids:
                self._by_event[str(event_id)].append(number)
            if label.fault or not label.event_ids:
                self._by_subject[city.root_of(label.subject)].append(number)

    def of(self, alert: Raised) -> tuple[set[int], set[int], set[int]]:
        """The faults of its kind, the faults of other kinds, and the look-alikes of its kind that it fits."""
        fitting = {number for event_id in alert.evidence for number in self._by_event.get(event_id, ())}
        fitting |= set(self._by_subject.get(self._city.root_of(alert.subject), ()))
        labels = self._city.labels
        same = {number for number in fitting if labels[number].kind == alert.rule}
        faults = {number for number in same if labels[number].fault}
        others = {number for number in fitting - same if labels[number].fault}
        return faults, others, same - faults


class _Unscanned:
    """Which cylinders had scans that nobody made, and when."""

    def __init__(self, city: City) -> None:
        self._root_of = city.root_of
        self._times: dict[str, list[int]] = defaultdict(list)
        for one in city.missed:
            self._times[city.root_of(one.cylinder_code)].append(one.at_ms)

    def explains(self, alert: Raised) -> bool:
        times = self._times.get(self._root_of(alert.subject), ())
        return any(0 <= alert.at_ms - at_ms <= _MISSED_BEFORE_MS for at_ms in times)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _middle(values: list[float]) -> float | None:
    return round(median(values), 2) if values else None
