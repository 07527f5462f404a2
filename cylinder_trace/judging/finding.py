"""What a rule says of a story: which rule, about whom, anchored where, with which facts."""

import hashlib
from dataclasses import dataclass, field

from cylinder_trace.judging.scan import Scan

Fact = str | int | float | bool | None | list[str] | list[list[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's word about one fact.

    `subject` is a cylinder, site or owner; `anchor` tells episodes of the same rule and subject apart and is
    never a time of evaluation; `evidence` are the ids of the events that show it, the deciding one first.
    """

    rule: str
    subject: str
    anchor: str
    at_ms: int
    site: str | None
    evidence: tuple[str, ...]
    facts: dict[str, Fact] = field(default_factory=dict)

    @classmethod
    def at_scan(cls, rule: str, cylinder_id: str, scan: Scan, facts: dict[str, Fact]) -> "Finding":
        """About a cylinder, anchored at the scan that alone shows it."""
        return cls(rule, cylinder_id, scan.event_id, scan.at_ms, scan.site, (scan.event_id,), facts)

    @property
    def fingerprint(self) -> str:
        """32 hex digits: the identity of the alert; equal for the same facts judged twice, by anyone, in any order."""
        name = "\x1f".join((self.rule, self.subject, self.anchor))
        return hashlib.sha256(name.encode()).hexdigest()[:32]
