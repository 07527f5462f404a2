"""The timetable: sweep and delivery in a process of their own. One worker leads, the others stand by to take over."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from cylinder_trace import casework, delivery, duty_records, following, sweep, watching
from cylinder_trace.delivery import Channel
from cylinder_trace.mail.case_letter import CaseLetters
from cylinder_trace.mail.duty_letter import DutyLetters
from cylinder_trace.mail.heartbeat import HeartbeatLetters
from cylinder_trace.settings import Settings
from cylinder_trace.store import work
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)
CASEWORK_EVERY_S = 60
"""How often the deadlines of cases are looked at."""
BEAT_S = 1.0
"""How often a worker makes sure that it still leads, or asks whether it may."""
FOLLOWING_EVERY_S = 60
"""How often it looks for alerts that were put off until now, or that nobody has acknowledged in time."""

DUTIES_EVERY_S = 3600
"""How often it looks for periods that are over, terms that have passed, and cylinders that became idle."""

WATCHING_EVERY_S = 60
"""How often it looks at its own health."""

Progress = Callable[[str, int], object]
Walk = Callable[[int, Progress], Any]


class Worker:
    """Runs the jobs while it leads. Jobs are code, not rows: a scheduler's own store would be a second truth."""

    def __init__(
        self,
        database: Database,
        cache: ReferenceCache,
        channel: Channel,
        settings: Settings,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._now_ms = now_ms
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._lead = work.lead(database)
        self._leading = threading.Event()
        self._standing = ""
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            # The default grace of one second drops runs on a busy machine.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        )
        self._add("sweep", settings.sweep_every_s, lambda now, told: sweep.run(database, cache, now, told))
        self._add(
            "following",
            FOLLOWING_EVERY_S,
            lambda now, told: following.run(database, cache, now, told),
        )
        letters = DutyLetters(settings)
        self._add(
            "duties",
            DUTIES_EVERY_S,
            lambda now, told: duty_records.run(database, cache, letters, now, told),
        )
        case_letters = CaseLetters(settings)
        self._add(
            "casework",
            CASEWORK_EVERY_S,
            lambda now, told: casework.run(database, cache, case_letters, now, told),
        )
        heartbeats = HeartbeatLetters(settings)
        self._add(
            "watching",
            WATCHING_EVERY_S,
            lambda now, told: watching.run(database, cache, heartbeats, now, told),
        )
        self._add(
            "delivery",
            settings.delivery_every_s,
            lambda now, told: delivery.run(database, cache, channel, now, told),
        )

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; what is running then ends after its transaction or its mail."""
        asked_to_stop = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            asked_to_stop.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        self._scheduler.start(paused=True)
        log.info("worker %s started", self._name)
        while not asked_to_stop.is_set():
            self._beat()
            asked_to_stop.wait(BEAT_S)
        self._leading.clear()
        log.info("worker %s is asked to end", self._name)
        self._scheduler.shutdown(wait=True)
        self._lead.leave()
        log.info("worker %s ended", self._name)

    def _beat(self) -> None:
        try:
            standing = "leads" if self._lead.ours() else "stands by, another worker leads"
            why = None
        except Exception as error:  # whatever it is, a leader that can not prove its lead has none
            standing, why = "stands by, the database is away", error
        if standing == self._standing:
            return
        self._standing = standing
        log.log(logging.WARNING if why else logging.INFO, "worker %s %s", self._name, standing, exc_info=why)
        if standing == "leads":
            self._leading.set()
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=datetime.now(UTC))
            self._scheduler.resume()
        else:
            self._leading.clear()
            self._scheduler.pause()

    def _add(self, name: str, every_s: int, walk: Walk) -> None:
        def job() -> None:
            self._do(name, every_s * 1000, walk)

        self._scheduler.add_job(job, _Slots(every_s), id=name, name=name)

    def _do(self, name: str, every_ms: int, walk: Walk) -> None:
        now_ms = self._now_ms()
        slot_ms = now_ms // every_ms * every_ms
        try:
            with self._database.writing() as connection:
                if not self._leading.is_set() or not work.claim(connection, name, slot_ms, self._name):
                    return
                work.note(connection, name, last_start_ms=now_ms, next_run_ms=slot_ms + every_ms)
            result = walk(now_ms, self._go_on)
            self._note(name, every_ms, last_success_ms=self._now_ms(), last_result=result, last_error=None)
        except _NotLeading:
            log.info("%s was interrupted and goes on under the next leader", name)
        except Exception as error:  # one failed run must not end the timetable: it is noted and tried again
            log.exception("job %s failed", name)
            self._note_failure(name, every_ms, error)

    def _note(self, name: str, every_ms: int, **columns: Any) -> None:
        # A run may have taken longer than its slot: the next begins at the first boundary that is still to come.
        following_ms = (self._now_ms() // every_ms + 1) * every_ms
        with self._database.writing() as connection:
            work.note(connection, name, next_run_ms=following_ms, **columns)

    def _note_failure(self, name: str, every_ms: int, error: Exception) -> None:
        try:
            self._note(name, every_ms, last_error=f"{type(error).__name__}: {error}"[:2000])
        except Exception:
            log.exception("the failure of %s could not be noted; the database is away", name)

    def _go_on(self, _what: str, _number: int) -> None:
        if not self._leading.is_set():
            raise _NotLeading


class _NotLeading(Exception):
    """Ends a walk between two of its transactions: the worker is to stop, or the lead is lost."""


class _Slots(BaseTrigger):  # type: ignore[misc]  # APScheduler carries no types
    """Fires at whole multiples of an interval since 1970, the boundaries of the slots that are claimed.

    APScheduler's own interval counts from the first run: a few milliseconds of delay would then decide in which
    slot a run falls, and two would fall into one.
    """

    def __init__(self, every_s: int) -> None:
        self._every_s = every_s

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        after_s = (previous or now).timestamp()
        return datetime.fromtimestamp((after_s // self._every_s + 1) * self._every_s, UTC)
