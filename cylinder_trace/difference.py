"""What a replay found, counted as it comes, and how it differs from the alerts that stand."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.scan import local_day

Found = tuple[Finding, str | None]
"""A finding, and the cylinder whose story shows it; None for one of a site's days or of the network."""

_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to, and without, another; None is without an end."""

    from_ms: int | None = None
    to_ms: int | None = None

    def __contains__(self, at_ms: int) -> bool:
        return (self.from_ms or -_EVER) <= at_ms < (_EVER if self.to_ms is None else self.to_ms)


ALWAYS = Period()


@dataclass(slots=True)
class Difference:
    """Counts by rule, and a sample of each; memory grows with the alerts that stand, not with what is found.

    `standing` are the open alerts of the rules that were asked for: fingerprint, rule, and when their fact happened.
    An alert and a finding are the same where their fingerprints are: the date may have moved with a threshold.
    """

    period: Period
    rules: frozenset[str]
    standing: Iterable[tuple[str, str, int]] = ()
    sample: int = 5
    by_day: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    same: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    samples: dict[tuple[str, str], list[Found]] = field(default_factory=lambda: defaultdict(list))
    _open: dict[str, tuple[str, bool]] = field(default_factory=dict)
    _shared: dict[str, Found] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._open = {fingerprint: (rule, at_ms in self.period) for fingerprint, rule, at_ms in self.standing}

    def add(self, found: Iterable[Found]) -> None:
        """Take in all that one or more whole cylinders, sites or days show."""
        own: dict[str, Found] = {}
        for one, cylinder_id in found:
            if one.rule in self.rules:
                of = own if one.subject == cylinder_id else self._shared
                known = of.get(one.fingerprint)
                if known is None or _when(one) < _when(known[0]):
                    of[one.fingerprint] = one, cylinder_id
        self._count(own)

    def close(self) -> None:
        """Count what several cylinders show together, now that all have been seen."""
        self._count(self._shared)
        self._shared = {}

    def _count(self, found: dict[str, Found]) -> None:
        for fingerprint, (one, cylinder_id) in found.items():
            stood = self._open.pop(fingerprint, None)
            if one.at_ms not in self.period:
                continue
            self.by_day[one.rule][local_day(one.at_ms)] += 1
            what = "new" if stood is None else "same"
            (self.new if stood is None else self.same)[one.rule] += 1
            sample = self.samples[one.rule, what]
            if len(sample) < self.sample:
                sample.append((one, cylinder_id))

    @property
    def gone(self) -> dict[str, list[str]]:
        """By rule, the fingerprints of the alerts of the period that nothing shows; complete once closed."""
        gone: dict[str, list[str]] = defaultdict(list)
        for fingerprint, (rule, was_in_period) in self._open.items():
            if was_in_period:
                gone[rule].append(fingerprint)
        return gone

    def report(self, public_url: str) -> dict[str, Any]:
        """Everything as JSON: per rule the counts by day, the difference, and a sample with links into the pages."""
        gone = self.gone
        named = sorted({*self.by_day, *gone})
        return {
            rule: {
                "found": self.by_day[rule].total(),
                "same": self.same[rule],
                "new": self.new[rule],
                "gone": len(gone.get(rule, ())),
                "by_day": {
                    date.fromordinal(day).isoformat(): number
                    for day, number in sorted(self.by_day[rule].items())
                },
                "sample": [
                    {"is": what} | _linked(one, cylinder_id, public_url, on_record=what == "same")
                    for what in ("new", "same")
                    for one, cylinder_id in self.samples[rule, what]
                ]
                + [
                    {"is": "gone", "fingerprint": one, "alert": f"{public_url}/alerts/{one}"}
                    for one in sorted(gone.get(rule, ()))[: self.sample]
                ],
            }
            for rule in named
        }


def _linked(one: Finding, cylinder_id: str | None, public_url: str, *, on_record: bool) -> dict[str, Any]:
    linked: dict[str, Any] = {
        "fingerprint": one.fingerprint,
        "subject": one.subject,
        "site": one.site,
        "day": date.fromordinal(local_day(one.at_ms)).isoformat(),
        "evidence": list(one.evidence),
    }
    if cylinder_id is not None:
        linked["cylinder"] = f"{public_url}/cylinders/{cylinder_id}"
    if on_record:
        linked["alert"] = f"{public_url}/alerts/{one.fingerprint}"
    return linked


def _when(one: Finding) -> tuple[int, str]:
    return one.at_ms, min(one.evidence)
