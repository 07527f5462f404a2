"""Sites' days told anew from the ledger, some weeks at a time: what the rules over them would find. Nothing is written."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from cylinder_trace.judging.days import EVIDENCE, SiteDay, tallied
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import city_findings, day_findings
from cylinder_trace.judging.scan import HOUR_MS, Scan, day_start_ms, local_day
from cylinder_trace.judging.tally import Tally
from cylinder_trace.judging.windows import DAYS, City
from cylinder_trace.store import days, lives

AT_ONCE = 30
"""Days of one site that are held in memory."""

Shown = tuple[str, int, tuple[str, ...]]
"""What a finding about a cylinder means for its site's day: its rule, when, and its evidence."""

Stretch = tuple[list[Finding], dict[int, Tally]]
"""What some days of one site show, and their tallies."""


@dataclass(slots=True)
class Evidence:
    """What was found about cylinders, as far as it counts for the days of sites."""

    _of: dict[tuple[str, int], list[Shown]] = field(default_factory=lambda: defaultdict(list))

    def note(self, findings: Iterable[Finding]) -> None:
        """Keep those that count."""
        for one in findings:
            if one.rule in EVIDENCE and one.site is not None:
                self._of[one.site, local_day(one.at_ms)].append((one.rule, one.at_ms, one.evidence))

    def at(self, site: str, first: int, last: int) -> dict[int, list[Shown]]:
        """What counts for a site's days, by day."""
        found = {day: self._of.get((site, day), []) for day in range(first, last + 1)}
        return {day: shown for day, shown in found.items() if shown}


def stretch(
    connection: Connection,
    reference: Reference,
    void: set[str],
    site: str,
    first: int,
    last: int,
    evidence: dict[int, list[Shown]],
) -> Stretch:
    """Judge a site's days, both ends inclusive. `void` are the events that corrections declare wrong."""
    between = day_start_ms(first), day_start_ms(last + 1)
    by_day: dict[int, list[Scan]] = defaultdict(list)
    for scan in lives.at_site(connection, site, *between):
        by_day[local_day(scan.at_ms)].append(scan)
    jumps: list[dict[int, list[str]]] = [defaultdict(list), defaultdict(list)]
    for side, its in zip(jumps, lives.jumps(connection, site, *between), strict=True):
        for at_ms, event_id in its:
            side[local_day(at_ms)].append(event_id)
    findings: list[Finding] = []
    tallies: dict[int, Tally] = {}
    for day in sorted({*by_day, *jumps[0], *jumps[1]}):
        scans = by_day.get(day, [])
        site_day = SiteDay(
            site,
            day,
            [scan for scan in scans if scan.event_id not in void],
            [scan for scan in scans if scan.event_id in void],
            _deciding(evidence.get(day, ()), scans),
            jumps[0].get(day, ()),
            jumps[1].get(day, ()),
        )
        findings += day_findings(site_day, reference)
        tally = tallied(site_day, reference)
        if tally is not None:
            tallies[day] = tally
    return findings, tallies


def _deciding(shown: Iterable[Shown], scans: Iterable[Scan]) -> dict[str, list[str]]:
    """By rule, the events at this site and day at whose time something was found, in order."""
    at_ms = {scan.event_id: scan.at_ms for scan in scans}
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for rule, when_ms, evidence in shown:
        found[rule] |= {one: when_ms for one in evidence if at_ms.get(one) == when_ms}
    return {
        rule: [one for _, one in sorted((at, one) for one, at in its.items())] for rule, its in found.items()
    }


def city_weeks(
    connection: Connection,
    reference: Reference,
    as_of_ms: int,
    stretches: Callable[[list[str], int, int], Iterable[tuple[str, Stretch]]],
) -> Iterator[list[Finding]]:
    """What all days show, and the weeks that end with each; `stretches(sites, first, last)` gives each site's days.

    A day is judged when it has been over for some hours. In memory are the tallies of two months and one site's days.
    """
    span = lives.span(connection)
    if span is None:
        return
    sites = [site for site in lives.sites(connection) if site not in reference.customers]
    over_ms = int(reference.number("site_day.after_h", as_of_ms) * HOUR_MS)
    over = local_day(as_of_ms - over_ms) - 1
    tallies: dict[str, dict[int, Tally]] = defaultdict(dict)
    first = local_day(span[0])
    while first <= over:
        last = min(first + AT_ONCE - 1, over)
        for site, (findings, its) in stretches(sites, first, last):
            yield findings
            tallies[site] |= its
        for day in range(first, last + 1):
            city = City.ending(day, tallies)
            if city.of:
                yield city_findings(city, reference, partial(days.of_person, connection, day=day))
        for its in tallies.values():
            for day in [one for one in its if one <= last - DAYS]:
                del its[day]
        first = last + 1
