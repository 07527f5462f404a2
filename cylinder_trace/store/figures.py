"""What the figures of the closed loop are made of: episodes of alerts, directives with their steps, visits, cylinders."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from cylinder_trace.judging.handling.cases import DIRECTIVE
from cylinder_trace.judging.handling.kpi import Directive, Episode, Facts, Period, Taken, Visit
from cylinder_trace.judging.reference import Reference
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.tables import (
    alert,
    alert_care,
    alert_history,
    alert_note,
    case_alert,
    case_file,
    case_log,
    cylinder,
    draw,
    draw_plan,
    site_visit,
)

_ENDS = ("withdrawn", "resolved")
_NEVER_ISSUED = ("draft", "dropped")


def facts(connection: Connection, scope: Scope, period: Period, reference: Reference) -> Facts:
    """All that the figures of a person's scope are made of."""
    return Facts(
        period,
        _episodes(connection, scope, period),
        _directives(connection, scope, period),
        _visits(connection, scope, period),
        _cylinders(connection, scope, reference),
    )


def _episodes(connection: Connection, scope: Scope, period: Period) -> list[Episode]:
    """The episodes of alerts that opened in the period. A verdict on the case is one on each of its alerts."""
    its = (alert_care.c.fingerprint, alert_care.c.episode)
    within = alert_care.c.opened_ms.between(period.from_ms, period.to_ms - 1)
    columns = (*its, alert.c.rule, alert.c.district, alert_care.c.opened_ms, alert_care.c.verdict)
    of_scope = select(*columns).join(alert, alert.c.fingerprint == alert_care.c.fingerprint).where(within)
    asked = _of_alerts(of_scope, scope)
    opened = list(connection.execute(asked))
    which = asked.subquery()

    def joined(table: Any, *wanted: Any) -> Any:
        same = and_(table.c.fingerprint == which.c.fingerprint, table.c.episode == which.c.episode)
        return select(table.c.fingerprint, table.c.episode, *wanted).join(which, same)

    history = alert_history.c
    ends = _last(
        connection.execute(
            joined(alert_history, history.became, history.at_ms)
            .where(history.became.in_((*_ENDS, "opened")))
            .order_by(history.transition_no)
        )
    )
    did = joined(alert_note, alert_note.c.did, alert_note.c.at_ms).order_by(alert_note.c.number)
    acknowledged: dict[tuple[str, int], int] = {}
    closed: dict[tuple[str, int], int] = {}
    for fingerprint, episode, what, at_ms in connection.execute(
        did.where(alert_note.c.did.in_(("acknowledged", "closed")))
    ):
        if what == "closed":
            closed[fingerprint, episode] = at_ms
        else:
            acknowledged.setdefault((fingerprint, episode), at_ms)
    judged = {
        (fingerprint, episode): verdict
        for fingerprint, episode, verdict in connection.execute(
            joined(case_alert, case_alert.c.verdict).where(case_alert.c.verdict.is_not(None))
        )
    }
    episodes = []
    for fingerprint, number, rule, district, opened_ms, verdict in opened:
        key = fingerprint, number
        became, ended_ms = ends.get(key, (None, None))
        if became not in _ENDS:
            # A person's own verdict stands on the alert as long as nobody opened it again.
            became, ended_ms = ("closed", closed.get(key)) if verdict else (None, None)
        said = verdict or judged.get(key)
        episodes.append(Episode(rule, district, opened_ms, acknowledged.get(key), became, ended_ms, said))
    return episodes


