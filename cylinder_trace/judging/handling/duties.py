"""What a station records of its day, its week and its month (日管控、周排查、月调度), and which records it owes.

A draft is made of what the ledger shows; what a person signs is that text, frozen. Legal basis: SAMR Order 74.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS, HOUR_MS, day_start_ms, local_day
from cylinder_trace.judging.tally import Tally
from cylinder_trace.law.answers import Names

MOST_ALERTS = 200
"""Alerts named in one record; they are counted whole."""

COUNTED: dict[str, Names] = {
    "fills": Names("充装", "Fills"),
    "checks": Names("充装前检查", "Pre-checks"),
    "failed_checks": Names("充装前检查不合格", "Failed pre-checks"),
    "post_checks": Names("充装后检查", "Post-checks"),
    "failed_post_checks": Names("充装后检查不合格", "Failed post-checks"),
    "taken_in": Names("收瓶", "Cylinders taken in"),
    "sent_out": Names("出站", "Cylinders sent out"),
    "delivers": Names("其中配送到户", "Of these delivered to users"),
    "keyed": Names("手工录入", "Codes keyed by hand"),
}
"""The counters of a tally that a record names."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: what it is called, and who signs it."""

    code: str
    name: Names
    signer: Names


KINDS = {
    one.code: one
    for one in (
        Kind("day", Names("日管控记录", "Daily record"), Names("安全员", "safety officer")),
        Kind("week", Names("周排查报告", "Weekly report"), Names("安全总监", "safety director")),
        Kind(
            "month", Names("月调度会议纪要", "Monthly minutes"), Names("主要负责人", "main person in charge")
        ),
    )
}


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """An alert whose fact lies in the period, and what became of it so far."""

    fingerprint: str
    rule: str
    severity: int
    status: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Ledgered:
    """What is on record of a station's period: its tallies by day, the alerts, and which smaller records lack a signature."""

    tallies: Mapping[int, Tally]
    alerts: Sequence[AlertSeen]
    unsigned: Sequence[str] = ()


def first_day_of(kind: str, day: int) -> int:
    """The day on which the period of a day begins: itself, its Monday, or the first of its month."""
    if kind == "week":
        return day - (day - 1) % 7
    return date.fromordinal(day).replace(day=1).toordinal() if kind == "month" else day


def last_day_of(kind: str, first_day: int) -> int:
    """The day on which a period ends."""
    if kind == "week":
        return first_day + 6
    return _next_month(first_day) - 1 if kind == "month" else first_day


def _next_month(day: int) -> int:
    return first_day_of("month", first_day_of("month", day) + 31)


def periods_over(kind: str, after: int | None, reference: Reference, now_ms: int) -> Iterator[int]:
    """The periods that can be drafted by now, by their first day: those after `after`, or only the latest without it."""
    drafted_ms = int(reference.number("duty_record.drafted_at_h", now_ms) * HOUR_MS)
    last = first_day_of(kind, local_day(now_ms - drafted_ms))
    first = first_day_of(kind, last - 1) if after is None else last_day_of(kind, after) + 1
    while first < last:
        yield first
        first = last_day_of(kind, first) + 1


def due_ms(kind: str, first_day: int, reference: Reference, now_ms: int) -> int:
    """The moment by which a record is to be signed: the end of the term's last day."""
    days = int(reference.number(f"duty_record.{kind}_sign_within_days", now_ms))
    return day_start_ms(last_day_of(kind, first_day) + days + 1)


def reminds_ms(due: int, reminded: int, reference: Reference, now_ms: int) -> int | None:
    """When somebody is next reminded of an unsigned record: first the station, then its district, then nobody."""
    if reminded > 1:
        return None
    at_ms = due + int(reference.number("duty_record.reminded_at_h", now_ms) * HOUR_MS)
    if not reminded:
        return at_ms
    # After a standstill too a station has its days to answer.
    return max(at_ms, now_ms) + int(reference.number("duty_record.district_after_days", now_ms)) * DAY_MS


def owes(site: str, kind: str, first_day: int, reference: Reference, is_active: bool) -> bool:
    """Whether a station owes the record of a period: it was licensed at any time of it, or something happened there."""
    from_ms, until_ms = day_start_ms(first_day), day_start_ms(last_day_of(kind, first_day) + 1) - 1
    opened_ms = reference.opened_ms(site)
    if opened_ms is not None and opened_ms > until_ms:
        return False
    return is_active or any(reference.licences_in_force(site, at_ms) for at_ms in (from_ms, until_ms))


