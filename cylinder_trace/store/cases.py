"""Cases: what stands, what was done, what was sent in and issued. Nobody reads what is none of their scope."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from cylinder_trace.judging.handling.cases import DIRECTIVE, Actor, Case, wakes_ms
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.database import add_missing, chunked
from cylinder_trace.store.tables import (
    alert,
    case_alert,
    case_attachment,
    case_file,
    case_log,
    case_number,
    case_paper,
)

_DECIDES = [field.name for field in fields(Case)]
_ENDED = ("closed", "dropped")
_OWN_ONLY = ("draft", "dropped")
"""States of a paper that only the office that writes it reads."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that was sent in: its clean name, what it really is, and its bytes."""

    name: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a case's log, before it has a number."""

    step: str
    actor: Actor
    by_name: str
    at_ms: int
    why: str = ""


class Taken(ValueError):
    """Another case deals with an alert already."""


def make(
    connection: Connection, case: Case, entry: Entry, alerts: Sequence[tuple[str, int]], **columns: Any
) -> int:
    """Put a draft on record with the alerts (fingerprint, episode) it is about; gives its number. Raises Taken."""
    row = _row_of(case) | columns
    row |= {"version": 0, "opened_ms": entry.at_ms, "opened_by": entry.actor.username}
    case_id = connection.execute(insert(case_file).values(**row).returning(case_file.c.case_id)).scalar_one()
    gather(connection, case_id, alerts)
    _note(connection, case_id, 0, entry, case)
    return int(case_id)


def gather(connection: Connection, case_id: int, alerts: Sequence[tuple[str, int]]) -> None:
    """Have a case deal with these alerts too. Raises Taken."""
    rows = [
        {"case_id": case_id, "fingerprint": fingerprint, "episode": episode, "is_live": True}
        for fingerprint, episode in sorted(set(alerts))  # in one order, as others take them
    ]
    if rows:
        try:
            connection.execute(insert(case_alert), rows)
        except IntegrityError:
            raise Taken from None


def move(
    connection: Connection, case_id: int, seen_version: int, after: Case, entry: Entry, **columns: Any
) -> int | None:
    """Take a step where the case still stands as it was seen; gives its new version, None where somebody was quicker."""
    version = seen_version + 1
    which = (case_file.c.case_id == case_id) & (case_file.c.version == seen_version)
    if after.state in _ENDED:
        columns |= {"closed_ms": entry.at_ms}
    values = _row_of(after) | columns | {"version": version}
    if connection.execute(update(case_file).where(which).values(**values)).rowcount != 1:
        return None
    _note(connection, case_id, version, entry, after)
    return version


def next_number(connection: Connection, series: str) -> int:
    """The next number of a series; given back with the transaction, so that none is ever left out."""
    add_missing(connection, case_number, [{"series": series, "last": 0}])
    statement = update(case_number).where(case_number.c.series == series).values(last=case_number.c.last + 1)
    return int(connection.execute(statement.returning(case_number.c.last)).scalar_one())


def keep_paper(connection: Connection, case_id: int, log_no: int, number: str, html: bytes) -> None:
    """Keep a paper as it was issued, and put its number on the case."""
    row = {"case_id": case_id, "log_no": log_no, "number": number}
    connection.execute(insert(case_paper).values(**row, html=html, sha256=hashlib.sha256(html).digest()))
    connection.execute(update(case_file).where(case_file.c.case_id == case_id).values(number=number))


def attach(connection: Connection, case_id: int, log_no: int, files: Sequence[Attachment]) -> None:
    """Keep what was sent in with a step."""
    for no, file in enumerate(files):
        row = {"case_id": case_id, "log_no": log_no, "no": no, "name": file.name, "body": file.body}
        row |= {"media_type": file.media_type, "size": len(file.body)}
        connection.execute(insert(case_attachment).values(**row, sha256=hashlib.sha256(file.body).digest()))


def settle(connection: Connection, case_id: int, verdict: str | None) -> None:
    """What came out about a case's alerts; with None the case lets them go."""
    values = {"verdict": verdict} if verdict else {"is_live": False}
    connection.execute(update(case_alert).where(case_alert.c.case_id == case_id).values(**values))


def one(connection: Connection, scope: Scope, case_id: int) -> dict[str, Any] | None:
    """A case with its log and what was sent in; None where there is none the person may see."""
    statement = _within(select(case_file), scope).where(case_file.c.case_id == case_id)
    row = connection.execute(statement).mappings().first()
    if row is None:
        return None
    log = select(case_log).where(case_log.c.case_id == case_id).order_by(case_log.c.no)
    entries = [dict(entry) | {"files": []} for entry in connection.execute(log).mappings()]
    kept = [column for column in case_attachment.c if column.name not in {"body", "case_id"}]
    for file in connection.execute(select(*kept).where(case_attachment.c.case_id == case_id)).mappings():
        entries[file["log_no"]]["files"].append(dict(file))
    of_case = select(case_alert.c.fingerprint, case_alert.c.episode, case_alert.c.verdict)
    members = connection.execute(of_case.where(case_alert.c.case_id == case_id)).mappings()
    return dict(row) | {"log": entries, "alerts": [dict(member) for member in members]}


def case_of(row: Mapping[str, Any]) -> Case:
    """A row as far as it decides what may follow."""
    return Case(**{name: row[name] for name in _DECIDES})


