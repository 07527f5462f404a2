"""Every rule over days against its cases in fixtures/cases: plain data that a regulator can read.

A row tells of one scan or of many: `times` of them `every_s` seconds apart, on each of `days` days. Rows of kind
`double_fill` are findings about single cylinders, of kind `gap` cylinders that turn up elsewhere unscanned. Under a case
stand neighbours (只差) that differ in one fact and end the other way: one field of a row or of the site, or one row.
"""

import tomllib
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cylinder_trace.contract.master import read_record
from cylinder_trace.judging import city_days
from cylinder_trace.judging.finding import Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES, SITE_RULES
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, Scan, day_start_ms, local_day
from cylinder_trace.judging.state import Leg
from cylinder_trace.law.tables import load

Case = dict[str, Any]
LAW = load()
CASES = Path(__file__).parents[2] / "fixtures" / "cases"
FILES = {rule.name: tomllib.loads((CASES / f"{rule.name}.toml").read_text("utf-8")) for rule in SITE_RULES}
SITES: dict[str, dict[str, Any]] = {
    "甲站": {"type": "filling_station", "owner_id": "甲公司", "lat": 31.10, "lon": 121.40, "opens": "06:00", "closes": "21:00"},
    "乙站": {"type": "filling_station", "owner_id": "乙公司", "lat": 31.60, "lon": 121.50},
    "丙站": {"type": "filling_station", "owner_id": "丙公司", "lat": 31.20, "lon": 121.20},
    "配送点": {"type": "depot", "owner_id": "甲公司", "lat": 31.12, "lon": 121.41},
    "检验站": {"type": "inspection_agency", "lat": 31.11, "lon": 121.42},
    "第二检验站": {"type": "inspection_agency", "lat": 31.13, "lon": 121.43},
}  # fmt: skip
_DIFFERENCES = {"change", "add", "leave_out", "site"}


def cases() -> Iterator[Any]:
    for rule, file in FILES.items():
        for number, case in enumerate(file["case"], start=1):
            yield pytest.param(rule, case, id=f"{rule}-{number}")
            for letter, but in zip("abcdefgh", case.get("but", ()), strict=False):
                yield pytest.param(rule, neighbour(case, but), id=f"{rule}-{number}{letter}")


def neighbour(case: Case, but: Case) -> Case:
    """The case with one fact changed."""
    made = {key: deepcopy(value) for key, value in case.items() if key != "but"}
    made |= {key: but[key] for key in ("zh", "en", "finds")}
    rows = {row.get("id", str(number)): row for number, row in enumerate(made["rows"])}
    if "change" in but:
        assert len(set(but["change"]) - {"id"}) == 1
        rows[but["change"]["id"]] |= but["change"]
    elif "add" in but:
        made["rows"].append(but["add"])
    elif "leave_out" in but:
        made["rows"].remove(rows[but["leave_out"]])
    else:
        assert len(set(but["site"]) - {"site_id"}) == 1
        made["sites"] = [*made.get("sites", ()), but["site"]]
    return made


def moments(row: Case) -> Iterator[tuple[int, int, int]]:
    """Which number, in which order of the day, and when each scan of a row is made."""
    day, clock = row["at"].split(" ")
    hours, minutes, seconds = (int(part) for part in f"{clock}:00".split(":")[:3])
    first_ms = (
        day_start_ms(date.fromisoformat(day).toordinal()) + (hours * 3600 + minutes * 60 + seconds) * 1000
    )
    number = 0
    for on in range(row.get("days", 1)):
        for turn in range(row.get("times", 1)):
            yield number, turn, first_ms + on * DAY_MS + turn * int(row.get("every_s", 60) * 1000)
            number += 1


