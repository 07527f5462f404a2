"""Whether the system is well: for monitors and anybody, with the numbers for regulators only."""

from typing import Any

from flask import Blueprint, render_template
from flask_login import current_user

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.store import cylinders, ledger, notices, outbox, tries, work
from cylinder_trace.web.server import server

health_pages = Blueprint("health_pages", __name__)
LATE_AFTER_MS = 10 * 60_000
"""A job that should have run so long ago is not running."""


@health_pages.get("/health")
def health() -> tuple[str, int]:
    """Every job's last success and next run, and what could not be judged; 503 where a job failed or is late.

    The public reads no numbers and no error texts: those name hosts and say how much there is to attack.
    """
    here = server()
    scope = current_user.person.scope.kind if current_user.is_authenticated else "public"
    now_ms = here.now_ms()
    with here.database.reading() as connection:
        jobs = [_shown(row, now_ms, tells=scope == "city") for row in work.jobs(connection)]
        numbers: dict[str, int] = {}
        if scope in {"city", "district"}:
            counts, mails = ledger.counts(connection), outbox.counts(connection)
            numbers = {
                "events": counts["events"],
                "pending": counts["pending"],
                "put_off": tries.failed(connection),
            }
            numbers["cylinders"] = cylinders.count(connection)
            numbers |= {f"mails.{state}": mails[state] for state in ("waiting", "sent", "dead")}
            numbers["notices"] = notices.untold(connection)
    failing = any(job["state"] in {"error", "job_late"} for job in jobs)
    page = render_template("health.html", jobs=jobs, numbers=numbers, failing=failing)
    return page, 503 if failing else 200


def worker_is_away() -> bool:
    """Whether a job that ran once stands still: then nothing of what is found since is on any page."""
    here = server()
    now_ms = here.now_ms()
    with here.database.reading() as connection:
        return any(_is_late(row, now_ms) for row in work.jobs(connection))


def _is_late(row: dict[str, Any], now_ms: int) -> bool:
    return row["next_run_ms"] is not None and now_ms - row["next_run_ms"] > LATE_AFTER_MS


def _shown(row: dict[str, Any], now_ms: int, *, tells: bool) -> dict[str, Any]:
    next_ms, error = row["next_run_ms"], row["last_error"]
    return {
        "name": row["job"],
        "last_success": moment_of(row["last_success_ms"]) if row["last_success_ms"] else None,
        "next_run": moment_of(next_ms) if next_ms else None,
        "state": "error" if error else "job_late" if _is_late(row, now_ms) else "ok",
        "error": error if tells else None,
    }