def _directives(connection: Connection, scope: Scope, period: Period) -> list[Directive]:
    """The directives issued in the period, with the deadline that stood before each step."""
    its = case_file.c
    issued = (its.kind == DIRECTIVE) & its.state.not_in(_NEVER_ISSUED)
    asked = select(its.case_id, its.district, its.state, its.issued_ms, its.closed_how, its.due_ms)
    asked = asked.where(issued, its.issued_ms.between(period.from_ms, period.to_ms - 1))
    if scope.kind != "city":
        asked = asked.where((its.district if scope.kind == "district" else its.site_id) == scope.id)
    rows = list(connection.execute(asked))
    which = asked.subquery().c.case_id
    log = select(case_log.c.case_id, case_log.c.step, case_log.c.at_ms, case_log.c.due_ms)
    steps: dict[int, list[Taken]] = defaultdict(list)
    due: dict[int, int | None] = {}
    for case_id, step, at_ms, due_ms in connection.execute(
        log.where(case_log.c.case_id.in_(select(which))).order_by(case_log.c.case_id, case_log.c.no)
    ):
        steps[case_id].append(Taken(step, at_ms, due.get(case_id)))
        due[case_id] = due_ms
    members = select(case_alert.c.case_id, alert.c.rule, alert_care.c.opened_ms)
    members = members.join(alert, alert.c.fingerprint == case_alert.c.fingerprint).join(
        alert_care,
        and_(
            alert_care.c.fingerprint == case_alert.c.fingerprint, alert_care.c.episode == case_alert.c.episode
        ),
    )
    rules: dict[int, set[str]] = defaultdict(set)
    first: dict[int, int] = {}
    for case_id, rule, opened_ms in connection.execute(
        members.where(case_alert.c.case_id.in_(select(which)))
    ):
        rules[case_id].add(rule)
        first[case_id] = min(opened_ms, first.get(case_id, opened_ms))
    return [
        Directive(
            row.district, row.state, row.issued_ms, row.closed_how, row.due_ms,
            frozenset(rules[row.case_id]), first.get(row.case_id), steps[row.case_id],
        )
        for row in rows
    ]  # fmt: skip


def _visits(connection: Connection, scope: Scope, period: Period) -> list[Visit]:
    """The visits that draws of the period asked for; a station asks for none of its own."""
    asked = select(draw.c.plan_id, draw.c.result, draw_plan.c.district)
    asked = asked.join(draw_plan, draw_plan.c.plan_id == draw.c.plan_id)
    asked = asked.where(draw_plan.c.planned_ms.between(period.from_ms, period.to_ms - 1))
    if scope.kind == "station":
        return []
    if scope.kind == "district":
        asked = asked.where(draw_plan.c.district == scope.id)
    rows = list(connection.execute(asked))
    done_of = select(site_visit.c.plan_id, site_visit.c.site_id)
    done = {
        (plan_id, site)
        for plan_id, site in connection.execute(
            done_of.where(site_visit.c.plan_id.in_(select(asked.subquery().c.plan_id)))
        )
    }
    return [
        Visit(row.district, (row.plan_id, one["station"]) in done)
        for row in rows
        for one in json.loads(row.result)
    ]


def _cylinders(connection: Connection, scope: Scope, reference: Reference) -> dict[str, int]:
    """How many cylinders are in each district now; "" for those of no known place, which only the city counts."""
    number: dict[str, int] = defaultdict(int)
    for site_id, n in connection.execute(
        select(cylinder.c.site_id, func.count()).group_by(cylinder.c.site_id)
    ):
        if scope.kind == "station" and site_id != scope.id:
            continue
        record = reference.sites.get(site_id) if site_id else None
        number[record.district if record else ""] += n
    if scope.kind == "district":
        return {scope.id: number[scope.id]}
    return dict(number)


def _of_alerts(statement: Select[Any], scope: Scope) -> Select[Any]:
    if scope.kind == "city":
        return statement
    if scope.kind == "district":
        return statement.where(alert.c.district == scope.id)
    return statement.where(alert.c.site_id == scope.id)


def _last(rows: Iterable[Any]) -> dict[tuple[str, int], tuple[str, int]]:
    return {(fingerprint, episode): (became, at_ms) for fingerprint, episode, became, at_ms in rows}
