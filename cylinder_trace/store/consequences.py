"""From findings to alerts to notices, in one transaction: so that a crash can neither lose nor double an alert."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from cylinder_trace.judging.alerting import STANDS, Transition, transition
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.handling import timing
from cylinder_trace.judging.handling.care import Care, is_worse
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Rule
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.store import alerts, handling, notices
from cylinder_trace.store.alerts import Shown, Standing
from cylinder_trace.store.handling import Held

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
    cares = handling.cares(
        connection, {one: its.episode for one, its in standing.items() if its.status in STANDS}
    )
    reshown = {fingerprint for shown in before.values() for fingerprint in shown}
    for fingerprint, rule_name in sorted(rules.items()):
        rule, stands = RULES.get(rule_name), standing.get(fingerprint)
        one, cylinder_id = found.get(fingerprint, (None, None))
        if stands is None or stands.status not in STANDS:
            shown = Shown.by(one) if one else None
        else:
            shown = _shown_now(connection, fingerprint, one, stands.shown, reshown)
        care = cares.get(fingerprint)
        worse = _worse(connection, stands, care, one, rule) if stands and care and one and rule else None
        becomes = transition(
            stands.status if stands else None,
            shown is not None,
            rule,
            is_worse=worse is not None,
            was_true=care is not None and care.verdict == "handled",
        )
        if becomes is None:
            continue
        district = _district(shown.site_id, reference) if shown else None
        if becomes.became == "continued":
            if stands and shown:
                _go_on(connection, fingerprint, stands, shown, district, rule)
            if stands and care and rule and worse is not None:
                held = Held(
                    fingerprint, stands.episode, "open", stands.transition_no, rule.severity, district, care
                )
                handling.wake(connection, held, "worse", worse, reference, now_ms)
            continue
        number = stands.transition_no + 1 if stands else 0
        if one and shown and rule and becomes.became == "opened":
            episode = stands.episode + 1 if stands else 1
            said = alerts.Opened(one, shown, rule.severity, district, cylinder_id)
            alerts.open_alert(connection, said, number, episode, now_ms)
            handling.begin(connection, fingerprint, episode, reference.law, now_ms)
            because: str | None = one.evidence[0]
        else:
            episode = stands.episode if stands else 1
            values = {"status": becomes.became, "transition_no": number, "changed_ms": now_ms}
            alerts.change(connection, fingerprint, **values)
            handling.end(connection, fingerprint, episode)
            because = lost[fingerprint](fingerprint)
        alerts.note_transition(connection, fingerprint, number, episode, becomes.became, now_ms, because)
        if becomes.reason:
            due_ms = _due_ms(rule, becomes, reference, now_ms) if rule else now_ms
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


def _worse(connection: Connection, stands: Standing, care: Care, one: Finding, rule: Rule) -> int | None:
    """How often it was found by now, where that or the rule makes it worse than when somebody saw to it."""
    if care.is_waiting:
        return None
    number = handling.times(connection, one.fingerprint)
    return number if is_worse(care, number, is_graver=rule.severity < stands.severity) else None


def _go_on(
    connection: Connection,
    fingerprint: str,
    stands: Standing,
    shown: Shown,
    district: str | None,
    rule: Rule | None,
) -> None:
    severity = rule.severity if rule else stands.severity
    if (shown, district, severity) != (stands.shown, stands.district, stands.severity):
        alerts.change(connection, fingerprint, district=district, severity=severity, **asdict(shown))


def _district(site_id: str | None, reference: Reference) -> str | None:
    record = reference.sites.get(site_id) if site_id else None
    return record.district if record else None


def _due_ms(rule: Rule, becomes: Transition, reference: Reference, now_ms: int) -> int:
    from_ms = now_ms
    # The scan that would explain it may still come; that it came is told without waiting for more.
    if rule.waits_for_late_scans and becomes.became == "opened":
        from_ms += int(reference.number(f"{rule.name}.grace_h", now_ms) * HOUR_MS)
    return timing.due_ms(rule.severity, from_ms, reference)
