"""From findings to alerts to notices, in one transaction: so that a crash can neither lose nor double an alert."""

from collections.abc import Sequence

from sqlalchemy import Connection

from cylinder_trace.judging.alerting import compared
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Rule
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store import alerts, notices

WAIT_MS = {1: 60_000, 2: HOUR_MS, 3: 24 * HOUR_MS}
"""How long a notice of each severity waits for others of its group."""


def draw(
    connection: Connection,
    unit: str,
    findings: Sequence[Finding],
    reference: Reference,
    now_ms: int,
    *,
    anew: bool,
    because: str | None = None,
    cylinder_id: str | None = None,
    at_site: str | None = None,
) -> None:
    """Remember what a unit shows, and do what follows for alerts and notices.

    `anew` means that `findings` are all the unit shows; otherwise they are added to what it showed.
    `because` is the event that made the difference; `at_site` is where the unit is when a finding names no site.
    """
    before = alerts.shown_by(connection, unit) if anew else {}
    if not findings and not before:
        return
    if any(finding.subject != cylinder_id for finding in findings) or alerts.are_shared(
        connection, list(before)
    ):
        alerts.hold_shared(connection)
    found: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda one: (one.at_ms, one.evidence)):
        found.setdefault(finding.fingerprint, finding)
    gone = [fingerprint for fingerprint in before if fingerprint not in found]
    standing = alerts.standing(connection, [*found, *before])
    elsewhere = alerts.shown_elsewhere(connection, unit, gone)
    alerts.save_findings(connection, unit, findings, anew=anew)
    alerts.refresh(connection, [*found, *elsewhere] if anew else alerts.earlier(connection, found))
    for transition in compared(found, before, standing, elsewhere, RULES):
        rule = RULES[transition.rule]
        if transition.finding is None:
            # Who was told of it is told that it ended, wherever the cylinder is by now.
            district = alerts.district_of(connection, transition.fingerprint)
        else:
            record = reference.sites.get(transition.finding.site or at_site or "")
            district = record.district if record else None
        number = alerts.apply(
            connection,
            transition,
            severity=rule.severity,
            district=district,
            cylinder_id=cylinder_id
            if transition.finding and transition.finding.subject == cylinder_id
            else None,
            now_ms=now_ms,
            because=because,
        )
        if number is not None and transition.notify:
            reason = "first" if number == 0 else "again" if transition.finding else transition.became
            notices.give(
                connection,
                transition.fingerprint,
                number,
                reason,
                district,
                now_ms + _waits_ms(rule, reference, now_ms),
            )


def _waits_ms(rule: Rule, reference: Reference, now_ms: int) -> int:
    wait = WAIT_MS[rule.severity]
    if rule.waits_for_late_scans:
        wait += int(reference.number(f"{rule.name}.grace_h", now_ms) * HOUR_MS)
    return wait
