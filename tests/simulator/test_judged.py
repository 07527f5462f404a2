"""What the judge finds in a simulated city is what was planted there, or what missed scans explain; the rest is quiet."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from cylinder_trace.contract.event import REFERENCE_KINDS, written
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.judging import story
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import CYLINDER_RULES, network_findings
from cylinder_trace.judging.scan import DAY_MS, Scan
from cylinder_trace.judging.state import Leg
from cylinder_trace.law.tables import load
from cylinder_trace.simulator.city import City, Label, Plan, simulate

END = datetime(2026, 11, 20, tzinfo=UTC)
INNOCENT = {
    "double_fill", "deliver_without_fill", "never_received", "wrong_party_return", "impossible_order", "long_dwell",
}  # fmt: skip
"""Rules whose usual innocent cause is a scan that was missed."""


OF_CYLINDERS = {rule.name for rule in CYLINDER_RULES} - {"due_soon"} | {"out_of_area", "bypass_loop"}
"""What is judged here. That a term ends soon is nobody's fault; sites and the rest of the network are judged elsewhere."""


@dataclass
class Judged:
    """A city and everything the rules find in it, each cylinder under its first code."""

    city: City
    findings: list[Finding]
    missed: dict[str, list[int]]

    def rests_on_missed_scans(self, finding: Finding) -> bool:
        """Whether scans of this cylinder were missed in the weeks before."""
        times = self.missed.get(finding.subject, ())
        return finding.rule in INNOCENT and any(0 <= finding.at_ms - at_ms <= 45 * DAY_MS for at_ms in times)

    def shown_by(self, label: Label) -> list[Finding]:
        """The findings of the label's rule that rest on its events."""
        events = set(map(str, label.event_ids))
        return [one for one in self.findings if one.rule == label.kind and events & set(one.evidence)]


def judged(city: City) -> Judged:
    received = {arrival.event.event_id: arrival for arrival in reversed(city.arrivals)}
    events = [arrival.event for arrival in received.values()]
    acts = [written(event) for event in events if event.kind in REFERENCE_KINDS | {"correct"}]
    reference = Reference.of(load(), city.records, acts)
    void = {event.corrects for event in events if event.kind == "correct"}
    first = {
        event.new_code: event.code
        for event in events
        if event.kind in {"tag_replace", "tag_bind"} and event.event_id not in void
    }

    def first_code(code: str) -> str:
        return first_code(first[code]) if code in first else code

    stories: dict[str, list[Scan]] = defaultdict(list)
    for event in events:
        if event.kind not in REFERENCE_KINDS:
            received_ms = epoch_ms(received[event.event_id].received_at)
            stories[first_code(event.code)].append(Scan.of(written(event), received_ms=received_ms))
    findings: list[Finding] = []
    carried: list[tuple[str, Leg]] = []
    for code, scans in stories.items():
        chapter = story.told(code, scans, reference, epoch_ms(END))
        findings += chapter.findings
        carried += [(code, leg) for leg in {leg.no: leg for leg in chapter.legs}.values()]
    graph = movements(carried, reference)
    findings += [one for site in graph for one in network_findings(graph, site, reference, epoch_ms(END))]
    findings = [one for one in findings if one.rule in OF_CYLINDERS]
    missed = defaultdict(list)
    for one in city.missed:
        missed[first_code(one.cylinder_code)].append(one.at_ms)
    return Judged(city, findings, missed)


@pytest.fixture(scope="module")
def here() -> Judged:
    return judged(simulate(Plan(seed=6, cylinders=500, days=40, end=END, missed_scan_share=0.05)))


@pytest.fixture(scope="module")
def honest() -> Judged:
    return judged(
        simulate(Plan(seed=12, cylinders=2000, days=60, end=END, faults_of_each_kind=0, missed_scan_share=0.05,
                      late_upload_share=0.1))
    )  # fmt: skip


def test_every_planted_fault_is_found_by_the_rule_of_its_name(here: Judged) -> None:
    labels = [label for label in here.city.labels if label.kind in OF_CYLINDERS]
    missed = [label for label in labels if label.fault and not here.shown_by(label)]
    assert missed == []


def test_every_look_alike_stays_quiet(here: Judged) -> None:
    accused = [label for label in here.city.labels if not label.fault and here.shown_by(label)]
    assert accused == []


def test_whatever_else_is_found_rests_on_missed_scans(here: Judged) -> None:
    planted: dict[str, set[str]] = defaultdict(set)
    for label in here.city.labels:
        if label.fault:
            planted[label.kind] |= set(map(str, label.event_ids))
    others = [one for one in here.findings if not planted[one.rule] & set(one.evidence)]
    assert [one for one in others if not here.rests_on_missed_scans(one)] == []
    assert len(others) < len(here.findings) / 10


def test_an_honest_city_is_quiet_but_for_what_missed_scans_explain(honest: Judged) -> None:
    assert [one for one in honest.findings if not honest.rests_on_missed_scans(one)] == []
    assert {one.rule for one in honest.findings} <= INNOCENT
    assert len(honest.findings) < 0.01 * honest.city.plan.cylinders
