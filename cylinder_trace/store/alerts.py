"""Findings, the alerts they make, and the history of every alert."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from cylinder_trace.judging.alerting import STANDS, Status
from cylinder_trace.judging.finding import Finding
from cylinder_trace.store.database import add_missing, chunked
from cylinder_trace.store.tables import alert, alert_care, alert_history, event, finding

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
    episode: int
    severity: int
    district: str | None
    shown: Shown


@dataclass(frozen=True, slots=True)
class Opened:
    """An alert that opens: by which finding, and what it shows, which another of its findings may have shown before."""

    finding: Finding
    shown: Shown
    severity: int
    district: str | None
    cylinder_id: str | None


def shown_by(connection: Connection, units: Sequence[str]) -> dict[str, dict[str, str]]:
    """By unit, the fingerprints it shows with their rule."""
    found: dict[str, dict[str, str]] = {}
    for some in chunked(list(units)):
        columns = (finding.c.unit, finding.c.fingerprint, finding.c.rule)
        for row in connection.execute(select(*columns).where(finding.c.unit.in_(some)).distinct()):
            found.setdefault(row.unit, {})[row.fingerprint] = row.rule
    return found


def standing(connection: Connection, fingerprints: Sequence[str]) -> dict[str, Standing]:
    """The alerts on record, which nobody else changes until the transaction ends."""
    found: dict[str, Standing] = {}
    of_alert = [alert.c.fingerprint, *(alert.c[name] for name in Standing.__slots__ if name != "shown")]
    of_shown = [alert.c[name] for name in Shown.__slots__]
    # In one order, so that no two judges wait for each other; a person who acts holds one alert only.
    for some in chunked(sorted(fingerprints)):
        statement = select(*of_alert, *of_shown).where(alert.c.fingerprint.in_(some))
        locked = statement.order_by(alert.c.fingerprint).with_for_update()
        for fingerprint, status, number, episode, severity, district, *shown in connection.execute(locked):
            found[fingerprint] = Standing(status, number, episode, severity, district, Shown(*shown))
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


def open_alert(connection: Connection, opened: Opened, transition_no: int, episode: int, now_ms: int) -> None:
    """Put an alert on record as open; one that had ended begins another episode, and when it was first is kept."""
    one = opened.finding
    row = {
        "fingerprint": one.fingerprint,
        "rule": one.rule,
        "subject": one.subject,
        "anchor": one.anchor,
        "severity": opened.severity,
        "status": "open",
        "transition_no": transition_no,
        "episode": episode,
        "district": opened.district,
        "cylinder_id": opened.cylinder_id,
        "opened_ms": now_ms,
        "changed_ms": now_ms,
        **asdict(opened.shown),
    }
    if transition_no == 0:
        connection.execute(insert(alert).values(**row, first_opened_ms=now_ms))
    else:
        connection.execute(update(alert).where(alert.c.fingerprint == one.fingerprint).values(**row))


def change(connection: Connection, fingerprint: str, **columns: Any) -> None:
    """Change what is said of an alert."""
    connection.execute(update(alert).where(alert.c.fingerprint == fingerprint).values(**columns))


def note_transition(
    connection: Connection,
    fingerprint: str,
    transition_no: int,
    episode: int,
    became: str,
    now_ms: int,
    because: str | None,
) -> None:
    """Add to an alert's history; `because` is the event that made the difference."""
    row = {"fingerprint": fingerprint, "transition_no": transition_no, "became": became, "at_ms": now_ms}
    connection.execute(insert(alert_history).values(**row, episode=episode, because=because))


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
    connection: Connection,
    scope: Scope,
    filters: Mapping[str, Any],
    limit: int,
    offset: int = 0,
    looked_after: ColumnElement[bool] | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """The alerts a person may see, newest fact first: how many match, and one page of them.

    `looked_after` asks for those that are looked after in a certain way; see `store.alert_queues`.
    """
    asked = [alert.c[name] == value for name, value in filters.items() if value not in (None, "")]
    if looked_after is not None:
        asked.append(looked_after)
    total = connection.scalar(within(_counted().where(*asked), scope)) or 0
    page = within(_with_care().where(*asked), scope).order_by(alert.c.at_ms.desc(), alert.c.fingerprint)
    rows = connection.execute(page.limit(limit).offset(offset)).mappings()
    return total, [_row(row, scope) for row in rows]


