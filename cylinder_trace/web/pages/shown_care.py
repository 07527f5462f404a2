"""How an alert is looked after, in the reader's language: how it stands, its log, what the reader may do, who was told.

A station's people read what they wrote themselves, and what became of the alert; what offices think is theirs.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.handling import care as caring
from cylinder_trace.judging.handling import escalation
from cylinder_trace.judging.handling.care import Act, Care
from cylinder_trace.judging.handling.inhibition import INHIBITS, inhibited_by
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.law.naming import Naming
from cylinder_trace.mail.former import rule_of
from cylinder_trace.mail.letter import WHY
from cylinder_trace.store import alerts, handling, told_mails
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.people import Person
from cylinder_trace.web.server import server
from cylinder_trace.web.wording import say

_OF_STATIONS = frozenset({"manager", "operator"})
_STATIONS_SEE = frozenset({"acknowledged", "closed", "reopened"})
_CARE = Care.__dataclass_fields__


def care_of(row: Mapping[str, Any]) -> Care:
    """How a listed alert is looked after."""
    its = {"since_ms": row["opened_ms"]} | row["care"]
    return Care(**{name: its[name] for name in _CARE if name in its})


def badges(
    row: Mapping[str, Any], reference: Reference, names: Mapping[str | None, str], lang: str, now_ms: int
) -> list[tuple[str, str]]:
    """What a list says beside an alert: kind of mark and words; nothing where it ended."""
    care = care_of(row)
    marks = []
    if row["episode"] > 1:
        marks.append(("quiet", say("care.episode", lang, n=row["episode"])))
    if row["status"] == "closed":
        return [*marks, ("quiet", say(f"verdict.{care.verdict}", lang))]
    if row["status"] != "open":
        return marks
    if care.is_snoozed:
        marks.append(("quiet", say("care.until", lang, at=_minute(care.snoozed_until_ms))))
    elif care.acknowledged_ms is not None:
        marks.append(("quiet", say("care.acknowledged", lang)))
    elif "level" in row["care"] and escalation.is_overdue(care, reference.law, now_ms):
        marks.append(("overdue", say("care.overdue", lang)))
    if care.assigned_to:
        who = names.get(care.assigned_to, care.assigned_to)
        marks.append(("quiet", say("care.assigned", lang, who=who)))
    return marks


def shown_care(
    connection: Connection, row: dict[str, Any], person: Person, reference: Reference, lang: str, now_ms: int
) -> dict[str, Any]:
    """How one alert stands, and what the reader may do about it."""
    care, is_station = care_of(row), person.scope.kind == "station"
    log = handling.log(connection, row["fingerprint"])
    people = {row["care"].get("acknowledged_by"), row["care"].get("assigned_to")}
    names = handling.names(connection, people | {one["assignee"] for one in log})
    due_ms = escalation.due_ms(care, reference.law) if row["status"] == "open" else None
    may: list[Act] = [
        did
        for did in get_args(Act)
        if caring.may(person.role, did) and caring.why_not(care, row["status"], did) is None
    ]
    return {
        "care": care,
        "state": _state(row, care, reference, now_ms),
        "names": {} if is_station else names,
        "acknowledged_at": _at(care.acknowledged_ms),
        "snoozed_until": _at(care.snoozed_until_ms),
        "first_found": moment_of(row["first_opened_ms"]),
        "due": _at(due_ms),
        "times": handling.times(connection, row["fingerprint"]),
        "log": [
            _entry(one, names, lang, is_station=is_station)
            for one in _whole(row, log)
            if not is_station or _is_for_station(one)
        ],
        "may": may,
        "officers": handling.officers(connection, row["district"]) if "assigned" in may else {},
        "verdicts": caring.VERDICTS,
        "longest_days": escalation.longest_snooze_days(reference.law, now_ms),
        "first_day": _day(now_ms, 1),
        "last_day": _day(now_ms, escalation.longest_snooze_days(reference.law, now_ms)),
        "is_station": is_station,
    }


def log_entries(log: Sequence[Mapping[str, Any]], scope: Scope, lang: str) -> list[dict[str, Any]]:
    """Some entries of a log, as the reader sees them."""
    is_station = scope.kind == "station"
    with server().database.reading() as connection:
        names = handling.names(connection, {one["assignee"] for one in log})
    return [
        _entry(dict(one), names, lang, is_station=is_station)
        for one in log
        if not is_station or _is_for_station(one)
    ]


def shown_mails(
    connection: Connection, row: dict[str, Any], naming: Naming, scope: Scope, lang: str
) -> list[dict[str, Any]]:
    """The mails about an alert. A station reads which office was told, and no address."""
    which = 0 if lang == "zh" else 1
    told = told_mails.about(connection, row["fingerprint"])
    return [
        one
        | {
            "to": say(f"care.level.{one['level']}", lang),
            "district_name": naming.district(one["district"])[which] if one["district"] else "",
            "address": "" if scope.kind == "station" else one["recipient"],
            "why": WHY[one["reason"]][which] if one["reason"] in WHY else one["reason"],
            "made": moment_of(one["created_ms"]),
        }
        for one in told
    ]


def inhibitor(connection: Connection, row: dict[str, Any], lang: str) -> dict[str, str] | None:
    """The open alert of the same site that holds back mails about this one; None where none does."""
    if row["status"] != "open" or not row["site_id"]:
        return None
    found = alerts.open_at(connection, row["site_id"], INHIBITS)
    rule = inhibited_by(row["rule"], found)
    if rule is None:
        return None
    title = rule_of(rule, row).words.title[0 if lang == "zh" else 1]
    return {"title": title, "fingerprint": found[rule]}


def _state(row: Mapping[str, Any], care: Care, reference: Reference, now_ms: int) -> str:
    if row["status"] != "open":
        return "ended"
    if care.is_snoozed:
        return "snoozed"
    if care.acknowledged_ms is not None:
        return "acknowledged"
    if "level" not in row["care"]:  # a station does not read how its offices are behind
        return "waiting"
    return "overdue" if escalation.is_overdue(care, reference.law, now_ms) else "waiting"


def _whole(row: dict[str, Any], log: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was done and what became of the alert by itself, as one story; what a person did is in the log already."""
    by_itself = [
        one | {"did": f"was_{one['became']}", "number": -1 if one["became"] == "opened" else 1 << 30}
        for one in row["history"]
        if one["became"] not in {"closed", "reopened"}
    ]

    def order(one: dict[str, Any]) -> tuple[int, bool, int, int]:
        return one["episode"], one["did"] != "was_opened", one["at_ms"], one["number"]

    return sorted([*by_itself, *log], key=order)


