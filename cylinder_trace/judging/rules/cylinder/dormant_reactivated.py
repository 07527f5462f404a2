"""Finds the first fill or delivery of a cylinder after a year in which nobody saw it (久停复用).

Why it matters: valves stick and shells rust where a cylinder stands forgotten; it is inspected before it is used again.
Example: last scanned 2025-04-01, filled 2026-05-02. Inspected or put back into use before the fill: lawful.
Source: 特种设备安全法 art. 40; threshold dormant_reactivated.after_days. The first scan ever ends no such year.
"""

from datetime import date

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import DAY_MS, Scan, local_day
from cylinder_trace.judging.state import SHORTEST_IDLE_MS, State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    since_ms, seen = before.idle_since_ms, before.idle_event
    if since_ms is None:
        if scan.at_ms - before.seen_ms < SHORTEST_IDLE_MS:
            return None
        days = reference.number("dormant_reactivated.after_days", scan.at_ms)
        since_ms = before.idle_until(scan.at_ms, days * DAY_MS)
        if since_ms is None:
            return None
    last = date.fromordinal(local_day(since_ms)).isoformat()
    facts: dict[str, Fact] = {"last": last, "days": (scan.at_ms - since_ms) // DAY_MS}
    evidence = (scan.event_id, seen) if seen else (scan.event_id,)
    anchor = f"{RULE.name}:{since_ms}"
    return Finding(RULE.name, before.cylinder_id, anchor, scan.at_ms, scan.site, evidence, facts)


RULE = CylinderRule(
    name="dormant_reactivated",
    severity=2,
    laws=("特种设备安全法.40",),
    kinds=frozenset(["fill", "deliver"]),
    find=find,
    at_gun="ASK",
    do_at_gun=(
        "不要充装，放到待检区；有停用期间的检验报告或启用登记的，请站长核对后再定。",
        "Do not fill; put it with those to be inspected. With a report or a resumption from that time, ask the manager.",
    ),
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "久停复用",
            "Used again after a long idle time",
        ),
        fact=(
            "上次扫码为 {last}，停用 {days} 天后未经检验、启用即再次使用。",
            "Last scanned on {last}; used again after {days} days without inspection or resumption.",
        ),
        remedy=(
            "停止使用，送检合格并办理启用后方可充装。",
            "Take it out of use until it is inspected and put back into use.",
        ),
        innocent=(
            "检验或启用记录晚传，或其间扫码漏扫。",
            "The inspection or the resumption is late, or scans between were missed.",
        ),
        settles=(
            "停用期间的检验报告或启用登记。",
            "An inspection report or a resumption from the time between.",
        ),
    ),
)
