"""The timetable: sweep and delivery in a process of their own, each slot done once, whoever else runs."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from cylinder_trace import delivery, sweep
from cylinder_trace.delivery import Channel
from cylinder_trace.settings import Settings
from cylinder_trace.store import work
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache

log = logging.getLogger(__name__)


class Worker:
    """Runs the jobs. Jobs are code, not rows: a scheduler's own store would be a second truth."""

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
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            # The default grace of one second drops runs on a busy machine.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        )
        self._add("sweep", settings.sweep_every_s, lambda now: sweep.run(database, cache, now))
        self._add(
            "delivery", settings.delivery_every_s, lambda now: delivery.run(database, cache, channel, now)
        )

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; the job that is running is finished first."""
        asked_to_stop = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            asked_to_stop.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        self._scheduler.start()
        log.info("worker started", extra={"worker": self._name})
        asked_to_stop.wait()
        self._scheduler.shutdown(wait=True)

    def _add(self, name: str, every_s: int, walk: Callable[[int], Any]) -> None:
        def job() -> None:
            self._do(name, every_s, walk)

        self._scheduler.add_job(job, "interval", seconds=every_s, id=name, name=name)

    def _do(self, name: str, every_s: int, walk: Callable[[int], Any]) -> None:
        now_ms = self._now_ms()
        slot_ms = now_ms // (every_s * 1000) * every_s * 1000
        following = slot_ms + every_s * 1000
        try:
            with self._database.writing() as connection:
                if not work.claim(connection, name, slot_ms, self._name):
                    return
                work.note(connection, name, last_start_ms=now_ms, next_run_ms=following)
            result = walk(now_ms)
            with self._database.writing() as connection:
                work.note(
                    connection, name, last_success_ms=self._now_ms(), last_result=result, last_error=None
                )
        except Exception as error:  # one failed run must not end the timetable: it is noted and tried again
            log.exception("job failed", extra={"job": name})
            self._note_failure(name, error)

    def _note_failure(self, name: str, error: Exception) -> None:
        try:
            with self._database.writing() as connection:
                work.note(connection, name, last_error=f"{type(error).__name__}: {error}"[:2000])
        except Exception:
            log.exception("the failure could not be noted; the database is away", extra={"job": name})
