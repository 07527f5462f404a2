"""Cylinders that nobody has seen for a year (停用设备底数清理), and how each of them may be settled."""

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.law.answers import Names

TO_CHECK = "to_check"
SETTLEMENTS: dict[str, Names] = {
    TO_CHECK: Names("待核查", "To be checked"),
    "found_in_use": Names("核查在用", "Found in use"),
    "stored": Names("停用封存", "Stored, out of use"),
    "scrapped": Names("已报废", "Scrapped"),
    "lost": Names("下落不明", "Lost"),
    "deregistered": Names("已注销", "Deregistered"),
}
"""What may have become of an idle cylinder, by what a person found. The ledger's own scrap event still has to be sent."""

SEEN_AGAIN = "seen_again"
LISTED = "listed"


def idle_until_day(reference: Reference, now_ms: int) -> int:
    """Who was last seen on that day or before it is idle."""
    return local_day(now_ms) - int(reference.number("idle_cleanup.after_days", now_ms))
