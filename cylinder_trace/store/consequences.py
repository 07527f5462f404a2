"""From findings to alerts to notices, in one transaction: so that a crash can neither lose nor double an alert."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from cylinder_trace.judging.alerting import Transition, transition
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Rule
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store import alerts, notices
from cylinder_trace.store.alerts import Shown

WAIT_MS = {1: 60_000, 2: HOUR_MS, 3: 24 * HOUR_MS}
"""How long a notice of each severity waits for others of its group."""

Because = Callable[[str], str | None]
"""Fingerprint -> the event for which it is shown no more; None where no event is known to be the cause."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a unit of judging (a cylinder, a site) shows now.

    `anew` means that `findings` are all it shows; otherwise they are added to what it showed. `cylinder_id` is
    the cylinder where the unit is one.
    """

    unit: str
    findings: Sequence[Finding]
    anew: bool
    cylinder_id: str | None = None
    because: Because = lambda _fingerprint: None


def draw(connection: Connection, judged: Sequence[Judged], reference: Reference, now_ms: int) -> None:
    """Remember what the units show, and do what follows for alerts and notices.

    An alert is open as long as some unit shows its finding, and says what the earliest of its findings says.
    """
    before = alerts.shown_by(connection, [one.unit for one in judged if one.anew])
    judged = [one for one in judged if one.findings or one.unit in before]
    if not judged:
        return
    found = _found(judged)
    lost = _lost(judged, before)
    rules = {fingerprint: rule for shown in before.values() for fingerprint, rule in shown.items()}
    rules |= {fingerprint: one.rule for fingerprint, (one, _) in found.items()}
    if any(cylinder_id is None for _, cylinder_id in found.values()) or alerts.are_shared(
        connection, list(rules)
    ):
        alerts.hold_shared(connection)
    standing = alerts.standing(connection, list(rules))
    alerts.save_findings(connection, {one.unit: one.findings for one in judged}, list(before))
    reshown = {fingerprint for shown in before.values() for fingerprint in shown}
    for fingerprint, rule_name in sorted(rules.items()):
        rule, stands = RULES.get(rule_name), standing.get(fingerprint)
        one, cylinder_id = found.get(fingerprint, (None, None))
        if stands is None or stands.status != "open":
            shown = Shown.by(one) if one else None
        else:
            shown = _shown_now(connection, fingerprint, one, stands.shown, reshown)
        becomes = transition(stands.status if stands else None, shown is not None, rule)
        if becomes is None:
            continue
        district = _district(shown.site_id, reference) if shown else None
        if becomes.became == "continued":
            if stands and shown and (shown, district) != (stands.shown, stands.district):
                alerts.change(connection, fingerprint, district=district, **asdict(shown))
            continue
        number = stands.transition_no + 1 if stands else 0
        if one and rule and becomes.became == "opened":
            alerts.open_alert(connection, one, rule.severity, district, cylinder_id, number, now_ms)
            because: str | None = one.evidence[0]
        else:
            values = {"status": becomes.became, "transition_no": number, "changed_ms": now_ms}
            alerts.change(connection, fingerprint, **values)
            because = lost[fingerprint](fingerprint)
        alerts.note_transition(connection, fingerprint, number, becomes.became, now_ms, because)
        if becomes.reason:
            due_ms = now_ms + (_waits_ms(rule, becomes, reference, now_ms) if rule else 0)
            notices.give(connection, fingerprint, number, becomes.reason, district, due_ms)


def _found(judged: Sequence[Judged]) -> dict[str, tuple[Finding, str | None]]:
    """By fingerprint, the earliest finding of these units, and the cylinder where it is about that alone."""
    findings = [(finding, one.cylinder_id) for one in judged for finding in one.findings]
    found: dict[str, tuple[Finding, str | None]] = {}
    for finding, unit_id in sorted(findings, key=lambda pair: (pair[0].at_ms, min(pair[0].evidence))):
        found.setdefault(finding.fingerprint, (finding, unit_id if finding.subject == unit_id else None))
    return found


def _lost(judged: Sequence[Judged], before: Mapping[str, Mapping[str, str]]) -> dict[str, Because]:
    """The fingerprints that a unit shows no more, with who knows why."""
    lost: dict[str, Because] = {}
    for one in judged:
        if one.unit in before:
            now = {finding.fingerprint for finding in one.findings}
            lost |= {fingerprint: one.because for fingerprint in before[one.unit] if fingerprint not in now}
    return lost


def _shown_now(
    connection: Connection, fingerprint: str, one: Finding | None, shown: Shown, reshown: Collection[str]
) -> Shown | None:
    """What an open alert shows once the units' findings are saved; None where nothing shows it any more."""
    now = Shown.by(one) if one else None
    if now == shown or (now and now.at_ms > shown.at_ms and fingerprint not in reshown):
        return shown
    if now and now.at_ms < shown.at_ms:
        return now
    return alerts.earliest(connection, fingerprint)


def _district(site_id: str | None, reference: Reference) -> str | None:
    record = reference.sites.get(site_id) if site_id else None
    return record.district if record else None


def _waits_ms(rule: Rule, becomes: Transition, reference: Reference, now_ms: int) -> int:
    wait = WAIT_MS[rule.severity]
    # The scan that would explain it may still come; that it came is told without waiting for more.
    if rule.waits_for_late_scans and becomes.became == "opened":
        wait += int(reference.number(f"{rule.name}.grace_h", now_ms) * HOUR_MS)
    return wait
