"""How alerts are looked after: each step is compared with what stands, done, and added to the log, or not done at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from cylinder_trace.judging.handling import care as caring
from cylinder_trace.judging.handling import timing
from cylinder_trace.judging.handling.care import Care, Note, Turn
from cylinder_trace.judging.handling.escalation import wake_ms
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.tables import Law
from cylinder_trace.store import notices
from cylinder_trace.store.alerts import Scope, within
from cylinder_trace.store.database import chunked
from cylinder_trace.store.people import Person
from cylinder_trace.store.tables import account, alert, alert_care, alert_note, finding

CARE = [field.name for field in fields(Care)]
"""What is kept of an episode, as its log makes it."""
_TOLD_AS = {"worse": "worse", "woke": "reminder", "escalated": "escalated"}


class NoSuchAlert(LookupError):
    """There is no such alert, or not in the person's scope."""


class MayNot(PermissionError):
    """People of this role do no such thing."""


@dataclass(frozen=True, slots=True)
class Looked:
    """An alert as somebody saw it: which episode, and how much of its log."""

    episode: int
    version: int


class Quicker(Exception):
    """Somebody, or something, was quicker: what was seen is not how it stands. `since` is the log from there on."""

    def __init__(self, since: Sequence[Mapping[str, Any]]) -> None:
        self.since = since
        super().__init__("the alert has been changed since it was read")


class NotNow(Exception):
    """As things stand this can not be done; `word` says why."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that nobody else changes until the transaction ends, and how its episode is looked after."""

    fingerprint: str
    episode: int
    status: str
    transition_no: int
    severity: int
    district: str | None
    care: Care


_HELD = [alert.c[field.name] for field in fields(Held) if field.name != "care"]


_BEGIN = insert(alert_care)
"""Made once: an episode begins with every alert."""


def begin(connection: Connection, fingerprint: str, episode: int, law: Law, now_ms: int) -> None:
    """An episode begins: nobody has seen to it."""
    care = Care(since_ms=now_ms)
    row = {"fingerprint": fingerprint, "episode": episode, "opened_ms": now_ms, "wake_ms": wake_ms(care, law)}
    connection.execute(_BEGIN, row | asdict(care))


def end(connection: Connection, fingerprint: str, episode: int) -> None:
    """An episode ended: nothing is waited for any more, and what was done about it stays."""
    connection.execute(update(alert_care).where(_is(fingerprint, episode)).values(wake_ms=None))


def cares(connection: Connection, episodes: Mapping[str, int]) -> dict[str, Care]:
    """By fingerprint, how these episodes are looked after."""
    found: dict[str, Care] = {}
    columns = [alert_care.c[name] for name in ("fingerprint", "episode", *CARE)]
    for some in chunked(list(episodes)):
        statement = select(*columns).where(alert_care.c.fingerprint.in_(some))
        for fingerprint, episode, *kept in connection.execute(statement):
            if episodes[fingerprint] == episode:
                found[fingerprint] = Care(*kept)
    return found


def times(connection: Connection, fingerprint: str) -> int:
    """How often an alert's findings were made: once a unit and moment, however many events show each."""
    each = select(finding.c.unit, finding.c.at_ms).where(finding.c.fingerprint == fingerprint).distinct()
    return connection.scalar(select(func.count()).select_from(each.subquery())) or 0


def hold(connection: Connection, fingerprint: str, scope: Scope) -> Held:
    """Let nobody else change an alert until the transaction ends. Raises NoSuchAlert."""
    # The judge takes the same lock first; SQLite has one writer anyway.
    statement = within(select(*_HELD), scope).where(alert.c.fingerprint == fingerprint).with_for_update()
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NoSuchAlert(fingerprint)
    return Held(**row, care=cares(connection, {fingerprint: row["episode"]})[fingerprint])


def hold_for(connection: Connection, person: Person, fingerprint: str, did: caring.Act, seen: Looked) -> Held:
    """Hold an alert for a person who wants to do this, having seen it so. Raises MayNot, NoSuchAlert, Quicker, NotNow."""
    if not caring.may(person.role, did):
        raise MayNot(did)
    held = hold(connection, fingerprint, person.scope)
    if Looked(held.episode, held.care.version) != seen:
        its = alert_note.c.fingerprint == fingerprint
        later = its & (alert_note.c.episode == held.episode)
        if seen.episode == held.episode:
            later &= alert_note.c.number > seen.version
        since = select(alert_note).where(later).order_by(alert_note.c.number)
        raise Quicker([dict(row) for row in connection.execute(since).mappings()])
    if word := caring.why_not(held.care, held.status, did):
        raise NotNow(word)
    return held


