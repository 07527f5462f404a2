"""Findings, the alerts they make, and the history of every alert."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text, update

from cylinder_trace.judging.alerting import Status, Transition
from cylinder_trace.judging.finding import Finding
from cylinder_trace.store.database import chunked, put
from cylinder_trace.store.tables import alert, alert_history, event, finding

_SHARED_ALERTS_LOCK = 7_270_002


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a person may see: the whole city, one district, or one station."""

    kind: str
    id: str = ""


def shown_by(connection: Connection, unit: str) -> dict[str, str]:
    """The fingerprints a unit shows, with their rule."""
    statement = select(finding.c.fingerprint, finding.c.rule).where(finding.c.unit == unit)
    return {row.fingerprint: row.rule for row in connection.execute(statement)}


def shown_elsewhere(connection: Connection, unit: str, fingerprints: Sequence[str]) -> set[str]:
    """Those of the fingerprints that other units show as well."""
    shown: set[str] = set()
    for some in chunked(list(fingerprints)):
        statement = select(finding.c.fingerprint).where(
            finding.c.fingerprint.in_(some), finding.c.unit != unit
        )
        shown |= set(connection.scalars(statement))
    return shown


def standing(connection: Connection, fingerprints: Sequence[str]) -> dict[str, Status]:
    """The status of the alerts on record."""
    found: dict[str, Status] = {}
    for some in chunked(list(fingerprints)):
        statement = select(alert.c.fingerprint, alert.c.status).where(alert.c.fingerprint.in_(some))
        found.update({row.fingerprint: row.status for row in connection.execute(statement)})
    return found


def save_findings(connection: Connection, unit: str, findings: Sequence[Finding], *, anew: bool) -> None:
    """Remember what a unit shows; `anew` replaces all it showed before."""
    if anew:
        connection.execute(delete(finding).where(finding.c.unit == unit))
    rows = {
        (one.fingerprint, event_id): {
            "unit": unit,
            "fingerprint": one.fingerprint,
            "event_id": event_id,
            "rule": one.rule,
            "at_ms": one.at_ms,
            "body": json.dumps({"facts": one.facts, "evidence": one.evidence}, ensure_ascii=False),
        }
        for one in findings
        for event_id in one.evidence
    }
    put(connection, finding, list(rows.values()))


def apply(
    connection: Connection,
    transition: Transition,
    *,
    severity: int,
    district: str | None,
    cylinder_id: str | None,
    now_ms: int,
    because: str | None,
) -> int | None:
    """Carry out what becomes of an alert; gives its new transition number, None where nothing new happened."""
    fingerprint = transition.fingerprint
    if transition.became == "continued":
        shown = transition.finding
        if shown is not None:
            which = (alert.c.fingerprint == fingerprint) & (alert.c.at_ms == shown.at_ms)
            moved = which & alert.c.site_id.is_distinct_from(shown.site)
            connection.execute(update(alert).where(moved).values(site_id=shown.site, district=district))
        return None
    number = connection.scalar(select(alert.c.transition_no).where(alert.c.fingerprint == fingerprint))
    following = 0 if number is None else number + 1
    if transition.finding is not None:
        one = transition.finding
        row: dict[str, Any] = {
            "fingerprint": fingerprint,
            "rule": one.rule,
            "subject": one.subject,
            "anchor": one.anchor,
            "severity": severity,
            "status": "open",
            "transition_no": following,
            "site_id": one.site,
            "district": district,
            "cylinder_id": cylinder_id,
            "at_ms": one.at_ms,
            "changed_ms": now_ms,
            "body": json.dumps({"facts": one.facts, "evidence": one.evidence}, ensure_ascii=False),
        }
        if number is None:
            connection.execute(insert(alert).values(**row, opened_ms=now_ms))
        else:
            connection.execute(update(alert).where(alert.c.fingerprint == fingerprint).values(**row))
    else:
        change = {"status": transition.became, "transition_no": following, "changed_ms": now_ms}
        connection.execute(update(alert).where(alert.c.fingerprint == fingerprint).values(**change))
    history = {
        "fingerprint": fingerprint,
        "transition_no": following,
        "became": transition.became,
        "at_ms": now_ms,
        "because": because,
    }
    connection.execute(insert(alert_history).values(**history))
    return following


def district_of(connection: Connection, fingerprint: str) -> str | None:
    """The district whose team was, or is to be, told of an alert."""
    return connection.scalar(select(alert.c.district).where(alert.c.fingerprint == fingerprint))


