"""Findings against the alerts on record: what opens, continues, is withdrawn or resolved, and what people are told."""

from dataclasses import dataclass
from typing import Literal

from cylinder_trace.judging.rule import Rule

Status = Literal["open", "closed", "withdrawn", "resolved"]
Became = Literal["opened", "continued", "withdrawn", "resolved"]
Reason = Literal["first", "again", "withdrawn", "resolved"]

STANDS = ("open", "closed")
"""The statuses of an alert whose finding is shown: a person who closes one ends their work, not the fact."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What becomes of one alert, and why people are told of it; they are not where `reason` is None."""

    became: Became
    reason: Reason | None


def transition(
    standing: Status | None,
    is_shown: bool,
    rule: Rule | None,
    *,
    is_worse: bool = False,
    was_true: bool = False,
) -> Transition | None:
    """What becomes of an alert that stands so (None: never opened) when its finding is shown now, or is not.

    A finding that is gone is *withdrawn* where its rule names a fact, because a late event explained it, and
    *resolved* where its rule names a condition, because the condition ended. None where there is nothing to end.

    One that a person *closed* stays closed while its finding stands, unless that `is_worse` than when it was closed.
    When it is withdrawn after all, people are told where they closed it as a fact that `was_true`: they acted on it.
    """
    if is_shown:
        if standing == "open" or (standing == "closed" and not is_worse):
            return Transition("continued", None)
        return Transition("opened", "first" if standing is None else "again")
    if standing not in STANDS:
        return None
    if rule is not None and rule.condition:
        return Transition("resolved", "resolved" if standing == "open" else None)
    return Transition("withdrawn", "withdrawn" if standing == "open" or was_true else None)