def add(connection: Connection, held: Held, note: Note, law: Law, person: Person | None = None) -> Held:
    """Add to an alert's log, and keep what stands then.

    Raises Quicker where the log is longer than the one held, which no lock lets happen.
    """
    care = caring.after(held.care, note)
    values = asdict(care) | {"wake_ms": wake_ms(care, law) if held.status == "open" else None}
    which = _is(held.fingerprint, held.episode) & (alert_care.c.version == held.care.version)
    if connection.execute(update(alert_care).where(which).values(**values)).rowcount != 1:
        raise Quicker(())
    entry = asdict(note) | {"fingerprint": held.fingerprint, "episode": held.episode}
    entry |= {"who_name": person.name if person else "", "who_role": person.role if person else ""}
    connection.execute(insert(alert_note).values(**entry))
    return replace(held, care=care)


def wake(
    connection: Connection, held: Held, did: Turn, its_times: int, reference: Reference, now_ms: int
) -> None:
    """An alert that somebody had seen to needs people again, and they are told why."""
    number = held.care.version + 1
    level = held.care.level + 1 if did == "escalated" else held.care.level
    note = Note(number, did, now_ms, its_times, level=level)
    add(connection, held, note, reference.law)
    due_ms = timing.due_ms(held.severity, now_ms, reference)
    which = (held.fingerprint, held.transition_no, _TOLD_AS[did], held.district, due_ms)
    notices.give(connection, *which, step=number, level=level)


def log(connection: Connection, fingerprint: str) -> list[dict[str, Any]]:
    """All that was done about an alert in all its episodes, in the order it was done."""
    statement = select(alert_note).where(alert_note.c.fingerprint == fingerprint)
    ordered = statement.order_by(alert_note.c.episode, alert_note.c.number)
    return [dict(row) for row in connection.execute(ordered).mappings()]


def notes_of(rows: Sequence[Mapping[str, Any]]) -> list[Note]:
    """Rows of the log as what they make of an episode."""
    names = [field.name for field in fields(Note)]
    return [Note(**{name: row[name] for name in names}) for row in rows]


def due(connection: Connection, now_ms: int, limit: int) -> list[str]:
    """The alerts whose time has come, the longest due first."""
    statement = select(alert_care.c.fingerprint).where(alert_care.c.wake_ms <= now_ms)
    return list(connection.scalars(statement.order_by(alert_care.c.wake_ms).limit(limit)))


def sleep(connection: Connection, held: Held, law: Law) -> None:
    """Look at it again when the tables say, which may be another time than when it was last asked."""
    until_ms = wake_ms(held.care, law) if held.status == "open" else None
    which = _is(held.fingerprint, held.episode)
    connection.execute(update(alert_care).where(which).values(wake_ms=until_ms))


def officers(connection: Connection, district: str | None) -> dict[str, str]:
    """Who may be asked to see to an alert of a district: user names with the names of the people."""
    of_city = account.c.role == "city"
    of_district = and_(account.c.role == "officer", account.c.scope_id == district)
    which = of_city | of_district if district else of_city
    statement = select(account.c.username, account.c.name).where(which)
    rows = connection.execute(statement.order_by(account.c.role.desc(), account.c.username))
    return {username: name for username, name in rows}


def names(connection: Connection, usernames: Iterable[str | None]) -> dict[str | None, str]:
    """What people are called, by user name; one whose account is gone by that name itself."""
    asked = {one for one in usernames if one}
    rows = connection.execute(select(account.c.username, account.c.name).where(account.c.username.in_(asked)))
    known = {username: name for username, name in rows}
    return {one: known.get(one, one) for one in asked}


def _is(fingerprint: str, episode: int) -> ColumnElement[bool]:
    return (alert_care.c.fingerprint == fingerprint) & (alert_care.c.episode == episode)
