"""Walk: a person does something about an alert. It is compared with what they saw, done, put into the log, and told."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from cylinder_trace.judging.handling import timing
from cylinder_trace.judging.handling.care import LONGEST_WHY, NEEDS_WHY, VERDICTS, Act, Note
from cylinder_trace.judging.handling.escalation import longest_snooze_days
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import DAY_MS
from cylinder_trace.store import alerts, cases, handling, notices
from cylinder_trace.store.handling import Held, Looked, NotNow
from cylinder_trace.store.people import Person

MOST_TIMES = 1000
"""Put off until it happened more often than that, it would be put off for ever."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants done. A snooze ends at `until_ms`, or when it happened `more_times`, whichever is first."""

    did: Act
    why: str = ""
    assignee: str | None = None
    until_ms: int | None = None
    more_times: int | None = None
    verdict: str | None = None


def act(
    connection: Connection,
    person: Person,
    fingerprint: str,
    seen: Looked,
    wish: Wish,
    reference: Reference,
    now_ms: int,
) -> Held:
    """Do it, in the caller's transaction; gives what stands then.

    Raises MayNot and NoSuchAlert where it is not theirs to do, Quicker where it is not how they saw it, and NotNow
    where it can not be done as it stands or something that is needed is missing.
    """
    held = handling.hold_for(connection, person, fingerprint, wish.did, seen)
    why = wish.why.strip()
    if (wish.did in NEEDS_WHY and not why) or len(why) > LONGEST_WHY:
        raise NotNow("needs_why")
    note = Note(
        number=held.care.version + 1,
        did=wish.did,
        at_ms=now_ms,
        times=handling.times(connection, fingerprint),
        who=person.username,
        why=why,
        level=held.care.level,
    )
    if wish.did == "assigned":
        note = _given_to(connection, held, note, wish)
    elif wish.did == "snoozed":
        note = _put_off(note, wish, reference)
    elif wish.did == "closed":
        if wish.verdict not in VERDICTS:
            raise NotNow("needs_verdict")
        # Its case ends with a re-check by another officer, or an appeal: not past them.
        if cases.is_under_way(connection, fingerprint, held.episode):
            raise NotNow("in_a_case")
        note = replace(note, verdict=wish.verdict)
    if wish.did not in {"closed", "reopened"}:
        return handling.add(connection, held, note, reference.law, person)
    return _changed(connection, held, note, reference, person)


def _given_to(connection: Connection, held: Held, note: Note, wish: Wish) -> Note:
    if wish.assignee not in handling.officers(connection, held.district):
        raise NotNow("needs_assignee")
    return replace(note, assignee=wish.assignee)


def _put_off(note: Note, wish: Wish, reference: Reference) -> Note:
    """Until a day, or until it happened some times more: then to the longest day at most, so that it never sleeps for ever."""
    longest_ms = note.at_ms + longest_snooze_days(reference.law, note.at_ms) * DAY_MS
    if wish.until_ms is None and wish.more_times is None:
        raise NotNow("needs_end")
    until_ms = longest_ms if wish.until_ms is None else wish.until_ms
    if not note.at_ms < until_ms <= longest_ms:
        raise NotNow("needs_end")
    if wish.more_times is None:
        return replace(note, until_ms=until_ms)
    if not 1 <= wish.more_times <= MOST_TIMES:
        raise NotNow("needs_end")
    return replace(note, until_ms=until_ms, until_times=note.times + wish.more_times)


def _changed(connection: Connection, held: Held, note: Note, reference: Reference, person: Person) -> Held:
    """The alert itself is closed, or open again: its history says so too, and its district is told."""
    became = "closed" if note.did == "closed" else "open"
    number = held.transition_no + 1
    held = handling.add(connection, replace(held, status=became), note, reference.law, person)
    values = {"status": became, "transition_no": number, "changed_ms": note.at_ms}
    alerts.change(connection, held.fingerprint, **values)
    alerts.note_transition(
        connection, held.fingerprint, number, held.episode, note.did, note.at_ms, because=None
    )
    due_ms = timing.due_ms(held.severity, note.at_ms, reference)
    notices.give(connection, held.fingerprint, number, note.did, held.district, due_ms, level=note.level)
    return replace(held, transition_no=number)
