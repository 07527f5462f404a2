"""Every rule against its cases in fixtures/cases: plain data that a regulator can read."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from cylinder_trace.contract.event import read_event, written
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import read_record
from cylinder_trace.judging import story
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import NETWORK_RULES, RULES
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import Leg
from cylinder_trace.law.tables import load

FIXTURES = Path(__file__).parents[2] / "fixtures"
CODE = "3310400000001"
WORLD = tomllib.loads((FIXTURES / "world.toml").read_text("utf-8"))
_OFFICE = {
    "register",
    "update",
    "tag_bind",
    "tag_replace",
    "transfer",
    "stop",
    "resume",
    "lost",
    "found",
    "scrap",
    "hold",
    "release",
    "correct",
}


def cases() -> Iterator[Any]:
    for path in sorted((FIXTURES / "cases").glob("*.toml")):
        for number, case in enumerate(tomllib.loads(path.read_text("utf-8"))["case"], start=1):
            yield pytest.param(path.stem, case, id=f"{path.stem}-{number}")


def event_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def message(row: dict[str, Any], number: int) -> dict[str, Any]:
    """A short row as a whole event of the contract."""
    row = dict(row)
    whole: dict[str, Any] = {
        "occurred_at": row.pop("at").replace(" ", "T") + ":00+08:00",
        "event_id": event_id(row.pop("id", str(number))),
    }
    if row["kind"] not in {"licence", "agreement"}:
        whole["cylinder_code"] = CODE
    if row["kind"] not in _OFFICE | {"licence", "agreement"}:
        whole |= {"site_id": "甲站", "operator_id": "op-1", "device_id": "gun-1", "device_seq": number}
    if "corrects" in row:
        row["corrects"] = event_id(row["corrects"])
    if "cylinder_medium" in row:
        row["cylinder"] = {"medium": row.pop("cylinder_medium")}
    return written(read_event(whole | row))


def found(rule: str, case: dict[str, Any]) -> set[str]:
    """The fingerprints of what the rule finds in a case."""
    reference = Reference.of(
        load(),
        map(read_record, WORLD["records"]),
        [message(act, 900 + n) for n, act in enumerate(WORLD["acts"])],
    )
    stories: dict[str, list[Scan]] = defaultdict(list)
    for number, row in enumerate(case["events"]):
        scan = Scan.of(message(row, number))
        stories[scan.code].append(scan)
    as_of = datetime.fromisoformat(case.get("as_of", "2027-12-31 00:00") + ":00+08:00")
    findings: list[Finding] = []
    legs: list[tuple[str, Leg]] = []
    for code, scans in stories.items():
        entry = WORLD["registered"] | case.get("registered", {})
        register = {
            "kind": "register",
            "at": entry["at"],
            "cylinder_code": code,
            "cylinder": {k: v for k, v in entry.items() if k != "at"},
        }
        chapter = story.told(code, [Scan.of(message(register, 800)), *scans], reference, epoch_ms(as_of))
        findings += chapter.findings
        legs += [(code, leg) for leg in {leg.no: leg for leg in chapter.legs}.values()]
    graph = movements(legs, reference)
    findings += [
        finding
        for site in sorted(graph)
        for one in NETWORK_RULES
        for finding in one.find(graph, site, reference)
    ]
    for finding in findings:
        words = RULES[finding.rule].words
        assert all(text.format_map(finding.facts) for text in words.fact)
    return {finding.fingerprint for finding in findings if finding.rule == rule}


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_a_rule_finds_what_its_case_says(rule: str, case: dict[str, Any]) -> None:
    assert len(found(rule, case)) == case["finds"], case["why_zh"]


def test_every_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    seen: dict[str, set[bool]] = defaultdict(set)
    for param in cases():
        rule, case = param.values
        seen[rule].add(bool(case["finds"]))
    assert seen == {name: {True, False} for name in RULES}
