"""What people do about an alert, and when it needs them again.

What stands is a fold of the log: `Care` is what its notes make of it, one after the other, and nothing else changes it.
What people do changes no finding and no end of one.
"""

from dataclasses import dataclass, replace
from typing import Literal

Act = Literal[
    "acknowledged", "assigned", "commented", "snoozed", "unsnoozed", "closed", "reopened"
]  # fmt: skip
"""What a person does."""
Turn = Literal["woke", "worse", "escalated"]
"""What time or new findings do: a snooze ended, more was found, nobody acknowledged in time."""
Verdict = Literal["handled", "false_alarm", "unsettled"]
"""Of a closed alert: the finding was true and is dealt with; it was a false alarm; it can not be settled."""

VERDICTS: tuple[Verdict, ...] = ("handled", "false_alarm", "unsettled")
NEEDS_WHY = frozenset({"commented", "snoozed", "closed", "reopened"})
"""Nobody can say later why this was done unless it is asked for now."""
LONGEST_WHY = 2000

_OFFICES = frozenset({"officer", "city"})
_EXPLAINS = frozenset({"manager"})


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of the log. `number` counts an episode's entries from 1; `who` is empty where nobody did it.

    `times` is how often the alert's findings had been made by then, `until_times` at how many it wakes.
    """

    number: int
    did: Act | Turn
    at_ms: int
    times: int
    who: str = ""
    why: str = ""
    assignee: str | None = None
    until_ms: int | None = None
    until_times: int | None = None
    level: int = 0
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Care:
    """How an episode of an alert is looked after. `version` is the number of the last note; 0 before the first.

    `since_ms` is from when it waits to be acknowledged. `level` is who was asked to see to it: 0 the district's team,
    1 its head, 2 the city.
    """

    since_ms: int
    version: int = 0
    times: int = 0
    acknowledged_by: str | None = None
    acknowledged_ms: int | None = None
    assigned_to: str | None = None
    snoozed_until_ms: int | None = None
    snoozed_until_times: int | None = None
    level: int = 0
    verdict: Verdict | None = None

    @property
    def is_snoozed(self) -> bool:
        """Whether it is put off."""
        return self.snoozed_until_ms is not None

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has acknowledged it, put it off or closed it."""
        return self.acknowledged_ms is None and not self.is_snoozed and self.verdict is None


def after(care: Care, note: Note) -> Care:
    """What stands once this note is in the log."""
    care = replace(care, version=note.number)
    if note.did == "acknowledged":
        return replace(care, acknowledged_by=note.who, acknowledged_ms=note.at_ms, times=note.times)
    if note.did == "assigned":
        return replace(care, assigned_to=note.assignee)
    if note.did == "snoozed":
        until = {"snoozed_until_ms": note.until_ms, "snoozed_until_times": note.until_times}
        return replace(care, times=note.times, **until)  # type: ignore[arg-type]
    if note.did == "unsnoozed":
        return replace(_awake(care), since_ms=note.at_ms)
    if note.did in {"woke", "worse"}:
        anew = {"acknowledged_by": None, "acknowledged_ms": None}
        return replace(_awake(care), since_ms=note.at_ms, times=note.times, **anew)  # type: ignore[arg-type]
    if note.did == "escalated":
        return replace(care, since_ms=note.at_ms, level=note.level)
    if note.did == "closed":
        return replace(_awake(care), times=note.times, verdict=note.verdict)
    if note.did == "reopened":
        return replace(care, since_ms=note.at_ms, times=note.times, verdict=None)
    return care


def told_by(notes: list[Note], opened_ms: int) -> Care:
    """What a whole log makes of an episode that opened then."""
    care = Care(since_ms=opened_ms)
    for note in notes:
        care = after(care, note)
    return care


def is_worse(care: Care, times: int, *, is_graver: bool) -> bool:
    """Whether an alert that somebody has seen to needs them again: its findings were made more often, or it is graver.

    One that was put off until it happens some times more waits for that, unless it becomes graver.
    """
    if care.is_snoozed and care.snoozed_until_times is not None:
        return is_graver or times >= care.snoozed_until_times
    if care.verdict is not None:
        return times > care.times
    return not care.is_waiting and (is_graver or times > care.times)


def may(role: str, did: Act) -> bool:
    """Whether people of this role do such at all: a station explains, an office acts, who fills does neither."""
    return role in _OFFICES or (role in _EXPLAINS and did == "commented")


def why_not(care: Care, status: str, did: Act) -> str | None:
    """The word for why this can not be done as things stand; None where it can."""
    if did == "commented":
        return None
    if did == "reopened":
        return None if status == "closed" else "not_closed"
    if status != "open":
        return "not_open"
    if did == "acknowledged" and not care.is_waiting:
        return "acknowledged_already"
    if did == "unsnoozed" and not care.is_snoozed:
        return "not_snoozed"
    return None


def _awake(care: Care) -> Care:
    return replace(care, snoozed_until_ms=None, snoozed_until_times=None)
