"""Draws as they were planned and drawn, and the visits that followed. All of it is only ever added to."""

import json
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Select, insert, select
from sqlalchemy.exc import IntegrityError

from cylinder_trace.judging.handling.draw import ALGORITHM, Ballot, ballot_of
from cylinder_trace.judging.handling.draw import draw as by_lot
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.tables import account, draw, draw_plan, site_visit

OUTCOMES = ("in_order", "faults")


class DrawnAlready(Exception):
    """A plan is drawn once: nobody draws until he likes what comes."""


def inspectors(connection: Connection, district: str) -> dict[str, str]:
    """The officers of a district: user names with the names of the people."""
    which = (account.c.role == "officer") & (account.c.scope_id == district)
    rows = connection.execute(
        select(account.c.username, account.c.name).where(which).order_by(account.c.username)
    )
    return {username: name for username, name in rows}


def plan(connection: Connection, ballot: Ballot, seed_from: str | None, by: str, now_ms: int) -> str:
    """Fix what is to be drawn from, and which public value will make the seed; gives the plan's id."""
    plan_id = str(uuid4())
    row: dict[str, Any] = {"plan_id": plan_id, "district": ballot.district, "purpose": ballot.purpose}
    row |= {"ballot": ballot.text, "ballot_sha256": ballot.sha256, "seed_from": seed_from, "planned_by": by}
    connection.execute(insert(draw_plan).values(**row, planned_ms=now_ms))
    return plan_id


def carry_out(
    connection: Connection, plan_id: str, seed: str, public_value: str | None, by: str, now_ms: int
) -> None:
    """Draw what was planned. Raises DrawnAlready."""
    ballot = connection.scalar(select(draw_plan.c.ballot).where(draw_plan.c.plan_id == plan_id))
    result = [one.as_json() for one in by_lot(ballot_of(json.loads(ballot or "{}")), seed)]
    row = {"plan_id": plan_id, "public_value": public_value, "seed": seed, "algorithm": ALGORITHM}
    row |= {"result": json.dumps(result, ensure_ascii=False), "drawn_by": by}
    try:
        with connection.begin_nested():
            connection.execute(insert(draw).values(**row, drawn_ms=now_ms))
    except IntegrityError:
        raise DrawnAlready from None


def one(connection: Connection, scope: Scope, plan_id: str) -> dict[str, Any] | None:
    """A plan with its draw, if it was drawn, and the visits; None where there is none the person may see."""
    row = (
        connection.execute(_within(_joined(), scope).where(draw_plan.c.plan_id == plan_id)).mappings().first()
    )
    if row is None:
        return None
    its = select(site_visit).where(site_visit.c.plan_id == plan_id).order_by(site_visit.c.at_ms)
    visits = [dict(visit) for visit in connection.execute(its).mappings()]
    result = json.loads(row["result"]) if row["result"] else None
    return dict(row) | {"ballot": json.loads(row["ballot"]), "result": result, "visits": visits}


def published(row: dict[str, Any]) -> dict[str, Any]:
    """A draw as it is published, and as `cylinder-trace draw` reads it."""
    names = [
        *("plan_id", "ballot", "ballot_sha256", "seed_from", "planned_ms", "planned_by"),
        *("algorithm", "public_value", "seed", "result", "drawn_ms", "drawn_by"),
    ]
    return {name: row[name] for name in names if row[name] is not None}


def listed(connection: Connection, scope: Scope, limit: int) -> list[dict[str, Any]]:
    """The newest plans of a scope."""
    statement = _within(_joined(), scope).order_by(draw_plan.c.planned_ms.desc(), draw_plan.c.plan_id)
    return [dict(row) for row in connection.execute(statement.limit(limit)).mappings()]


def note_visit(
    connection: Connection,
    site_id: str,
    plan_id: str | None,
    at_ms: int,
    outcome: str,
    note: str,
    by: str,
    now_ms: int,
) -> None:
    """An inspection was carried out."""
    row = {
        "visit_id": str(uuid4()),
        "site_id": site_id,
        "plan_id": plan_id,
        "at_ms": at_ms,
        "outcome": outcome,
    }
    connection.execute(insert(site_visit).values(**row, note=note, recorded_by=by, recorded_ms=now_ms))


def _joined() -> Select[Any]:
    drawn = [column for column in draw.c if column.name != "plan_id"]
    return select(draw_plan, *drawn).outerjoin(draw, draw.c.plan_id == draw_plan.c.plan_id)


def _within(statement: Select[Any], scope: Scope) -> Select[Any]:
    if scope.kind == "city":
        return statement
    # A station reads no draw: it would know when it is visited.
    return statement.where(draw_plan.c.district == (scope.id if scope.kind == "district" else ""))
