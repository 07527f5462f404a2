"""Every rule against its cases in fixtures/cases: plain data that a regulator can read.

A case tells a story and what the rule finds in it; under it stand neighbours that differ in one fact (只差) and
end the other way. The form of a neighbour leaves room for one difference only: an event more or fewer, or one
field of an event, of the register or of the moment of judging.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from cylinder_trace.contract.event import REFERENCE_KINDS, read_event, written
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import read_record
from cylinder_trace.judging import story
from cylinder_trace.judging.circulation import movements
from cylinder_trace.judging.devices import Enrolment
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES, SITE_RULES, SYSTEM_RULES, network_findings
from cylinder_trace.judging.scan import Scan
from cylinder_trace.judging.state import Leg
from cylinder_trace.law.tables import load

Case = dict[str, Any]

FIXTURES = Path(__file__).parents[2] / "fixtures"
WORLD = tomllib.loads((FIXTURES / "world.toml").read_text("utf-8"))
OVER_DAYS = {rule.name for rule in (*SITE_RULES, *SYSTEM_RULES)}
"""These have cases of another form, in test_site_cases.py and test_system_cases.py."""
FILES = {
    path.stem: tomllib.loads(path.read_text("utf-8"))
    for path in sorted((FIXTURES / "cases").glob("*.toml"))
    if path.stem not in OVER_DAYS
}
CODE = "3310400000001"
_ENTERED_AT_A_DESK = REFERENCE_KINDS | {
    *("register", "update", "tag_bind", "tag_replace", "transfer", "correct"),
    *("stop", "resume", "lost", "found", "scrap", "hold", "release"),
}
_DIFFERENCES = {"change", "add", "leave_out", "registered", "as_of"}

ENROLLED = {device: Enrolment(site) for device, site in WORLD["devices"].items()}


def cases() -> Iterator[Any]:
    """Every case, and every neighbour as the case it makes."""
    for rule, file in FILES.items():
        for number, case in enumerate(file["case"], start=1):
            yield pytest.param(rule, case, id=f"{rule}-{number}")
            for letter, but in zip("abcdefgh", case.get("but", ()), strict=False):
                yield pytest.param(rule, neighbour(case, but), id=f"{rule}-{number}{letter}")


def neighbours() -> Iterator[Any]:
    for rule, file in FILES.items():
        for number, case in enumerate(file["case"], start=1):
            for letter, but in zip("abcdefgh", case.get("but", ()), strict=False):
                yield pytest.param(case, but, id=f"{rule}-{number}{letter}")


def neighbour(case: Case, but: Case) -> Case:
    """The case with one fact changed."""
    made = {key: deepcopy(value) for key, value in case.items() if key != "but"} | {
        key: but[key] for key in ("zh", "en", "finds")
    }
    rows = {row.get("id", str(number)): row for number, row in enumerate(made["events"])}
    if "change" in but:
        rows[but["change"]["id"]] |= but["change"]
    elif "add" in but:
        made["events"].append(but["add"])
    elif "leave_out" in but:
        made["events"].remove(rows[but["leave_out"]])
    elif "registered" in but:
        made["registered"] = made.get("registered", {}) | but["registered"]
    else:
        made["as_of"] = but["as_of"]
    return made


def facts(case: Case) -> dict[str, Any]:
    """A case as its single facts."""
    register = WORLD["registered"] | case.get("registered", {})
    told = {f"register.{name}": value for name, value in register.items()} | {"as_of": as_of(case)}
    for number, row in enumerate(case["events"]):
        told |= {f"{row.get('id', number)}.{name}": value for name, value in row.items()}
    return told


def as_of(case: Case) -> datetime:
    return moment(case.get("as_of", WORLD["as_of"]))


def moment(said: str) -> datetime:
    """A time as the cases write it, to the minute or the second, in Shanghai."""
    return datetime.fromisoformat(said.replace(" ", "T") + ":00"[: 19 - len(said)] + "+08:00")


def event_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def message(row: Case, number: int) -> dict[str, Any]:
    """A short row as a whole event of the contract."""
    row = dict(row)
    whole: dict[str, Any] = {
        "occurred_at": moment(row.pop("at")).isoformat(),
        "event_id": event_id(row.pop("id", str(number))),
    }
    row.pop("received", None)
    kind = row["kind"]
    if kind not in REFERENCE_KINDS:
        whole["cylinder_code"] = CODE
    if kind not in _ENTERED_AT_A_DESK:
        whole |= {"site_id": _where(row), "operator_id": "op-1", "device_id": "gun-1", "device_seq": number}
    if "corrects" in row:
        row["corrects"] = event_id(row["corrects"])
    if "cylinder_medium" in row:
        row["cylinder"] = {"medium": row.pop("cylinder_medium")}
    return written(read_event(whole | row))


def _where(row: Case) -> str:
    """Where a scan is made unless its row says: a movement where it begins or, received or returned, where it ends."""
    side = {"ship": "from_site", "deliver": "from_site", "receive": "to_site", "return": "to_site"}.get(
        row["kind"]
    )
    return str(row[side]) if side else "检验站" if row["kind"] == "inspect" else "甲站"


def found(rule: str, case: Case) -> set[str]:
    """The fingerprints of what the rule finds in a case."""
    messages = [message(row, number) for number, row in enumerate(case["events"])]
    acts = [message(act, 900 + number) for number, act in enumerate(WORLD["acts"])]
    acts += [one for one in messages if "cylinder_code" not in one]
    reference = Reference.of(load(), map(read_record, WORLD["records"]), acts, ENROLLED)
    stories: dict[str, list[Scan]] = defaultdict(list)
    bound = {one["new_code"]: one["cylinder_code"] for one in messages if "new_code" in one}
    for row, one in zip(case["events"], messages, strict=True):
        if "cylinder_code" in one:
            received_ms = epoch_ms(moment(row["received"])) if "received" in row else None
            scan = Scan.of(one, received_ms=received_ms)
            stories[bound.get(scan.code, scan.code)].append(scan)
    findings: list[Finding] = []
    legs: list[tuple[str, Leg]] = []
    entry = WORLD["registered"] | case.get("registered", {})
    for code, scans in stories.items():
        # An empty value is one that the register does not have.
        master = {name: value for name, value in entry.items() if name != "at" and value != ""}
        register = {"kind": "register", "at": entry["at"], "cylinder_code": code, "cylinder": master}
        whole = [Scan.of(message(register, 800)), *scans]
        chapter = story.told(code, whole, reference, epoch_ms(as_of(case)))
        findings += chapter.findings
        legs += [(code, leg) for leg in {leg.no: leg for leg in chapter.legs}.values()]
    graph = movements(legs, reference)
    as_of_ms = epoch_ms(as_of(case))
    findings += [one for site in sorted(graph) for one in network_findings(graph, site, reference, as_of_ms)]
    for finding in findings:
        words = RULES[finding.rule].words
        assert all(text.format_map(finding.facts) for text in words.fact)
        told = finding.facts.get("code")
        assert told is None or told != finding.facts.get("first_code"), "one code is told as two"
    return {finding.fingerprint for finding in findings if finding.rule == rule}


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_a_rule_finds_what_its_case_says(rule: str, case: Case) -> None:
    assert len(found(rule, case)) == case["finds"], case["zh"]


@pytest.mark.parametrize(("case", "but"), list(neighbours()))
def test_a_neighbour_differs_in_one_fact_and_ends_the_other_way(case: Case, but: Case) -> None:
    (difference,) = set(but) - {"zh", "en", "finds"}
    assert difference in _DIFFERENCES
    assert but["zh"].startswith("只差")
    assert bool(but["finds"]) is not bool(case["finds"])
    before, after = facts(case), facts(neighbour(case, but))
    differing = {name for name in before | after if before.get(name) != after.get(name)}
    if difference in {"add", "leave_out"}:
        assert len(neighbour(case, but)["events"]) - len(case["events"]) == (1 if difference == "add" else -1)
    else:
        assert len(differing) == 1, differing


def test_every_rule_has_a_case_that_fires_and_a_neighbour_that_does_not() -> None:
    for rule in RULES.keys() - OVER_DAYS:
        assert any(
            case["finds"] and any(not but["finds"] for but in case.get("but", ()))
            for case in FILES[rule]["case"]
        ), rule
    assert set(FILES) | OVER_DAYS == set(RULES)


@pytest.mark.parametrize("rule", FILES)
def test_the_cases_of_a_rule_bear_its_title_in_both_languages(rule: str) -> None:
    file = FILES[rule]
    assert (file["title_zh"], file["title_en"]) == RULES[rule].words.title
    assert file["rule_zh"].endswith("。")
    assert file["rule_en"].endswith(".")
    for case in file["case"]:
        for told in (case, *case.get("but", ())):
            assert told["zh"].endswith("。")
            assert told["en"].endswith(".")
            assert "__" not in told["zh"]
