"""The rules in force. A rule that is not listed here does not exist."""

from typing import TYPE_CHECKING

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, NetworkRule, Rule
from cylinder_trace.judging.rules.cylinder import (
    clone,
    deliver_without_fill,
    diverted,
    dormant_reactivated,
    double_fill,
    due_soon,
    fill_after_failed_check,
    fill_over_life,
    fill_overdue,
    foreign_fill,
    foreign_gun,
    impossible_order,
    inspect_no_arrival,
    inspection_inconsistent,
    long_dwell,
    medium_mismatch,
    never_received,
    no_postcheck,
    no_precheck,
    overdue_at_user,
    overfill,
    override_used,
    owner_gone,
    received_not_shipped,
    retag_repeat,
    tag_conflict,
    tag_out_of_block,
    uncertified_operator,
    unlicensed_site,
    unregistered,
    wrong_party_return,
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
    fill_after_failed_check.RULE,
    uncertified_operator.RULE,
    foreign_gun.RULE,
    owner_gone.RULE,
    diverted.RULE,
    never_received.RULE,
    received_not_shipped.RULE,
    impossible_order.RULE,
    clone.RULE,
    long_dwell.RULE,
    due_soon.RULE,
    overdue_at_user.RULE,
    dormant_reactivated.RULE,
    inspect_no_arrival.RULE,
    inspection_inconsistent.RULE,
    tag_out_of_block.RULE,
    retag_repeat.RULE,
    tag_conflict.RULE,
    wrong_party_return.RULE,
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
