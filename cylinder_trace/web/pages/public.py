"""What anybody may see: the code on the bottle at home."""

from flask import Blueprint, render_template

from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.judging.state import State
from cylinder_trace.store import codes
from cylinder_trace.stories import as_it_stands
from cylinder_trace.web.lives import day_text, life_is_confirmed
from cylinder_trace.web.server import server

public_pages = Blueprint("public_pages", __name__)


@public_pages.get("/c/<path:code>")
def bottle(code: str) -> str:
    """Valid, overdue, scrapped or unknown; no sites and no persons."""
    here = server()
    try:
        canonical = parse_code(code).text
    except NotACylinderCode:
        return _page(code[:80], None, None, here.now_ms())
    with here.database.reading() as connection:
        reference, cylinder_id = here.cache.read(connection), codes.root_of(connection, canonical)
        state = as_it_stands(connection, cylinder_id, reference, here.now_ms())
    return _page(canonical, state, reference, here.now_ms())


def _page(code: str, state: State | None, reference: Reference | None, now_ms: int) -> str:
    return render_template(
        "public.html",
        code=code,
        verdict=standing(state, now_ms),
        valid_until=day_text(state.valid_until_day) if state else None,
        life_end=day_text(state.life_end_day) if state else None,
        life_confirmed=state is None or reference is None or life_is_confirmed(state, reference, now_ms),
    )


def standing(state: State | None, now_ms: int) -> str:
    """valid, overdue, scrapped, out_of_use or unknown, as of now."""
    if state is None or state.registered_ms is None:
        return "unknown"
    if state.status == "scrapped":
        return "scrapped"
    ends = [day for day in (state.valid_until_day, state.life_end_day) if day is not None]
    if ends and local_day(now_ms) > min(ends):
        return "overdue"
    return "valid" if state.status == "in_use" else "out_of_use"
