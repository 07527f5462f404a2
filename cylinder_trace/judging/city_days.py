"""All days of all sites at once, from memory: what a replay, an audit or a case needs, without a database."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from cylinder_trace.judging.days import EVIDENCE, SiteDay, tallied
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import city_findings, day_findings
from cylinder_trace.judging.scan import IN_ORDER, Scan, local_day
from cylinder_trace.judging.state import Leg
from cylinder_trace.judging.tally import Tally
from cylinder_trace.judging.windows import City

SiteDays = Mapping[tuple[str, int], SiteDay]
"""By site and local day."""


def gathered(
    scans: Iterable[Scan], void: Collection[str], findings: Iterable[Finding], legs: Iterable[Leg]
) -> dict[tuple[str, int], SiteDay]:
    """The days of all sites, from all scans, the ids declared wrong, what cylinders' stories showed, and all legs."""
    days: dict[tuple[str, int], SiteDay] = {}
    scanned: dict[tuple[str, int], tuple[list[Scan], list[Scan]]] = defaultdict(lambda: ([], []))
    for scan in sorted(scans, key=IN_ORDER):
        if scan.site is not None:
            scanned[scan.site, local_day(scan.at_ms)][scan.event_id in void].append(scan)
    for (site, day), (valid, wrong) in scanned.items():
        days[site, day] = SiteDay(site, day, valid, wrong)
    shown: dict[tuple[str, int, str], set[tuple[int, str]]] = defaultdict(set)
    for one in findings:
        if one.rule in EVIDENCE and one.site is not None:
            shown[one.site, local_day(one.at_ms), one.rule].add((one.at_ms, one.evidence[0]))
    gone: dict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
    come: dict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
    for leg in legs:
        if leg.kind == "gap" and leg.arrived_ms is not None:
            day, jump = local_day(leg.arrived_ms), (leg.arrived_ms, leg.arrive_event or "")
            gone[leg.from_site, day].append(jump)
            come[leg.to_site, day].append(jump)
    for key in sorted({*days, *gone, *come, *((site, day) for site, day, _ in shown)}):
        its = days.setdefault(key, SiteDay(*key, []))
        its.evidence = {rule: _ids(shown[*key, rule]) for rule in EVIDENCE if (*key, rule) in shown}
        its.gone, its.come = _ids(gone[key]), _ids(come[key])
    return days


def told(days: SiteDays, reference: Reference, last_day: int) -> list[Finding]:
    """All that the rules find in these days, and over the weeks that end with each day up to the last."""
    findings: list[Finding] = []
    tallies: dict[str, dict[int, Tally]] = defaultdict(dict)
    for (site, day), its in sorted(days.items()):
        if site in reference.customers or day > last_day:
            continue
        findings += day_findings(its, reference)
        if tally := tallied(its, reference):
            tallies[site][day] = tally

    first_day = min((day for its in tallies.values() for day in its), default=last_day + 1)
    for day in range(first_day, last_day + 1):
        city = City.ending(day, tallies)

        def scans_of(person: str, sites: Sequence[str], day: int = day) -> list[Scan]:
            return [scan for site in sites for scan in days[site, day].scans if scan.operator == person]

        findings += city_findings(city, reference, scans_of)
    return findings


def _ids(dated: Iterable[tuple[int, str]]) -> list[str]:
    return [event_id for _, event_id in sorted(dated)]