def draft(kind: str, site: str, first_day: int, on_record: Ledgered, reference: Reference) -> dict[str, Any]:
    """What the record of a period says, as plain JSON values."""
    last_day = last_day_of(kind, first_day)
    end_ms = day_start_ms(last_day + 1) - 1
    tallies = [on_record.tallies[day] for day in sorted(on_record.tallies)]
    standing = [one for one in on_record.alerts if one.status != "withdrawn"]
    said: dict[str, Any] = {
        "kind": kind,
        "site_id": site,
        "site_name": reference.site_name(site),
        "first": _day(first_day),
        "last": _day(last_day),
        "active_days": len(tallies),
        "numbers": {name: sum(getattr(one, name) for one in tallies) for name in COUNTED},
        "devices": _devices(site, tallies, end_ms, reference),
        "missing_numbers": _missing(tallies),
        "alerts": [
            {"id": one.fingerprint, "rule": one.rule, "severity": one.severity, "status": one.status}
            for one in sorted(on_record.alerts, key=lambda one: (one.at_ms, one.fingerprint))[:MOST_ALERTS]
        ],
        "alerts_by_status": dict(sorted(Counter(one.status for one in on_record.alerts).items())),
        "certificates": certificates_ending(reference, site, end_ms),
        "licence": licence_ending(reference, site, end_ms),
        "unsigned": list(on_record.unsigned),
    }
    numbers, ends = said["numbers"], [*said["certificates"], *filter(None, [said["licence"]])]
    # What runs out soon is told, and is no finding before it has.
    lapsed = [one for one in ends if one["until"] < said["last"]]
    failed = numbers["failed_checks"] + numbers["failed_post_checks"]
    said["zero_risk"] = not (standing or failed or said["missing_numbers"] or lapsed or said["unsigned"])
    return said


def certificates_ending(reference: Reference, site: str, at_ms: int) -> list[dict[str, str]]:
    """Certificates of a site's people that ran out by then or will within the look-ahead, the earliest first."""
    last = local_day(at_ms) + int(reference.number("due_list.before_days", at_ms))
    found = []
    for person_id in reference.certified_until_ms:
        person = reference.person(person_id, at_ms)
        if person is None or person.site_id != site or person.certificate_valid_until is None:
            continue
        until = person.certificate_valid_until
        if until.toordinal() <= last:
            found.append({"person_id": person_id, "role": person.role, "until": until.isoformat()})
    return sorted(found, key=lambda one: (one["until"], one["person_id"]))


def licence_ending(reference: Reference, site: str, at_ms: int) -> dict[str, str] | None:
    """The last day of a station's licence where that has passed or lies within the look-ahead; None where all is well."""
    last = local_day(at_ms) + int(reference.number("due_list.before_days", at_ms))
    granted = [period for period in reference.licences.get(site, ()) if period.from_ms <= at_ms]
    if not granted:
        return None
    until = max(period.until_day for period in granted)
    return {"until": _day(until)} if until <= last else None


def _devices(site: str, tallies: Sequence[Tally], at_ms: int, reference: Reference) -> dict[str, list[str]]:
    heard = {device for one in tallies for device in one.devices}
    enrolled = set(reference.devices.of_site(site, at_ms))
    return {"heard": sorted(heard), "silent": sorted(enrolled - heard)}


def _missing(tallies: Sequence[Tally]) -> dict[str, int]:
    """By device, the numbers that lack between its first and its last on a day; some may still be on the way."""
    missing: Counter[str] = Counter()
    for one in tallies:
        for device, its in one.devices.items():
            between = zip(its.heard, its.heard[1:], strict=False)
            missing[device] += sum(after[0] - before[1] - 1 for before, after in between)
    return {device: number for device, number in sorted(missing.items()) if number}


def text_of(content: Mapping[str, Any]) -> str:
    """The one way in which a record is written down, so that its hash can be reckoned again."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256_of(text: str) -> str:
    """The hash that freezes a text."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Since:
    """What is otherwise by now than a signed record says: a number, or an alert that came or changed."""

    what: str
    name: str
    was: str
    now: str


def since_signed(signed: Mapping[str, Any], now: Mapping[str, Any]) -> list[Since]:
    """What came after a record was signed: its draft made again differs in these points."""
    found = [
        Since("number", name, str(signed["numbers"].get(name, 0)), str(number))
        for name, number in now["numbers"].items()
        if number != signed["numbers"].get(name, 0)
    ]
    devices = signed["missing_numbers"].keys() | now["missing_numbers"].keys()
    for device in sorted(devices):
        was, new = (str(one["missing_numbers"].get(device, 0)) for one in (signed, now))
        if was != new:
            found.append(Since("missing", device, was, new))
    before = {one["id"]: one for one in signed["alerts"]}
    for one in now["alerts"]:
        known = before.pop(one["id"], None)
        if known is None or known["status"] != one["status"]:
            found.append(Since("alert", one["rule"], known["status"] if known else "", one["status"]))
    found += [Since("alert", one["rule"], one["status"], "") for one in before.values()]
    return found


def _day(day: int) -> str:
    return date.fromordinal(day).isoformat()
