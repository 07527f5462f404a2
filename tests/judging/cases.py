"""Cases as a regulator writes them (`fixtures/cases/*.toml`), read into events of the real contract.

Times are Shanghai's. A row's `at` may be left to the file's order of arrival: rows stand in the order in which the
server got them, and those marked `late` came after a first judging. `each` repeats a row for several cylinders.
"""

import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cylinder_trace.contract.event import read_event, written
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import read_record
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import Scan
from cylinder_trace.law.tables import load

FOLDER = Path(__file__).parents[2] / "fixtures" / "cases"
SHANGHAI = timezone(timedelta(hours=8))
FIELDS = {
    "site": "site_id",
    "from": "from_site",
    "to": "to_site",
    "kg": "gas_mass_kg",
    "mpa": "pressure_mpa",
    "new_owner": "new_owner_id",
}
OFFICE = {
    "register", "update", "tag_bind", "tag_replace", "transfer", "stop", "resume", "lost", "found", "scrap", "hold",
    "release", "correct", "licence", "agreement",
}  # fmt: skip
FILE_KEYS = {"rule", "says_zh", "says_en", "sites", "owners", "licences", "agreements", "cylinders", "case"}
CASE_KEYS = {
    "name", "why_zh", "why_en", "differs_from", "differs_zh", "differs_en", "as_of", "finds", "finds_before_late",
    "facts", "cylinder", "around", "events",
}  # fmt: skip


@dataclass
class Case:
    """One case: what was known of the parties, what arrived in which order, and how many alerts it makes."""

    rule: str
    name: str
    finds: int
    finds_before_late: int | None
    facts: dict[str, Any]
    around: str | None
    as_of_ms: int
    said: dict[str, Any]
    reference_records: list[Any]
    acts: list[tuple[dict[str, Any], bool]] = field(default_factory=list)
    scans: list[tuple[str, Scan, bool]] = field(default_factory=list)

    def reference(self, late: bool = True) -> Reference:
        """The reference data with the acts that had arrived by then."""
        acts = [message for message, came_late in self.acts if late or not came_late]
        return Reference.of(load(), self.reference_records, acts)

    def stories(self, late: bool = True) -> dict[str, list[Scan]]:
        """Each cylinder's events, in the order of arrival."""
        stories: dict[str, list[Scan]] = defaultdict(list)
        for cylinder_id, scan, came_late in self.scans:
            if late or not came_late:
                stories[cylinder_id].append(scan)
        return stories


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def read_cases() -> list[Case]:
    """Every case of every file; a key that no one reads is refused, so that no fact is silently dropped."""
    return [case for path in sorted(FOLDER.glob("*.toml")) for case in _read_file(path)]


def _read_file(path: Path) -> list[Case]:
    file = tomllib.loads(path.read_text("utf-8"))
    _refuse_unknown(path.name, file, FILE_KEYS)
    assert file["rule"] == path.stem, f"{path.name} speaks of {file['rule']}"
    cases = [_read_case(file, told) for told in file["case"]]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), f"{path.name} has two cases of one name"
    for case in cases:
        assert case.said.get("differs_from", case.name) in names, f"{case.name} differs from a case not there"
    return cases


def _read_case(file: dict[str, Any], told: dict[str, Any]) -> Case:
    _refuse_unknown(f"{file['rule']}: {told.get('name')}", told, CASE_KEYS)
    case = Case(
        rule=file["rule"],
        name=told["name"],
        finds=told["finds"],
        finds_before_late=told.get("finds_before_late"),
        facts=told.get("facts", {}),
        around=told.get("around"),
        as_of_ms=epoch_ms(moment(told["as_of"])),
        said=told,
        reference_records=[
            *(
                read_record({"record": "site", "name": site["site_id"], **site})
                for site in file.get("sites", ())
            ),
            *(
                read_record({"record": "owner", "name": one["owner_id"], **one})
                for one in file.get("owners", ())
            ),
        ],
    )
    rows: list[dict[str, Any]] = [
        *({"kind": "licence", "licence_no": "沪充0001", **row} for row in file.get("licences", ())),
        *({"kind": "agreement", "at": row["valid_from"], **row} for row in file.get("agreements", ())),
    ]
    cylinders = file.get("cylinders", {})
    for code, entry in cylinders.items():
        entry = {**entry, **told.get("cylinder", {})}  # noqa: PLW2901
        rows.append({"at": entry.pop("registered"), "kind": "register", "cylinder": code, "register": entry})
    rows += told["events"]
    alias: dict[str, str] = {}
    place = 0
    for row in rows:
        for code in row.get("each", (row.get("cylinder", next(iter(cylinders), "SH310001")),)):
            place += 1
            _take_in(case, {**row, "cylinder": code}, place, alias)
    return case


def _take_in(case: Case, row: dict[str, Any], place: int, alias: dict[str, str]) -> None:
    kind, code, late = row["kind"], row["cylinder"], row.get("late", False)
    message: dict[str, Any] = {
        "event_id": _id(case, row.get("id", f"row {place}")),
        "kind": kind,
        "occurred_at": moment(row["at"]).isoformat(),
    }
    if kind not in {"licence", "agreement"} and not row.get("of_an_act"):
        message["cylinder_code"] = code
    if kind not in OFFICE:
        place_of = {"site_id": row.get("site", row.get("from")), "operator_id": "持证人员01"}
        message |= place_of | {"device_id": "手持机01", "device_seq": place}
    if kind in {"register", "update"}:
        message["cylinder"] = row["register"]
    if kind in {"hold", "release"}:
        message["authority"] = "闵行区市场监督管理局"
    if kind == "correct":
        message |= {"corrects": _id(case, row["corrects"]), "reason": row.get("reason", "did_not_occur")}
    said = {"at", "id", "kind", "cylinder", "each", "late", "register", "corrects", "reason", "of_an_act"}
    message |= {FIELDS.get(key, key): value for key, value in row.items() if key not in said}
    body = written(read_event(message))
    if "cylinder_code" not in body:
        case.acts.append((body, late))
        return
    scan = Scan.of(body)
    root = alias.get(scan.code, scan.code)
    if scan.new_code:
        alias[scan.new_code] = root
    case.scans.append((root, scan, late))


def _id(case: Case, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{case.rule}/{case.name}/{name}"))


def _refuse_unknown(where: str, table: dict[str, Any], known: set[str]) -> None:
    unknown = set(table) - known
    assert not unknown, f"{where} has {', '.join(sorted(unknown))}, which nobody reads"
