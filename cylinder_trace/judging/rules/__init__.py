"""The rules in force. A rule that is not listed here does not exist."""

from typing import TYPE_CHECKING

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, NetworkRule, Rule
from cylinder_trace.judging.rules.cylinder import (
    deliver_without_fill,
    double_fill,
    fill_over_life,
    fill_overdue,
    foreign_fill,
    medium_mismatch,
    no_postcheck,
    no_precheck,
    overfill,
    override_used,
    unlicensed_site,
    unregistered,
    zombie,
)
from cylinder_trace.judging.rules.network import bypass_loop, out_of_area

if TYPE_CHECKING:
    import networkx as nx

CYLINDER_RULES: tuple[CylinderRule, ...] = (
    fill_overdue.RULE,
    fill_over_life.RULE,
    zombie.RULE,
    unregistered.RULE,
    foreign_fill.RULE,
    unlicensed_site.RULE,
    medium_mismatch.RULE,
    overfill.RULE,
    no_precheck.RULE,
    no_postcheck.RULE,
    double_fill.RULE,
    deliver_without_fill.RULE,
    override_used.RULE,
)

NETWORK_RULES: tuple[NetworkRule, ...] = (
    out_of_area.RULE,
    bypass_loop.RULE,
)

RULES: dict[str, Rule] = {rule.name: rule for rule in (*CYLINDER_RULES, *NETWORK_RULES)}
"""Every rule by its name."""


def network_findings(graph: "nx.MultiDiGraph[str]", site: str, reference: Reference) -> list[Finding]:
    """All that the network rules find around a site."""
    return [finding for rule in NETWORK_RULES for finding in rule.find(graph, site, reference)]