def one(connection: Connection, scope: Scope, fingerprint: str) -> dict[str, Any] | None:
    """One alert with its history; None where there is none the person may see."""
    its = within(_with_care(), scope).where(alert.c.fingerprint == fingerprint)
    found = connection.execute(its).mappings().first()
    if found is None:
        return None
    history = select(alert_history).where(alert_history.c.fingerprint == fingerprint)
    rows = connection.execute(history.order_by(alert_history.c.transition_no)).mappings()
    shown = select(finding.c.event_id).where(finding.c.fingerprint == fingerprint).order_by(finding.c.at_ms)
    history_rows, members = [dict(row) for row in rows], list(connection.scalars(shown))
    return _row(found, scope) | {"history": history_rows, "members": members}


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
        for row in ({**one} | json.loads(one["body"]) for one in rows.mappings())
    ]


def open_at(connection: Connection, site_id: str, rules: Collection[str]) -> dict[str, str]:
    """Of these rules, those with an open alert at a site, each with the fingerprint of one."""
    columns = select(alert.c.rule, func.min(alert.c.fingerprint))
    which = (alert.c.site_id == site_id) & alert.c.rule.in_(sorted(rules)) & (alert.c.status == "open")
    return {
        rule: fingerprint
        for rule, fingerprint in connection.execute(columns.where(which).group_by(alert.c.rule))
    }


def open_count(connection: Connection) -> dict[str, int]:
    """Open alerts by rule."""
    statement = select(alert.c.rule, func.count()).where(alert.c.status == "open").group_by(alert.c.rule)
    return {rule: number for rule, number in connection.execute(statement)}


def standing_open(connection: Connection, rules: Collection[str]) -> Iterator[tuple[str, str, int]]:
    """The alerts of these rules that stand, those closed by people too, as a stream: fingerprint, rule, when it happened."""
    columns = (alert.c.fingerprint, alert.c.rule, alert.c.at_ms)
    statement = select(*columns).where(alert.c.status.in_(STANDS), alert.c.rule.in_(sorted(rules)))
    for row in connection.execution_options(yield_per=1000).execute(statement):
        yield row.fingerprint, row.rule, row.at_ms


def at_odds(connection: Connection) -> Iterator[str]:
    """Alerts that are open though nothing shows them, or are not though something does, in words."""
    shown = select(finding.c.fingerprint).distinct()
    unfounded = select(alert.c.fingerprint).where(
        alert.c.status.in_(STANDS), alert.c.fingerprint.not_in(shown)
    )
    for fingerprint in connection.scalars(unfounded):
        yield f"alert {fingerprint}: it is open or a person closed it, and no finding shows it"
    opened = select(alert.c.fingerprint).where(alert.c.status.in_(STANDS))
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


def within(statement: Select[Any], scope: Scope) -> Select[Any]:
    """Of alerts, only those of a person's scope."""
    if scope.kind == "city":
        return statement
    if scope.kind == "district":
        return statement.where(alert.c.district == scope.id)
    return statement.where(alert.c.site_id == scope.id)


_OF_OFFICES = frozenset(
    {
        "acknowledged_by",
        "assigned_to",
        "snoozed_until_ms",
        "snoozed_until_times",
        "level",
        "since_ms",
        "wake_ms",
    }
)
"""Who at an office sees to an alert, and when it means to, is nothing that a station has to know."""
_CARE = [column for column in alert_care.c if column.name not in {"fingerprint", "episode", "opened_ms"}]
OF_EPISODE = and_(alert_care.c.fingerprint == alert.c.fingerprint, alert_care.c.episode == alert.c.episode)
"""Joins an alert with how the episode that it is in is looked after."""


def _with_care() -> Select[Any]:
    cared = [column.label(f"care_{column.name}") for column in _CARE]
    return select(alert, *cared).outerjoin(alert_care, OF_EPISODE)


def _counted() -> Select[Any]:
    return select(func.count()).select_from(alert).outerjoin(alert_care, OF_EPISODE)


def _row(row: RowMapping, scope: Scope) -> dict[str, Any]:
    """An alert with what it shows, and how it is looked after under `care`."""
    hidden = _OF_OFFICES if scope.kind == "station" else frozenset()
    care = {column.name: row[f"care_{column.name}"] for column in _CARE if column.name not in hidden}
    own = {name: value for name, value in row.items() if not name.startswith("care_")}
    whole: dict[str, Any] = own | json.loads(row["body"]) | {"care": care}
    return whole