def scans(row: Case, name: str) -> Iterator[Scan]:
    for number, turn, at_ms in moments(row):
        site = row.get("site", "甲站" if turn % 2 == 0 or "in_turn" not in row else row["in_turn"])
        scan = Scan(row["kind"], f"{name}-{number:05}", at_ms, f"{name}/{number}", site)
        scan.device = row.get("device", "设备") + (f"@{site}" if "in_turn" in row else "")
        scan.received_ms = at_ms + int(row.get("late_h", 0.01) * HOUR_MS)
        scan.seq = row["seq"] + number if "seq" in row else None
        scan.operator, scan.entry = row.get("operator"), row.get("entry", "scanned")
        scan.gun, scan.medium, scan.result = (
            row.get("gun"),
            row.get("medium", "lpg"),
            row.get("result", "pass"),
        )
        if row["kind"] == "fill":
            kg = row.get("kg", 14.5) + (number % 20) * row.get("kg_step", 0.01)
            scan.net_g, scan.gun_count = round(kg * 1000), row["count"] + number if "count" in row else None
        if row["kind"] == "deliver":
            scan.from_site, scan.to_site = site, row.get("to", f"用户{number}")
        if "received" in row:
            _, _, scan.received_ms = next(moments({"at": row["received"]}))
        yield scan


def found(rule: str, case: Case) -> list[Finding]:
    """What the rule finds in a case, one finding of each fingerprint."""
    records = {
        site: {"record": "site", "site_id": site, "name": site, "district": "310112"} | its
        for site, its in SITES.items()
    }
    for change in case.get("sites", ()):
        records[change["site_id"]] = records[change["site_id"]] | change
    licence = {"kind": "licence", "event_id": "许可", "occurred_at": "2025-01-01T08:00:00+08:00",
               "licensed_site_id": "甲站", "licence_no": "A-1", "media": ["lpg"], "valid_until": "2028-12-31"}  # fmt: skip
    kept = {
        site: {name: value for name, value in its.items() if value != ""} for site, its in records.items()
    }
    reference = Reference.of(LAW, map(read_record, kept.values()), [licence])
    made: list[Scan] = []
    legs: list[Leg] = []
    evidence: list[Finding] = []
    for order, row in enumerate(case["rows"]):
        name = row.get("id", f"记录{order}")
        if row["kind"] == "double_fill":
            made += scans(row | {"kind": "fill"}, name)
            fills = list(scans(row | {"kind": "fill"}, name))
            evidence += [Finding.at_scan("double_fill", scan.code, scan, {}) for scan in fills]
        elif row["kind"] == "gap":
            legs += [
                Leg(number, "gap", row["from"], row["to"], None, at_ms, None, f"{name}-{number}", None, None, True, False, False)
                for number, _, at_ms in moments(row)
            ]  # fmt: skip
        else:
            made += scans(row, name)
    last_ms = max([scan.at_ms for scan in made] + [leg.arrived_ms or 0 for leg in legs])
    days = city_days.gathered(made, (), evidence, legs)
    findings = city_days.told(days, reference, local_day(last_ms) + case.get("days_after", 4))
    for finding in findings:
        words = RULES[finding.rule].words
        assert all(text.format_map(finding.facts) for text in words.fact)
        assert finding.evidence
        assert all(finding.evidence)
    return list({one.fingerprint: one for one in findings if one.rule == rule}.values())


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_a_rule_over_days_finds_what_its_case_says(rule: str, case: Case) -> None:
    assert len(found(rule, case)) == case["finds"], case["zh"]


@pytest.mark.parametrize("rule", FILES)
def test_a_neighbour_differs_in_one_fact_and_ends_the_other_way(rule: str) -> None:
    for case in FILES[rule]["case"]:
        for but in case.get("but", ()):
            (difference,) = set(but) - {"zh", "en", "finds"}
            assert difference in _DIFFERENCES
            assert but["zh"].startswith("只差")
            assert bool(but["finds"]) is not bool(case["finds"])


@pytest.mark.parametrize("rule", FILES)
def test_a_rule_over_days_has_a_case_that_fires_and_a_neighbour_that_does_not(rule: str) -> None:
    cases = FILES[rule]["case"]
    assert any(case["finds"] and any(not but["finds"] for but in case.get("but", ())) for case in cases)
    assert (FILES[rule]["title_zh"], FILES[rule]["title_en"]) == RULES[rule].words.title
