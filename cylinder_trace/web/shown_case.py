"""A case in the reader's language, and as JSON: who did what and when, what is open to the reader, and by when."""

from datetime import date
from typing import Any

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.handling.cases import (
    DIRECTIVE,
    KINDS,
    LETTER_ISSUED,
    STATES,
    STEPS,
    Step,
    family,
    last_day,
    open_to,
)
from cylinder_trace.law.naming import Naming
from cylinder_trace.store.cases import case_of
from cylinder_trace.store.people import Person
from cylinder_trace.web.case_steps import actor_of

ENDED = ("closed", "dropped")
_OF_STATION = frozenset({"manager"})


def shown_case(row: dict[str, Any], naming: Naming, lang: str, now_ms: int) -> dict[str, Any]:
    """A case as lists show it; `late` says whether whoever has to act now is late."""
    which = 0 if lang == "zh" else 1
    state = LETTER_ISSUED if row["kind"] != DIRECTIVE and row["state"] == "issued" else STATES[row["state"]]
    runs = row["state"] not in ("draft", *ENDED)
    return {
        **row,
        "title": KINDS[row["kind"]][which],
        "state_name": state[which],
        "site": naming.site(row["site_id"])[which] if row["site_id"] else "",
        "district_name": naming.district(row["district"])[which],
        "due_day": _day(row["due_ms"]),
        "appeal_due_day": _day(row["appeal_due_ms"]),
        "late": runs and any(row[name] and row[name] <= now_ms for name in ("due_ms", "appeal_due_ms")),
        "runs": runs,
        "opened": moment_of(row["opened_ms"]),
    }


def log_of(row: dict[str, Any], person: Person, lang: str) -> list[dict[str, Any]]:
    """Everything that was done, in order; who at an office did it is told to offices only."""
    steps = STEPS[family(row["kind"])]
    return [_entry(one, steps, row["case_id"], person, 0 if lang == "zh" else 1) for one in row["log"]]


def steps_open(row: dict[str, Any], person: Person) -> dict[str, Step]:
    """The steps the reader may take now, by their word."""
    steps = STEPS[family(row["kind"])]
    return {name: steps[name] for name in open_to(case_of(row), actor_of(person))}


def case_json(row: dict[str, Any], person: Person) -> dict[str, Any]:
    """A case for programs, with its log, its files and what is open to the reader."""
    entries = log_of(row, person, "en")
    plain = ("case_id", "kind", "state", "version", "district", "site_id", "about_case", "severity", "number")
    told = ("facts", "demands", "is_serious", "is_escalated", "appeal", "closed_how", "alerts")
    moments = ("opened_ms", "issued_ms", "closed_ms")
    return {
        **{name: row[name] for name in (*plain, *told) if name in row},
        **{name.replace("_ms", "_at"): _moment(row[name]) for name in moments},
        "due_day": _day(row["due_ms"]),
        "appeal_due_day": _day(row["appeal_due_ms"]),
        "may": list(steps_open(row, person)),
        "log": [
            {
                **{name: one[name] for name in ("no", "step", "became", "by", "by_role", "why", "files")},
                "at": one["at"].isoformat(),
                "due_day": one["due_day"],
            }
            for one in entries
        ],
    }


def case_line(row: dict[str, Any]) -> dict[str, Any]:
    """A case in a list for programs."""
    names = (
        "case_id",
        "kind",
        "state",
        "version",
        "district",
        "site_id",
        "severity",
        "number",
        "is_escalated",
    )
    return {name: row[name] for name in names} | {
        "due_day": _day(row["due_ms"]),
        "appeal": row["appeal"],
        "opened_at": _moment(row["opened_ms"]),
    }


def _entry(
    one: dict[str, Any], steps: dict[str, Step], case_id: int, person: Person, which: int
) -> dict[str, Any]:
    is_told = person.scope.kind != "station" or one["by_role"] in _OF_STATION
    title = _MADE if one["step"] == "make" else steps[one["step"]].names
    return {
        "no": one["no"],
        "step": one["step"],
        "title": title[which],
        "became": one["became"],
        "at": moment_of(one["at_ms"]),
        "by": one["by"] if is_told else "",
        "by_name": one["by_name"] if is_told else "",
        "by_role": one["by_role"],
        "why": one["why"],
        "due_day": _day(one["due_ms"]),
        "files": [
            {
                "name": file["name"],
                "media_type": file["media_type"],
                "size": file["size"],
                "sha256": file["sha256"].hex(),
                "address": f"/cases/{case_id}/files/{file['log_no']}/{file['no']}",
            }
            for file in sorted(one["files"], key=lambda file: file["no"])
        ],
    }


_MADE = ("立案", "Case made")


def _day(due_ms: int | None) -> str | None:
    return None if due_ms is None else date.fromordinal(last_day(due_ms)).isoformat()


def _moment(ms: int | None) -> str | None:
    return None if ms is None else moment_of(ms).isoformat()