def refresh(connection: Connection, fingerprints: Iterable[str]) -> None:
    """Have open alerts say what the earliest of their findings says, whatever order the findings came in."""
    for fingerprint in sorted(set(fingerprints)):
        shown = select(finding.c.at_ms, finding.c.body).where(finding.c.fingerprint == fingerprint)
        earliest = connection.execute(shown.order_by(finding.c.at_ms, finding.c.event_id).limit(1)).first()
        if earliest is not None:
            which = (alert.c.fingerprint == fingerprint) & (alert.c.status == "open")
            values = {"at_ms": earliest.at_ms, "body": earliest.body}
            connection.execute(update(alert).where(which).values(**values))


def are_shared(connection: Connection, fingerprints: Sequence[str]) -> bool:
    """Whether any of these alerts is about more than one cylinder."""
    for some in chunked(list(fingerprints)):
        statement = select(alert.c.fingerprint).where(
            alert.c.fingerprint.in_(some), alert.c.cylinder_id.is_(None)
        )
        if connection.execute(statement.limit(1)).first():
            return True
    return False


def hold_shared(connection: Connection) -> None:
    """Let no other judge touch alerts that several units show, until the transaction ends."""
    # Two judges meet on the alert of one site from the findings of two cylinders. SQLite has one writer anyway.
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_SHARED_ALERTS_LOCK})"))


def earlier(connection: Connection, found: Mapping[str, Finding]) -> list[str]:
    """Those of the fingerprints whose finding lies before the one its alert shows."""
    early: list[str] = []
    for some in chunked(list(found)):
        statement = select(alert.c.fingerprint, alert.c.at_ms).where(alert.c.fingerprint.in_(some))
        rows = connection.execute(statement)
        early += [row.fingerprint for row in rows if found[row.fingerprint].at_ms <= row.at_ms]
    return early


def listed(
    connection: Connection, scope: Scope, filters: Mapping[str, Any], limit: int, offset: int = 0
) -> tuple[int, list[dict[str, Any]]]:
    """The alerts a person may see, newest fact first: how many match, and one page of them."""
    statement = _within(select(alert), scope)
    for name, value in filters.items():
        if value not in (None, ""):
            statement = statement.where(alert.c[name] == value)
    total = connection.scalar(select(func.count()).select_from(statement.subquery())) or 0
    page = statement.order_by(alert.c.at_ms.desc(), alert.c.fingerprint).limit(limit).offset(offset)
    return total, [_row(row) for row in connection.execute(page).mappings()]


def one(connection: Connection, scope: Scope, fingerprint: str) -> dict[str, Any] | None:
    """One alert with its history; None where there is none the person may see."""
    found = (
        connection.execute(_within(select(alert), scope).where(alert.c.fingerprint == fingerprint))
        .mappings()
        .first()
    )
    if found is None:
        return None
    history = select(alert_history).where(alert_history.c.fingerprint == fingerprint)
    rows = connection.execute(history.order_by(alert_history.c.transition_no)).mappings()
    shown = select(finding.c.event_id).where(finding.c.fingerprint == fingerprint).order_by(finding.c.at_ms)
    return _row(found) | {"history": [dict(row) for row in rows], "members": list(connection.scalars(shown))}


def of_cylinder(connection: Connection, cylinder_id: str, codes: Sequence[str]) -> list[dict[str, Any]]:
    """All alerts a cylinder has had a part in, the newest fact first: its own, and a site's that its events show."""
    own = select(event.c.event_id).where(event.c.code.in_(codes))
    shown = select(finding.c.fingerprint).where(finding.c.event_id.in_(own))
    statement = select(alert).where((alert.c.cylinder_id == cylinder_id) | alert.c.fingerprint.in_(shown))
    return [_row(row) for row in connection.execute(statement.order_by(alert.c.at_ms.desc())).mappings()]


def open_count(connection: Connection) -> dict[str, int]:
    """Open alerts by rule."""
    statement = select(alert.c.rule, func.count()).where(alert.c.status == "open").group_by(alert.c.rule)
    return {rule: number for rule, number in connection.execute(statement)}


def of_events(connection: Connection, event_ids: Sequence[str]) -> dict[str, list[str]]:
    """The rules that found something in these events."""
    rules: dict[str, list[str]] = {}
    for some in chunked(list(event_ids)):
        statement = select(finding.c.event_id, finding.c.rule).where(finding.c.event_id.in_(some))
        for row in connection.execute(statement):
            rules.setdefault(row.event_id, []).append(row.rule)
    return rules


def _within(statement: Any, scope: Scope) -> Any:
    if scope.kind == "city":
        return statement
    if scope.kind == "district":
        return statement.where(alert.c.district == scope.id)
    return statement.where(alert.c.site_id == scope.id)


def _row(row: RowMapping) -> dict[str, Any]:
    whole: dict[str, Any] = dict(row) | json.loads(row["body"])
    return whole
