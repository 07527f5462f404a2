"""May this cylinder be filled? The rules of the ledger, run over a rehearsal of the fill."""

from collections.abc import Sequence
from functools import lru_cache

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.verdict import Decision, Reason, Verdict
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State
from cylinder_trace.law.citing import Citation, cited
from cylinder_trace.law.naming import Naming
from cylinder_trace.law.tables import Law

_STOPS_FIRST = sorted(
    (rule for rule in CYLINDER_RULES if rule.at_gun is not None), key=lambda rule: rule.at_gun != "STOP"
)
_AT_GUN = tuple((rule, rule.rehearse or rule.find) for rule in _STOPS_FIRST)

Objection = tuple[CylinderRule, Finding]
"""A rule that speaks at the gun, and what it found in the rehearsal."""


def intended(
    code: str, site: str, medium: str, at_ms: int, operator: str | None = None, gun: str | None = None
) -> Scan:
    """The fill that is asked about. Rules that look at the operator or the gun say nothing where it is None."""
    fill = Scan("fill", "", at_ms, code, site)
    fill.operator, fill.medium, fill.gun = operator, medium, gun
    return fill


def objections(state: State, fill: Scan, reference: Reference) -> list[Objection]:
    """What the rules have against a fill, reasons to stop first; `state` is left alone."""
    return [(rule, finding) for rule, find in _AT_GUN if (finding := find(state, fill, reference))]


def decided(found: Sequence[Objection]) -> Decision:
    """STOP outranks ASK; nothing found is PASS."""
    return "PASS" if not found else "STOP" if found[0][0].at_gun == "STOP" else "ASK"


def worded(found: Sequence[Objection], naming: Naming) -> tuple[Reason, ...]:
    """The objections as the operator reads them, with the provisions cited."""
    return tuple(_reason(rule, finding, naming) for rule, finding in found)


def naming_at_gun(reference: Reference) -> Naming:
    """Names for a verdict: a station never reads where a customer lives."""
    return Naming(reference.law, reference.sites, reference.owners, names_customers=False)


def rehearsed(state: State, fill: Scan, reference: Reference) -> Verdict:
    """The verdict on a fill; nothing is recorded."""
    found = objections(state, fill, reference)
    reasons = worded(found, naming_at_gun(reference)) if found else ()
    return Verdict(
        decision=decided(found), cylinder_code=fill.code, reasons=reasons, judged_at=moment_of(fill.at_ms)
    )


def _reason(rule: CylinderRule, finding: Finding, naming: Naming) -> Reason:
    words = rule.words
    fact = naming.told(words.fact, finding.facts)
    remedy = rule.do_at_gun or words.remedy
    laws = [_cited(naming.law, one) for one in rule.laws]
    return Reason(
        rule=rule.name,
        title_zh=words.title[0],
        title_en=words.title[1],
        fact_zh=fact.zh,
        fact_en=fact.en,
        remedy_zh=remedy[0],
        remedy_en=remedy[1],
        law=rule.laws,
        law_zh=tuple(one.zh for one in laws),
        law_en=tuple(one.en for one in laws),
    )


@lru_cache(maxsize=1000)
def _cited(law: Law, basis_id: str) -> Citation:
    # A citation is searched for in all rows of the tables, and an operator waits for it.
    return cited(law, basis_id)
