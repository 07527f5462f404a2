"""What a fold of a cylinder's events gives: the state after it, and the legs and findings of the events it saw."""

from collections.abc import Collection
from dataclasses import dataclass, field

from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.state import Leg, State


@dataclass(slots=True)
class Chapter:
    """A whole story, or what was added to one.

    `is_spent` says that what an earlier chapter showed holds no more: the story has to be told from its beginning.
    """

    state: State
    legs: list[Leg] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    is_whole: bool = False
    is_spent: bool = False

    def show(self, finding: Finding) -> None:
        """Add what a condition's rule says; it stands until it is ended."""
        self.findings.append(finding)
        self.state.shown = (*self.state.shown, finding.rule)

    def end(self, *rules: str) -> None:
        """These conditions hold no more."""
        ended = [rule for rule in rules if rule in self.state.shown]
        if ended:
            self.state.shown = tuple(rule for rule in self.state.shown if rule not in ended)
            left = [one for one in self.findings if one.rule not in ended]
            if len(self.findings) - len(left) < len(ended):
                self.is_spent = not self.is_whole
            self.findings[:] = left

    def take_back(self, rules: Collection[str], since_ms: int) -> None:
        """What these rules have found since then is explained."""
        self.findings[:] = [one for one in self.findings if one.rule not in rules or one.at_ms < since_ms]
        self.is_spent = not self.is_whole
