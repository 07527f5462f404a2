"""The judge with perfect hindsight: a whole city judged at once from memory, for quick trials of rules and thresholds.

Nothing is recorded and nobody is told, so that nothing is withdrawn and no time to detect is known.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from cylinder_trace.contract.event import REFERENCE_KINDS, written
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.judging import city_days, story
from cylinder_trace.judging.circulation import Carried, movements
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import network_findings
from cylinder_trace.judging.scan import HOUR_MS, Scan, local_day
from cylinder_trace.law.tables import Law, load
from cylinder_trace.scoring import Busyness, City, Raised, Score, scored
from cylinder_trace.simulator.plan import Arrival, Label, Missed
from cylinder_trace.store.codes import links_of


def hindsight(
    records: Iterable[object],
    arrivals: Iterable[Arrival],
    labels: Iterable[Label],
    missed: Iterable[Missed] = (),
    told: Callable[[int], object] = lambda _number: None,
    law: Law | None = None,
) -> Score:
    """Score the rules over a city, judged for the moment its last event arrived; all of it is held in memory."""
    labels = list(labels)
    named = {str(one) for label in labels for one in label.event_ids}
    scans: dict[str, Scan] = {}
    acts = []
    at_ms: dict[str, int] = {}
    busyness = Busyness()
    as_of_ms = 0
    for arrival in arrivals:
        message, received_ms = written(arrival.event), epoch_ms(arrival.received_at)
        as_of_ms = max(as_of_ms, received_ms)
        told(1)
        if message["kind"] in REFERENCE_KINDS or message["kind"] == "correct":
            acts.append(message)
        if "cylinder_code" in message and message["event_id"] not in scans:
            scan = scans[message["event_id"]] = Scan.of(message, received_ms=received_ms)
            busyness.note(received_ms, scan.device)
            if scan.event_id in named:
                at_ms[scan.event_id] = scan.at_ms
    reference = Reference.of(law or load(), records, acts)
    corrections = {one["event_id"]: one["corrects"] for one in acts if "corrects" in one}
    void = story.voided(scans.values(), corrections)
    root_of = _roots(scans.values(), void)
    stories: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans.values():
        stories[root_of(scan.code)].append(scan)
    findings: list[Finding] = []
    carried: list[Carried] = []
    for root, its in stories.items():
        # Only those that touch this story: each story reads what it is given.
        ids = {scan.event_id for scan in its}
        touching = corrections if ids & void else {}
        chapter = story.told(root, its, reference, as_of_ms, touching)
        findings += chapter.findings
        carried += [(root, leg) for leg in {leg.no: leg for leg in chapter.legs}.values()]
    graph = movements(carried, reference)
    for site in graph:
        findings += network_findings(graph, site, reference, as_of_ms)
    after_ms = int(reference.number("site_day.after_h", as_of_ms) * HOUR_MS)
    gathered = city_days.gathered(scans.values(), void, findings, [leg for _, leg in carried])
    findings += city_days.told(gathered, reference, local_day(as_of_ms - after_ms) - 1)
    city = City(labels, len(stories), busyness.days, at_ms, root_of, missed)
    return scored(city, _raised(findings))


def _raised(findings: Iterable[Finding]) -> list[Raised]:
    first: dict[str, Finding] = {}
    evidence: dict[str, set[str]] = defaultdict(set)
    for one in findings:
        known = first.get(one.fingerprint)
        if known is None or one.at_ms < known.at_ms:
            first[one.fingerprint] = one
        evidence[one.fingerprint].update(one.evidence)
    return [
        Raised(name, one.rule, one.subject, one.at_ms, frozenset(evidence[name]), "open", one.at_ms)
        for name, one in first.items()
    ]


def _roots(scans: Iterable[Scan], void: set[str]) -> Callable[[str], str]:
    """Which cylinder a code is of: the code that it was first bound to, and so on."""
    bound: dict[str, tuple[int, str, str]] = {}
    for scan in scans:
        if scan.event_id not in void:
            for code in links_of(scan):
                binding = scan.at_ms, scan.event_id, scan.code
                bound[code] = min(binding, bound.get(code, binding))

    def root_of(code: str) -> str:
        seen = [code]
        while (binding := bound.get(seen[-1])) is not None:
            if binding[2] in seen:
                return min(seen[seen.index(binding[2]) :])
            seen.append(binding[2])
        return seen[-1]

    return root_of
