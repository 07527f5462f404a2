"""What anybody may see: the code on the bottle at home, and whether the system is well."""

from flask import Blueprint, render_template

from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import State
from cylinder_trace.store import alerts, cylinders, ledger, notices, work
from cylinder_trace.web.lives import day_text
from cylinder_trace.web.server import server

public_pages = Blueprint("public_pages", __name__)


@public_pages.get("/c/<path:code>")
def bottle(code: str) -> str:
    """Valid, overdue, scrapped or unknown; no sites and no persons."""
    here = server()
    try:
        canonical = parse_code(code).text
    except NotACylinderCode:
        return render_template(
            "public.html", code=code[:80], verdict="unknown", valid_until=None, life_end=None
        )
    with here.database.reading() as connection:
        state = cylinders.read(connection, cylinders.root_of(connection, canonical))
    return render_template(
        "public.html",
        code=canonical,
        verdict=standing(state, here.now_ms()),
        valid_until=day_text(state.valid_until_day) if state else None,
        life_end=day_text(state.life_end_day) if state else None,
    )


def standing(state: State | None, now_ms: int) -> str:
    """valid, overdue, scrapped or unknown, as of now."""
    if state is None or state.registered_ms is None:
        return "unknown"
    if state.status == "scrapped":
        return "scrapped"
    ends = [day for day in (state.valid_until_day, state.life_end_day) if day is not None]
    return "overdue" if ends and local_day(now_ms) > min(ends) else "valid"


@public_pages.get("/health")
def health() -> tuple[str, int]:
    """Every job's last success and next run, and what waits. 503 where a job has not succeeded for long."""
    here = server()
    with here.database.reading() as connection:
        jobs = [
            {
                "name": row["job"],
                "last_success": moment_of(row["last_success_ms"]) if row["last_success_ms"] else None,
                "next_run": moment_of(row["next_run_ms"]) if row["next_run_ms"] else None,
                "last_error": row["last_error"],
            }
            for row in work.jobs(connection)
        ]
        counts = ledger.counts(connection)
        mails = notices.counts(connection)
        known = cylinders.count(connection)
        opened = sum(alerts.open_count(connection).values())
    failing = any(job["last_error"] for job in jobs)
    page = render_template(
        "health.html",
        jobs=jobs,
        counts=counts,
        mails=mails,
        cylinders=known,
        open_alerts=opened,
        now=here.now(),
        failing=failing,
    )
    return page, 503 if failing else 200
