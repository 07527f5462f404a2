"""Finds a new tag whose number was not issued to the cylinder's owner (号段外标签).

Why it matters: a number from nobody's block is a tag that somebody printed.
Example: owner's block 0001-5000, new tag 7012. Issued before the tag was put on, and entered later: lawful.
Source: 上海市燃气管理条例 art. 22. Silent for owners whose blocks are not on record, and for codes that are no tag numbers.
"""

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import CylinderRule, Wording
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import State


def find(before: State, scan: Scan, reference: Reference) -> Finding | None:
    owner, code = before.owner, scan.new_code
    if owner is None or code is None or reference.in_block(owner, code, scan.at_ms) is not False:
        return None
    if scan.kind == "tag_bind" and all(
        len(block.first) != len(code) for block in reference.tag_blocks[owner]
    ):
        return None
    facts: dict[str, Fact] = {"owner": owner, "code": code}
    # Entered at a desk: the district where the cylinder is looks into it.
    where, evidence = scan.site or before.loc, (scan.event_id,)
    return Finding(RULE.name, before.cylinder_id, scan.event_id, scan.at_ms, where, evidence, facts)


RULE = CylinderRule(
    name="tag_out_of_block",
    severity=2,
    laws=("上海市燃气管理条例.22",),
    kinds=frozenset(["tag_bind", "tag_replace"]),
    find=find,
    words=Wording(
        title=(
            "号段外标签",
            "A tag outside the issued numbers",
        ),
        fact=(
            "新标签 {code} 不在发给 {owner} 的号段内。",
            "The new tag {code} is not among the numbers issued to {owner}.",
        ),
        remedy=(
            "核实标签来源，收缴伪造标签。",
            "Find where the tag comes from; seize forged ones.",
        ),
        innocent=(
            "新号段尚未录入。",
            "A new block has not been entered yet.",
        ),
        settles=(
            "号段发放文件。",
            "The paper that issued the block.",
        ),
    ),
)
