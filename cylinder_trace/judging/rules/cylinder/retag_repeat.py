"""Finds a cylinder whose tag was replaced three times within 60 days (频繁换标).

Why it matters: whoever changes a cylinder's tag again and again gives it a new life each time.
Example: replaced on 1 April, 20 April and 25 May. A third time after 61 days, or one of them declared wrong: lawful.
Source: 上海市燃气管理条例 art. 22. Thresholds retag_repeat.*. A bad batch of labels is the usual cause.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import DAY_MS, Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    if not before.retags:
        return None
    days = reference.number("retag_repeat.window_days", scan.at_ms)
    earlier = [event_id for at_ms, event_id in before.retags if scan.at_ms - at_ms <= days * DAY_MS]
    times = len(earlier) + 1
    if times < reference.number("retag_repeat.times", scan.at_ms):
        return None
    facts: dict[str, Fact] = {"times": times, "days": f"{days:g}"}
    evidence = (scan.event_id, *reversed(earlier))
    return Finding(
        RULE.name, before.cylinder_id, earlier[0], scan.at_ms, scan.site or before.loc, evidence, facts
    )


RULE = CylinderRule(
    name="retag_repeat",
    severity=2,
    laws=("上海市燃气管理条例.22",),
    kinds=frozenset(["tag_replace"]),
    find=find,
    words=Wording(
        title=(
            "频繁换标",
            "Re-tagged again and again",
        ),
        fact=(
            "{days} 天内换标 {times} 次。",
            "Its tag was replaced {times} times within {days} days.",
        ),
        remedy=(
            "核对实物钢印与历次换标记录。",
            "Compare its stamp with the record of each replacement.",
        ),
        innocent=(
            "标签批次质量差。",
            "A bad batch of labels.",
        ),
        settles=(
            "历次换标照片与钢印照片。",
            "Photographs of each tag and of the stamp.",
        ),
    ),
)
