"""What intake does with arrivals, without a database: continue a story where that is possible, else tell it anew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cylinder_trace.judging import story
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import Leg, State


@dataclass
class Arrivals:
    """One cylinder's record as batches come in. `retold` counts the batches that had to begin anew."""

    cylinder_id: str
    reference: Reference
    saved: str = ""
    seen: list[Scan] = field(default_factory=list)
    legs: dict[int, Leg] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    retold: int = 0

    def __post_init__(self) -> None:
        self.saved = State(self.cylinder_id).saved()

    def take(self, batch: Sequence[Scan], as_of_ms: int) -> None:
        """Judge a batch, which may be empty: a waking."""
        self.seen += batch
        state = State.restored(self.saved)
        assert state is not None
        chapter = story.continued(state, batch, self.reference, as_of_ms)
        if chapter is None:
            self.retold += 1
            chapter = story.told(self.cylinder_id, self.seen, self.reference, as_of_ms)
            self.legs, self.findings = {}, []
        self.legs |= {leg.no: leg for leg in chapter.legs}
        self.findings += chapter.findings
        self.saved = chapter.state.saved()

    def result(self) -> tuple[str, list[Leg], list[Finding]]:
        """What two ways of judging the same events must agree on."""
        return self.saved, list(self.legs.values()), in_order(self.findings)


def told(
    cylinder_id: str, scans: Iterable[Scan], reference: Reference, as_of_ms: int
) -> tuple[str, list[Leg], list[Finding]]:
    """The same result, told from the beginning at once."""
    chapter = story.told(cylinder_id, scans, reference, as_of_ms)
    legs = {leg.no: leg for leg in chapter.legs}
    return chapter.state.saved(), list(legs.values()), in_order(chapter.findings)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(
        findings, key=lambda finding: (finding.at_ms, finding.rule, finding.fingerprint, finding.evidence)
    )
