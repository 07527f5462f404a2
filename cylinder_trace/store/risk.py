"""What is on record of the stations of a scope, as far as it counts as risk, and the visits they had."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from cylinder_trace.judging.handling.risk import Facts
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import CYLINDER_RULES
from cylinder_trace.judging.scan import DAY_MS, local_day
from cylinder_trace.judging.tally import Tally
from cylinder_trace.store import ledger
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.tables import (
    alert,
    case_file,
    case_log,
    duty_record,
    event,
    finding,
    site_day,
    site_visit,
)

OF_FILLS = sorted(rule.name for rule in CYLINDER_RULES if "fill" in rule.kinds and rule.severity == 1)
"""Rules that find a fill unlawful."""
MOST_SHOWN = 20


def stations_of(reference: Reference, scope: Scope, district: str = "") -> list[str]:
    """The stations of a scope, in order; with a `district` only those of it."""
    return sorted(
        site
        for site in reference.stations
        if (district in {"", reference.sites[site].district})
        and (
            scope.kind == "city"
            or (scope.kind == "district" and reference.sites[site].district == scope.id)
            or (scope.kind == "station" and site == scope.id)
        )
    )


def facts_of(
    connection: Connection, stations: Sequence[str], reference: Reference, now_ms: int
) -> dict[str, Facts]:
    """By station, what counts as risk. `stations` are those of `stations_of`."""
    days = reference.number("risk.unlawful_fills_days", now_ms)
    alerts: dict[str, dict[int, int]] = defaultdict(dict)
    counted = select(alert.c.site_id, alert.c.severity, func.count()).where(
        alert.c.site_id.in_(stations), alert.c.status == "open"
    )
    for site, severity, number in connection.execute(counted.group_by(alert.c.site_id, alert.c.severity)):
        alerts[site][severity] = number
    fills: dict[str, int] = defaultdict(int)
    tallies = select(site_day.c.site_id, site_day.c.tally).where(
        site_day.c.day > local_day(now_ms) - days, site_day.c.site_id.in_(stations)
    )
    for site, tally in connection.execute(tallies):
        fills[site] += Tally.restored(tally).fills
    unlawful = _unlawful(stations, now_ms - int(days * DAY_MS))
    found = {
        site: number
        for site, number in connection.execute(
            unlawful.with_only_columns(finding.c.site_id, func.count(finding.c.event_id.distinct())).group_by(
                finding.c.site_id
            )
        )
    }
    since_ms = now_ms - int(reference.number("risk.late_rectification_days", now_ms) * DAY_MS)
    late: dict[str, list[int]] = defaultdict(list)
    late_steps = select(case_file.c.site_id, case_log.c.case_id).join(
        case_log, case_log.c.case_id == case_file.c.case_id
    )
    late_steps = late_steps.where(
        case_file.c.site_id.in_(stations), case_log.c.step == "late_report", case_log.c.at_ms >= since_ms
    )
    for site, case_id in connection.execute(late_steps.order_by(case_log.c.case_id, case_log.c.no)):
        late[site].append(case_id)
    owed = select(duty_record.c.site_id, func.count()).where(
        duty_record.c.site_id.in_(stations), duty_record.c.state == "open", duty_record.c.due_ms <= now_ms
    )
    missing = {site: number for site, number in connection.execute(owed.group_by(duty_record.c.site_id))}
    visited = {
        site: at_ms
        for site, at_ms in connection.execute(
            select(site_visit.c.site_id, func.max(site_visit.c.at_ms))
            .where(site_visit.c.site_id.in_(stations))
            .group_by(site_visit.c.site_id)
        )
    }
    declared = _declared(connection, reference)
    return {
        site: Facts(
            open_alerts=alerts.get(site, {}),
            fills=fills[site],
            unlawful_fills=found.get(site, 0),
            late_cases=tuple(late[site]),
            missing_records=missing.get(site, 0),
            days_since_visit=(now_ms - visited[site]) // DAY_MS if site in visited else None,
            declared_licence=_unchecked(reference, declared, site, visited.get(site), now_ms),
        )
        for site in stations
    }


def unlawful_fills(
    connection: Connection, station: str, reference: Reference, now_ms: int
) -> list[dict[str, Any]]:
    """The newest fills of a station that were judged unlawful: event, cylinder's code, when, and by which rule."""
    since_ms = now_ms - int(reference.number("risk.unlawful_fills_days", now_ms) * DAY_MS)
    columns = (finding.c.event_id, event.c.code, event.c.occurred_ms, func.min(finding.c.rule).label("rule"))
    statement = _unlawful([station], since_ms).with_only_columns(*columns)
    statement = statement.group_by(finding.c.event_id, event.c.code, event.c.occurred_ms)
    newest = statement.order_by(event.c.occurred_ms.desc(), finding.c.event_id).limit(MOST_SHOWN)
    return [dict(row) for row in connection.execute(newest).mappings()]


def visits(connection: Connection, station: str) -> list[dict[str, Any]]:
    """The newest visits a station had."""
    statement = select(site_visit).where(site_visit.c.site_id == station)
    newest = statement.order_by(site_visit.c.at_ms.desc()).limit(MOST_SHOWN)
    return [dict(row) for row in connection.execute(newest).mappings()]


def _unlawful(stations: Sequence[str], since_ms: int) -> Any:
    made_there = (event.c.event_id == finding.c.event_id) & (event.c.site_id == finding.c.site_id)
    return (
        select(finding.c.event_id)
        .join(event, made_there)
        .where(
            finding.c.rule.in_(OF_FILLS),
            finding.c.site_id.in_(stations),
            finding.c.at_ms >= since_ms,
            event.c.kind == "fill",
        )
    )


def _declared(connection: Connection, reference: Reference) -> set[str]:
    """The licences in the register that were granted on self-declaration, by their events."""
    known = {period.event_id for periods in reference.licences.values() for period in periods}
    return {
        entry.event_id
        for entry in ledger.of_kinds(connection, ["licence"])
        if entry.event_id in known and entry.message.get("granted_on") == "self_declaration"
    }


def _unchecked(
    reference: Reference, declared: set[str], site: str, visited_ms: int | None, now_ms: int
) -> str | None:
    """The newest licence on self-declaration that is in force and was not checked since it was granted."""
    for period in reversed(reference.licences.get(site, [])):
        if period.event_id in declared and period.from_ms <= now_ms and period.until_day >= local_day(now_ms):
            return period.event_id if visited_ms is None or visited_ms < period.from_ms else None
    return None
