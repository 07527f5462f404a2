"""Finds one code on two cylinders: two stories that take turns, or one that would have had to fly (克隆码).

Why it matters: behind a copied code circulates a cylinder that nobody registered, inspects or would miss.
Example: within 30 days three scans at places where the story can not have it, one of them back at the earlier place; or
two scans 40 km apart within five minutes. Two missed scans in a row make one such conflict by chance, not three.
Source: 特种设备安全法 art. 33. A fourth conflict, or the speed, is proof. While it stands custody findings are silent.
"""

from cylinder_trace.judging import custody
from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import SCANS, Scan
from cylinder_trace.judging.state import Conflict, State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    if before.loc is None or scan.site is None or before.loc in (scan.site, scan.from_site):
        return None
    conflicts = custody.conflicts_by(before, scan, reference)
    speed = custody.speed_km_h(before, scan, reference)
    stands = before.clone_anchor is not None and scan.at_ms <= before.clone_until_ms
    if speed is None and not (conflicts and (stands or _takes_turns(conflicts, reference))):
        return None
    proven = speed is not None or len(conflicts) >= reference.number("clone.upgrade_conflicts", scan.at_ms)
    facts: dict[str, Fact] = {
        "conflicts": len(conflicts),
        "km": round(speed[0]) if speed else None,
        "km_h": round(speed[1]) if speed else None,
        "proven": proven,
        "why_zh": f"相隔 {speed[0]:.0f} 公里，须以每小时 {speed[1]:.0f} 公里移动"
        if speed
        else f"{len(conflicts)} 次出现在不可能在的地点，两处交替",
        "why_en": f"it would have covered {speed[0]:.0f} km at {speed[1]:.0f} km/h"
        if speed
        else f"{len(conflicts)} times it was where it can not have been, in turns",
        "places": [[one.left, one.site] for one in conflicts],
    }
    anchor = before.clone_anchor if stands else (conflicts[0].event_id if conflicts else scan.event_id)
    others = [one.event_id for one in conflicts if one.event_id != scan.event_id]
    evidence = (scan.event_id, *reversed(others))
    return Finding(RULE.name, before.cylinder_id, anchor or "", scan.at_ms, scan.site, evidence, facts)


def _takes_turns(conflicts: tuple[Conflict, ...], reference: Reference) -> bool:
    """Whether there are enough of them, one jumps back, and they are not all one visit to a gun and the way back."""
    if len(conflicts) < reference.number("clone.conflicts", conflicts[-1].at_ms):
        return False
    left: set[str] = set()
    back = 0
    for one in conflicts:
        back += one.site in left
        left |= {one.left}
    moved = sum(one.kind not in custody.AT_THE_GUN for one in conflicts)
    return back > 0 and moved > 1


RULE = CylinderRule(
    name="clone",
    severity=1,
    laws=(
        "特种设备安全法.33",
        "上海市燃气管理条例.22",
    ),
    kinds=SCANS,
    only="out_of_place",
    find=find,
    waits_for_late_scans=True,
    words=Wording(
        title=(
            "克隆码",
            "One code on two cylinders",
        ),
        fact=(
            "同一瓶码出现在两处：{why_zh}。",
            "One code in two places: {why_en}.",
        ),
        remedy=(
            "扣下实物核对钢印，查清两只气瓶的来源。",
            "Seize what bears the code, compare the stamps, find where both come from.",
        ),
        innocent=(
            "连续漏扫，或误扫他瓶后未更正。",
            "Scans were missed in a row, or another cylinder was scanned by mistake.",
        ),
        settles=(
            "两处实物的钢印照片。",
            "Photographs of the stamps at both places.",
        ),
    ),
)