def listed(
    connection: Connection, scope: Scope, filters: Mapping[str, Any], limit: int, offset: int = 0
) -> tuple[int, list[dict[str, Any]]]:
    """The cases a person may see, the earliest deadline first, drafts and then the ended last: how many match, and one page.

    Filters are columns of the case, and `open` for those that have not ended, `whose` for who made or issued it, and
    `overdue_ms` for those whose deadline is past then.
    """
    its = case_file.c
    statement = _within(select(case_file), scope)
    for name, value in filters.items():
        if value in (None, ""):
            continue
        if name == "open":
            statement = statement.where(its.state.not_in(_ENDED))
        elif name == "whose":
            statement = statement.where(or_(its.opened_by == value, its.issued_by == value))
        elif name == "overdue_ms":
            late = or_(its.due_ms <= value, its.appeal_due_ms <= value)
            statement = statement.where(late, its.state.not_in(("draft", *_ENDED)))
        else:
            statement = statement.where(its[name] == value)
    total = connection.scalar(select(func.count()).select_from(statement.subquery())) or 0
    ended = its.state.in_(_ENDED)
    deadline = func.coalesce(its.due_ms, its.appeal_due_ms, 2**62)
    page = (
        statement.order_by(ended, its.state == "draft", deadline, its.case_id.desc())
        .limit(limit)
        .offset(offset)
    )
    return total, [dict(row) for row in connection.execute(page).mappings()]


def attachment(
    connection: Connection, scope: Scope, case_id: int, log_no: int, no: int
) -> dict[str, Any] | None:
    """A file that was sent in, with its bytes; None where there is none the person may see."""
    which = (case_attachment.c.log_no == log_no) & (case_attachment.c.no == no)
    return _of(connection, scope, case_id, select(case_attachment).where(which), case_attachment.c.case_id)


def paper(connection: Connection, scope: Scope, case_id: int) -> dict[str, Any] | None:
    """A case's paper as it was issued; None where there is none the person may see."""
    return _of(connection, scope, case_id, select(case_paper), case_paper.c.case_id)


def dealing_with(
    connection: Connection, scope: Scope, fingerprints: Sequence[str]
) -> dict[tuple[str, int], dict[str, Any]]:
    """The cases that deal with episodes of these alerts, as far as the person may see them."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    columns = [case_file.c[name] for name in ("case_id", "state", "kind", "number")]
    joined = select(case_alert.c.fingerprint, case_alert.c.episode, *columns).join(case_file)
    for some in chunked(list(fingerprints)):
        which = case_alert.c.fingerprint.in_(some) & case_alert.c.is_live
        for row in connection.execute(_within(joined, scope).where(which)).mappings():
            found[row["fingerprint"], row["episode"]] = dict(row)
    return found


def is_under_way(connection: Connection, fingerprint: str, episode: int) -> bool:
    """Whether a case that has no end yet deals with this episode of an alert."""
    its = (case_alert.c.fingerprint == fingerprint) & (case_alert.c.episode == episode)
    which = its & case_alert.c.is_live & case_alert.c.verdict.is_(None)
    return connection.execute(select(case_alert.c.case_id).where(which).limit(1)).first() is not None


def free_alerts(connection: Connection, district: str, site_id: str, limit: int) -> list[str]:
    """Open alerts of a site that no case deals with yet, the gravest and newest first."""
    held = select(case_alert.c.fingerprint, case_alert.c.episode).where(case_alert.c.is_live)
    statement = select(alert.c.fingerprint).where(
        alert.c.status == "open",
        alert.c.district == district,
        alert.c.site_id == site_id,
        tuple_(alert.c.fingerprint, alert.c.episode).not_in(held),
    )
    return list(connection.scalars(statement.order_by(alert.c.severity, alert.c.at_ms.desc()).limit(limit)))


def woken(connection: Connection, now_ms: int, limit: int) -> list[dict[str, Any]]:
    """Cases with a deadline that has passed and was not noted, the longest past first."""
    statement = select(case_file).where(case_file.c.wake_ms <= now_ms).order_by(case_file.c.wake_ms)
    return [dict(row) for row in connection.execute(statement.limit(limit)).mappings()]


def _row_of(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in _DECIDES} | {"wake_ms": wakes_ms(case)}


def _note(connection: Connection, case_id: int, no: int, entry: Entry, after: Case) -> None:
    row = {
        "case_id": case_id,
        "no": no,
        "step": entry.step,
        "became": after.state,
        "at_ms": entry.at_ms,
        "by": entry.actor.username,
        "by_name": entry.by_name,
        "by_role": entry.actor.role,
        "why": entry.why,
        "due_ms": after.due_ms,
    }
    connection.execute(insert(case_log).values(**row))


def _of(
    connection: Connection, scope: Scope, case_id: int, statement: Select[Any], column: ColumnElement[int]
) -> dict[str, Any] | None:
    seen = _within(select(case_file.c.case_id), scope).where(case_file.c.case_id == case_id)
    row = connection.execute(statement.where(column.in_(seen))).mappings().first()
    return dict(row) if row else None


def _within(statement: Select[Any], scope: Scope) -> Select[Any]:
    return statement.where(_seen_by(scope))


def _seen_by(scope: Scope) -> ColumnElement[bool]:
    """A draft is its writers' own; a station reads what was issued to it, and no letter between offices."""
    its = case_file.c
    is_out, is_directive = its.state.not_in(_OWN_ONLY), its.kind == DIRECTIVE
    if scope.kind == "city":
        return or_(~is_directive, is_out)
    if scope.kind == "district":
        return and_(its.district == scope.id, or_(is_directive, is_out))
    if scope.kind == "station":
        return and_(its.site_id == scope.id, is_directive, is_out)
    return ~true()
