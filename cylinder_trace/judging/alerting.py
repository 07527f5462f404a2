"""Findings against the alerts on record: what opens, continues, is withdrawn or resolved, and why a notice is due."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.rule import Rule

Status = Literal["open", "withdrawn", "resolved"]
Became = Literal["opened", "continued", "withdrawn", "resolved"]


@dataclass(frozen=True, slots=True)
class Transition:
    """What becomes of one alert. `finding` is what shows it now; None where nothing does any more."""

    fingerprint: str
    rule: str
    became: Became
    finding: Finding | None
    notify: bool


def compared(
    found: Mapping[str, Finding],
    before: Mapping[str, str],
    standing: Mapping[str, Status],
    elsewhere: Collection[str],
    rules: Mapping[str, Rule],
) -> list[Transition]:
    """Compare what a unit of judging (a cylinder, a site) shows now with what it showed before.

    `found` maps fingerprints to findings now, `before` maps those it showed before to their rule, `standing`
    is the status of alerts on record, `elsewhere` are fingerprints that other units show as well. A finding
    that is gone is *withdrawn* where its rule names a fact, because a late event explained it, and *resolved*
    where its rule names a condition, because the condition ended.
    """
    transitions = []
    for fingerprint, finding in sorted(found.items()):
        new = standing.get(fingerprint) != "open"
        became: Became = "opened" if new else "continued"
        transitions.append(Transition(fingerprint, finding.rule, became, finding, notify=new))
    for fingerprint, rule_name in sorted(before.items()):
        if fingerprint in found or fingerprint in elsewhere or standing.get(fingerprint) != "open":
            continue
        rule = rules.get(rule_name)
        ended: Became = "resolved" if rule is not None and rule.condition else "withdrawn"
        transitions.append(Transition(fingerprint, rule_name, ended, None, notify=True))
    return transitions
