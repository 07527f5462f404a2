"""Rules that are no longer in force: their alerts stay on record, and are told and shown all the same."""

from collections.abc import Mapping
from typing import Any

from cylinder_trace.judging.rule import Rule, Wording
from cylinder_trace.judging.rules import RULES


def rule_of(name: str, alert: Mapping[str, Any]) -> Rule:
    """The rule in force, or what can still be said of a former one: its id, and how severe it found this alert."""
    return RULES.get(name) or Rule(
        name=name,
        severity=alert["severity"],
        laws=(),  # which provisions it stood on is not known any more, and none is guessed
        words=Wording(
            title=(f"已停用的规则 {name}", f"Former rule {name}"),
            fact=(
                "作出本预警的规则已停用；当时的事实以所附记录为准。",
                "The rule behind this alert is no longer in force; the records it names say what happened.",
            ),
            remedy=(
                "查看预警所附记录，再决定如何处置。",
                "Read the records of the alert before acting on it.",
            ),
            innocent=("不详：该规则已停用。", "Not known: the rule is no longer in force."),
            settles=("不详：该规则已停用。", "Not known: the rule is no longer in force."),
        ),
    )
