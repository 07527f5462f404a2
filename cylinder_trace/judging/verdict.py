"""May this cylinder be filled? The rules of the ledger, run over a rehearsal of the fill."""

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.verdict import Decision, Reason, Verdict
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State
from cylinder_trace.law.naming import Naming

_AT_GUN = tuple(rule for rule in CYLINDER_RULES if rule.at_gun is not None)


def rehearsed(
    state: State, code: str, site: str, operator: str, medium: str, at_ms: int, reference: Reference
) -> Verdict:
    """The verdict on filling `code` with `medium` at `site`; nothing is recorded and `state` is left alone."""
    fill = Scan("fill", "", at_ms, code, site)
    fill.operator, fill.medium = operator, medium
    found = [(rule, finding) for rule in _AT_GUN if (finding := rule.find(state, fill, reference))]
    decisions = {rule.at_gun for rule, _ in found}
    decision: Decision = "STOP" if "STOP" in decisions else "ASK" if decisions else "PASS"
    found.sort(key=lambda pair: pair[0].at_gun != "STOP")
    naming = Naming(reference.law, reference.sites, reference.owners, names_customers=False)
    reasons = tuple(_reason(rule, finding, naming) for rule, finding in found)
    return Verdict(decision=decision, cylinder_code=code, reasons=reasons, judged_at=moment_of(at_ms))


def _reason(rule: CylinderRule, finding: Finding, naming: Naming) -> Reason:
    words = rule.words
    fact = naming.told(words.fact, finding.facts)
    return Reason(
        rule=rule.name,
        title_zh=words.title[0],
        title_en=words.title[1],
        fact_zh=fact.zh,
        fact_en=fact.en,
        remedy_zh=words.remedy[0],
        remedy_en=words.remedy[1],
        law=rule.laws,
    )
