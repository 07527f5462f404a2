"""Finds one tag bound to two registered cylinders (一标两瓶).

Why it matters: what is inspected under that tag may be the other cylinder.
Example: cylinders A and B are both registered, and A is given B's code; or a code bound to A is registered as another.
Entered again with the same class, medium, volume and year of make, it is the same cylinder: lawful.
Source: 上海市燃气管理条例 art. 22; such pairs stood in a city's own register.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, _reference: Reference) -> Finding | None:
    first, second = before.register_event, before.second_register
    code: str | None = scan.new_code
    first_code: str | None = scan.code
    if scan.kind == "register":
        if first is None or scan.code not in before.bound or _is_the_same(before, scan):
            return None
        second, code, first_code = scan.event_id, scan.code, before.register_code
    elif second is None or first is None:
        return None
    facts: dict[str, Fact] = {"code": code, "first_code": first_code}
    evidence = tuple(dict.fromkeys((scan.event_id, second, first)))
    return Finding(
        RULE.name, before.cylinder_id, second, scan.at_ms, scan.site or before.loc, evidence, facts
    )


def _is_the_same(before: State, scan: Scan) -> bool:
    entry = scan.master or {}
    mine = (before.cylinder_class, before.medium, before.volume_l, before.manufactured)
    return mine == tuple(entry.get(name) for name in ("cylinder_class", "medium", "volume_l", "manufactured"))


RULE = CylinderRule(
    name="tag_conflict",
    severity=1,
    laws=("上海市燃气管理条例.22",),
    kinds=frozenset(["register", "tag_bind", "tag_replace"]),
    find=find,
    words=Wording(
        title=(
            "一标两瓶",
            "One tag, two cylinders",
        ),
        fact=(
            "瓶码 {code} 与 {first_code} 各自登记为一只气瓶，却被绑定为同一只。",
            "Codes {code} and {first_code} are registered as two cylinders and bound to one.",
        ),
        remedy=(
            "核对两只气瓶实物，保留其一，另发新标签。",
            "Look at both cylinders; leave the tag on one and give the other a new one.",
        ),
        innocent=(
            "同一气瓶重复登记后合并。",
            "One cylinder was registered twice, and the entries were joined.",
        ),
        settles=(
            "两瓶的钢印照片。",
            "Photographs of both stamps.",
        ),
    ),
)
