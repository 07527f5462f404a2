"""The rules over the system's own health against their cases: one part of the system each, and one fact that differs."""

import tomllib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import read_record
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES, SYSTEM_RULES, system_findings
from cylinder_trace.judging.system_rule import (
    Backlog,
    DeadLetters,
    Flood,
    Heartbeat,
    JobState,
    Reach,
    SnapshotFetch,
    SystemState,
)
from cylinder_trace.law.tables import load
from tests.judging.test_cases import ENROLLED, FIXTURES, WORLD, message

CASES = FIXTURES / "cases"
FILES = {rule.name: tomllib.loads((CASES / f"{rule.name}.toml").read_text("utf-8")) for rule in SYSTEM_RULES}
PARTS: dict[str, type] = {
    "jobs": JobState,
    "backlogs": Backlog,
    "dead_letters": DeadLetters,
    "reaches": Reach,
    "heartbeats": Heartbeat,
    "snapshots": SnapshotFetch,
    "floods": Flood,
}
_MOMENTS = {"due", "succeeded", "since", "made", "fetched", "digest"}


def cases() -> Iterator[Any]:
    for rule, file in FILES.items():
        for number, case in enumerate(file["case"], start=1):
            yield pytest.param(rule, case, id=f"{rule}-{number}")
            for letter, but in zip("abcdefgh", case["but"], strict=False):
                assert len(but["change"]) == 1
                assert but["zh"].startswith("只差")
                changed = case | but | {"row": case["row"] | but["change"]}
                yield pytest.param(rule, changed, id=f"{rule}-{number}{letter}")


def moment_ms(said: str) -> int:
    return epoch_ms(datetime.fromisoformat(f"{said}+08:00"))


def state_of(case: dict[str, Any]) -> SystemState:
    row = {
        (f"{name}_ms" if name in _MOMENTS else name): moment_ms(value) if name in _MOMENTS else value
        for name, value in case["row"].items()
    }
    parts: dict[str, Any] = {case["of"]: (PARTS[case["of"]](**row),)}
    return SystemState(moment_ms(case["at"]), **parts)


@pytest.fixture(scope="module")
def reference() -> Reference:
    acts = [message(act, 900 + number) for number, act in enumerate(WORLD["acts"])]
    return Reference.of(load(), map(read_record, WORLD["records"]), acts, ENROLLED)


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_a_system_rule_finds_what_its_case_says(
    rule: str, case: dict[str, Any], reference: Reference
) -> None:
    found = system_findings(state_of(case), reference)
    assert [one.rule for one in found] == [rule] * case["finds"], case["zh"]
    for one in found:
        assert all(text.format_map(one.facts) for text in RULES[rule].words.fact)
        assert (RULES[rule].words.title) == (FILES[rule]["title_zh"], FILES[rule]["title_en"])


def test_promise_13_no_data_is_a_state_that_ends_by_itself(reference: Reference) -> None:
    assert all(rule.condition for rule in SYSTEM_RULES)
    assert not system_findings(SystemState(0), reference)


def test_promise_1_the_same_part_of_the_system_is_the_same_alert_at_any_time(reference: Reference) -> None:
    for file in FILES.values():
        case = file["case"][0]
        now, later = (
            system_findings(state_of(case | {"at": at}), reference)[0]
            for at in (case["at"], "2026-05-20 13:30")
        )
        assert now.fingerprint == later.fingerprint
