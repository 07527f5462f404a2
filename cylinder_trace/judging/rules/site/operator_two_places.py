"""Finds persons who scan at two places too far apart for the time between (一人两地作业).

Why it matters: somebody without a certificate works under the name of somebody who has one.
Example: three times in a day a filler scans at stations 25 km apart within ten minutes.
Source: 特种设备安全法 art. 49, 86; thresholds operator_two_places.*. Fixed sites only: a courier moves. One alert a person
and day.
"""

from collections.abc import Iterator
from itertools import pairwise

from cylinder_trace.judging.days import MOST_NAMED, day_name
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Wording
from cylinder_trace.judging.scan import HOUR_MS, MINUTE_MS
from cylinder_trace.judging.site_rule import SiteRule
from cylinder_trace.judging.windows import PersonDay


def of_person(person: PersonDay, reference: Reference) -> Iterator[Finding]:
    if not person.scans:
        return
    at_ms = person.scans[0].at_ms
    least_km = reference.number("operator_two_places.min_distance_km", at_ms)
    fastest = reference.number("operator_two_places.speed_km_h", at_ms)
    err_ms = reference.number("operator_two_places.clock_tolerance_min", at_ms) * MINUTE_MS
    evidence: list[str] = []
    places: set[str] = set()
    times, farthest_km = 0, 0.0
    for before, scan in pairwise(person.scans):
        if before.site == scan.site:
            continue
        km = reference.distance_km(before.site, scan.site) or 0.0
        if km > least_km and km > fastest * (scan.at_ms - before.at_ms + err_ms) / HOUR_MS:
            times, farthest_km = times + 1, max(farthest_km, km)
            evidence += [scan.event_id, before.event_id]
            places |= {scan.site or "", before.site or ""}
    if times >= reference.number("operator_two_places.per_day", at_ms):
        site = min(places)
        facts: dict[str, Fact] = {
            "person": person.person,
            "first_site": min(places),
            "second_site": max(places),
            "times": times,
            "km": round(farthest_km),
        }
        ids = tuple(dict.fromkeys(evidence))[:MOST_NAMED]
        yield Finding(RULE.name, person.person, day_name(person.day), at_ms, site, ids, facts)


RULE = SiteRule(
    name="operator_two_places",
    severity=1,
    laws=("特种设备安全法.49", "特种设备安全法.86"),
    of_person=of_person,
    words=Wording(
        title=("一人两地作业", "One person at two places"),
        fact=(
            "{person} 当日 {times} 次在相距 {km} 公里的 {first_site}、{second_site} 之间作业，时间上不可能。",
            "{person} worked {times} times that day at {first_site} and {second_site}, {km} km apart, with no time for the way.",
        ),
        remedy=(
            "核实实际操作人员及其证书，查处冒用账号。",
            "Find out who worked there and with what certificate.",
        ),
        innocent=("同一单位共用一个登录账号。", "A shared login within one firm."),
        settles=("两地当时的监控录像或考勤。", "Video or attendance of both places at that time."),
    ),
)
