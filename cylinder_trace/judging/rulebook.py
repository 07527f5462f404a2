"""The rules in force as one table, for people: what each finds, how grave it is, and how long it waits for late scans."""

from collections.abc import Iterator, Sequence
from datetime import date

from cylinder_trace.judging.rule import Rule
from cylinder_trace.judging.rules import CYLINDER_RULES, NETWORK_RULES, SITE_RULES, SYSTEM_RULES
from cylinder_trace.law.citing import cited
from cylinder_trace.law.tables import Law

_PARTS: tuple[tuple[str, Sequence[Rule]], ...] = (
    ("一只气瓶 One cylinder", CYLINDER_RULES),
    ("站点与人员 Sites and people", SITE_RULES),
    ("流转网络 The network", NETWORK_RULES),
    ("系统自身 The system itself", SYSTEM_RULES),
)
_SEVERITY = {1: "1 立即", 2: "2 当日", 3: "3 汇总"}


def table(law: Law, on: date) -> str:
    """All rules in Markdown, part by part, with the grace of the law tables as they stand on a day."""
    return "\n".join(line for title, rules in _PARTS for line in _part(title, rules, law, on))


def _part(title: str, rules: Sequence[Rule], law: Law, on: date) -> Iterator[str]:
    yield f"| {title} | | 级 | 依据 Law | 等待 Waits |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        zh, en = rule.words.title
        wait = f"{law.number(f'{rule.name}.grace_h', on):g} h" if rule.waits_for_late_scans else ""
        basis = "；".join(cited(law, one).zh for one in rule.laws)
        yield f"| `{rule.name}` | {zh} {en} | {_SEVERITY[rule.severity]} | {basis} | {wait} |"
    yield ""
