"""Findings, the alerts they make, and the history of every alert."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text, update

from cylinder_trace.judging.alerting import Status
from cylinder_trace.judging.finding import Finding
from cylinder_trace.store.database import add_missing, chunked
from cylinder_trace.store.tables import alert, alert_history, event, finding

_SHARED_ALERTS_LOCK = 7_270_002


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a person may see: the whole city, one district, or one station."""

    kind: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a finding shows of an alert: when, where, and `body`, the JSON text of its facts and evidence."""

    at_ms: int
    site_id: str | None
    body: str

    @classmethod
    def by(cls, one: Finding) -> "Shown":
        """What this finding shows."""
        body = json.dumps({"facts": one.facts, "evidence": one.evidence}, ensure_ascii=False)
        return cls(one.at_ms, one.site, body)


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert as it stands on record."""

    status: Status
    transition_no: int
    district: str | None
    shown: Shown


def shown_by(connection: Connection, units: Sequence[str]) -> dict[str, dict[str, str]]:
    """By unit, the fingerprints it shows with their rule."""
    found: dict[str, dict[str, str]] = {}
    for some in chunked(list(units)):
        columns = (finding.c.unit, finding.c.fingerprint, finding.c.rule)
        for row in connection.execute(select(*columns).where(finding.c.unit.in_(some)).distinct()):
            found.setdefault(row.unit, {})[row.fingerprint] = row.rule
    return found


def standing(connection: Connection, fingerprints: Sequence[str]) -> dict[str, Standing]:
    """The alerts on record."""
    found: dict[str, Standing] = {}
    names = ("fingerprint", "status", "transition_no", "district", "at_ms", "site_id", "body")
    for some in chunked(list(fingerprints)):
        statement = select(*(alert.c[name] for name in names)).where(alert.c.fingerprint.in_(some))
        for fingerprint, status, number, district, *shown in connection.execute(statement):
            found[fingerprint] = Standing(status, number, district, Shown(*shown))
    return found


def save_findings(
    connection: Connection, findings: Mapping[str, Sequence[Finding]], anew: Sequence[str]
) -> None:
    """Remember what units show; of the units `anew` it replaces all they showed before.

    Where several findings of one alert name an event, the earliest is kept for it: it is what the alert says.
    """
    for some in chunked(list(anew)):
        connection.execute(delete(finding).where(finding.c.unit.in_(some)))
    rows = {
        (unit, one.fingerprint, event_id): {
            "unit": unit,
            "fingerprint": one.fingerprint,
            "event_id": event_id,
            "rule": one.rule,
            **asdict(Shown.by(one)),
        }
        for unit, its in findings.items()
        for one in sorted(its, key=lambda one: (one.at_ms, min(one.evidence)), reverse=True)
        for event_id in one.evidence
    }
    # What goes on adds later findings only.
    add_missing(connection, finding, list(rows.values()))


def earliest(connection: Connection, fingerprint: str) -> Shown | None:
    """What the earliest of an alert's findings shows, whatever order they came in; None where none is left."""
    shown = select(finding.c.at_ms, finding.c.site_id, finding.c.body)
    shown = shown.where(finding.c.fingerprint == fingerprint).order_by(finding.c.at_ms, finding.c.event_id)
    row = connection.execute(shown.limit(1)).first()
    return Shown(*row) if row else None


def open_alert(
    connection: Connection,
    one: Finding,
    severity: int,
    district: str | None,
    cylinder_id: str | None,
    transition_no: int,
    now_ms: int,
) -> None:
    """Put an alert on record as open; one that had ended opens again."""
    row = {
        "fingerprint": one.fingerprint,
        "rule": one.rule,
        "subject": one.subject,
        "anchor": one.anchor,
        "severity": severity,
        "status": "open",
        "transition_no": transition_no,
        "district": district,
        "cylinder_id": cylinder_id,
        "changed_ms": now_ms,
        **asdict(Shown.by(one)),
    }
    if transition_no == 0:
        connection.execute(insert(alert).values(**row, opened_ms=now_ms))
    else:
        connection.execute(update(alert).where(alert.c.fingerprint == one.fingerprint).values(**row))


def change(connection: Connection, fingerprint: str, **columns: Any) -> None:
    """Change what is said of an alert."""
    connection.execute(update(alert).where(alert.c.fingerprint == fingerprint).values(**columns))


def note_transition(
    connection: Connection,
    fingerprint: str,
    transition_no: int,
    became: str,
    now_ms: int,
    because: str | None,
) -> None:
    """Add to an alert's history; `because` is the event that made the difference."""
    row = {"fingerprint": fingerprint, "transition_no": transition_no, "became": became, "at_ms": now_ms}
    connection.execute(insert(alert_history).values(**row, because=because))


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
    """All alerts a cylinder has had a part in, the newest fact first: its own, and a site's that its events show.

    `evidence` are all of the cylinder's events that show it, and what the alert itself names.
    """
    own = select(event.c.event_id).where(event.c.code.in_(codes))
    shown = select(finding.c.fingerprint, finding.c.event_id).where(finding.c.event_id.in_(own))
    evidence: dict[str, set[str]] = {}
    for fingerprint, event_id in connection.execute(shown):
        evidence.setdefault(fingerprint, set()).add(event_id)
    which = (alert.c.cylinder_id == cylinder_id) | alert.c.fingerprint.in_(sorted(evidence))
    rows = connection.execute(select(alert).where(which).order_by(alert.c.at_ms.desc(), alert.c.fingerprint))
    return [
        row
        | {"evidence": list(dict.fromkeys([*row["evidence"], *sorted(evidence.get(row["fingerprint"], ()))]))}
        for row in map(_row, rows.mappings())
    ]


def open_count(connection: Connection) -> dict[str, int]:
    """Open alerts by rule."""
    statement = select(alert.c.rule, func.count()).where(alert.c.status == "open").group_by(alert.c.rule)
    return {rule: number for rule, number in connection.execute(statement)}


def standing_open(connection: Connection, rules: Collection[str]) -> Iterator[tuple[str, str, int]]:
    """The open alerts of these rules, as a stream: fingerprint, rule, and when the fact it shows happened."""
    columns = (alert.c.fingerprint, alert.c.rule, alert.c.at_ms)
    statement = select(*columns).where(alert.c.status == "open", alert.c.rule.in_(sorted(rules)))
    for row in connection.execution_options(yield_per=1000).execute(statement):
        yield row.fingerprint, row.rule, row.at_ms


def at_odds(connection: Connection) -> Iterator[str]:
    """Alerts that are open though nothing shows them, or are not though something does, in words."""
    shown = select(finding.c.fingerprint).distinct()
    unfounded = select(alert.c.fingerprint).where(alert.c.status == "open", alert.c.fingerprint.not_in(shown))
    for fingerprint in connection.scalars(unfounded):
        yield f"alert {fingerprint}: it is open, and no finding shows it"
    opened = select(alert.c.fingerprint).where(alert.c.status == "open")
    for fingerprint in connection.scalars(shown.where(finding.c.fingerprint.not_in(opened))):
        yield f"alert {fingerprint}: a finding shows it, and it is not open"


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