def _is_for_station(entry: Mapping[str, Any]) -> bool:
    by_itself, own = "became" in entry, entry.get("who_role") in _OF_STATIONS
    return by_itself or own or entry["did"] in _STATIONS_SEE


def _entry(
    one: dict[str, Any], names: Mapping[str | None, str], lang: str, *, is_station: bool
) -> dict[str, Any]:
    """A line of the log. Who at an office did it, and why, is not for stations."""
    did = one["did"]
    if did == "was_opened" and one["episode"] > 1:
        did = "was_opened_again"
    elif did == "snoozed" and one["until_times"] is not None:
        did = "snoozed_times"
    facts = {
        "to": names.get(one.get("assignee"), ""),
        "until": _minute(one.get("until_ms")),
        "times": one.get("until_times") or one.get("times"),
        "level": say(f"care.level.{one.get('level', 0)}", lang),
        "verdict": say(f"verdict.{one['verdict']}", lang) if one.get("verdict") else "",
    }
    is_hidden = is_station and one.get("who_role") not in _OF_STATIONS
    who = one.get("who_name", "")
    if not who:
        who = say("log.system", lang)
    elif is_hidden:
        who = say("log.office", lang)
    return {
        "episode": one["episode"],
        "at": moment_of(one["at_ms"]),
        "who": who,
        "what": say(f"did.{did}", lang, **facts),
        "why": "" if is_hidden else one.get("why", ""),
    }


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else moment_of(ms)


def _minute(ms: int | None) -> str:
    return "" if ms is None else moment_of(ms).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _day(now_ms: int, later: int) -> str:
    return datetime.fromordinal(local_day(now_ms) + later).date().isoformat()
