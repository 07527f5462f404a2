"""What the system knows of its own health, and a rule over that."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from cylinder_trace.judging.finding import Fact, Finding
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rule import Rule

EVIDENCE = ("system",)
"""Stands where a finding names its events: what the system is like is in no event of the ledger."""
_SHANGHAI = timezone(timedelta(hours=8))
_LONGEST_SUBJECT = 64


@dataclass(frozen=True, slots=True)
class JobState:
    """A job of the worker: when its next run was due, when it last succeeded, and whether it fails since."""

    name: str
    due_ms: int
    succeeded_ms: int | None = None
    is_failing: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that wait in the outbox for one channel: how many, since when the oldest, and the last answer to it."""

    channel: str
    number: int
    since_ms: int
    answer: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Messages to one address that were given up and that nobody has seen to yet."""

    address: str
    number: int
    since_ms: int
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """Who hears of a district (or, as `*`, of what no district's team is named for), and who of them can be reached."""

    district: str
    addresses: int
    reachable: int
    since_ms: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last sign of life to one address: when it was put into the outbox, and whether a server took it."""

    address: str
    made_ms: int
    is_sent: bool


@dataclass(frozen=True, slots=True)
class SnapshotFetch:
    """When a station last fetched the verdicts it answers by while it is off line."""

    station: str
    fetched_ms: int


@dataclass(frozen=True, slots=True)
class Flood:
    """Alerts of one rule that were too many to be sent by themselves: how many, since when, and when the digest tells."""

    rule: str
    number: int
    since_ms: int
    digest_ms: int


@dataclass(frozen=True, slots=True)
class SystemState:
    """All of it, at a moment."""

    at_ms: int
    jobs: tuple[JobState, ...] = ()
    backlogs: tuple[Backlog, ...] = ()
    dead_letters: tuple[DeadLetters, ...] = ()
    reaches: tuple[Reach, ...] = ()
    heartbeats: tuple[Heartbeat, ...] = ()
    snapshots: tuple[SnapshotFetch, ...] = ()
    floods: tuple[Flood, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemRule(Rule):
    """A rule over the system's own health. What it finds ends by itself: each is a condition."""

    find: Callable[[SystemState, Reference], Iterable[Finding]] = lambda _state, _reference: ()
    condition: bool = True


def about(rule: str, subject: str, since_ms: int, *, site: str | None = None, **facts: Fact) -> Finding:
    """A finding about a part of the system. The same part is the same alert, however often it fails."""
    return Finding(rule, subject[:_LONGEST_SUBJECT], "system", since_ms, site, EVIDENCE, facts)


def local(ms: int) -> str:
    """A moment as a fact: to the minute, in Shanghai."""
    return datetime.fromtimestamp(ms // 1000, UTC).astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M")
