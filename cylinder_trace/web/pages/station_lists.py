"""What runs out at a station or of a firm, and the cylinders that nobody has seen for a year: pages and workbooks."""

from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request
from flask_login import login_required
from werkzeug.wrappers import Response

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.exchange.station_lists import MOST_ROWS, PAPERS, REASONS, due_book, idle_book, place
from cylinder_trace.judging.handling.idle import LISTED, SEEN_AGAIN, SETTLEMENTS, TO_CHECK
from cylinder_trace.judging.reference import Reference
from cylinder_trace.store import due_lists, idle
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.due_lists import DueCylinder, Party
from cylinder_trace.store.idle import NotSettled
from cylinder_trace.web.language import language
from cylinder_trace.web.lives import day_text
from cylinder_trace.web.pages.duties import PAGE, page_asked, reader, unconfirmed
from cylinder_trace.web.pages.shown_alert import naming_for
from cylinder_trace.web.server import server

station_list_pages = Blueprint("station_list_pages", __name__)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@station_list_pages.get("/duties/due")
@login_required
def due() -> str:
    """What runs out within the look-ahead, or has, at one site or of one firm."""
    here, scope, page = server(), reader().scope, page_asked()
    which, now_ms = 0 if language() == "zh" else 1, here.now_ms()
    is_over = request.args.get("which") == "over"
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        parties = due_lists.parties_within(reference, scope)
        party = _asked(parties)
        rows: list[DueCylinder] = []
        total = 0
        if party:
            total, rows = due_lists.cylinders(
                connection, party, reference, now_ms, PAGE, (page - 1) * PAGE, is_over=is_over
            )
    papers = due_lists.papers(party, reference, now_ms) if party else []
    names, firm = naming_for(reference, scope), firm_of(reference, scope, now_ms)
    return render_template(
        "due_list.html",
        parties=[
            (_code(one), (names.owner if one.is_owner else names.site)(one.id)[which], one.is_owner)
            for one in parties
        ],
        chosen=_code(party) if party else "",
        is_over=is_over,
        days=int(reference.number("due_list.before_days", now_ms)),
        unconfirmed=unconfirmed(reference, "due_list.before_days"),
        papers=[
            {
                "kind": PAPERS[one.kind][which],
                "whose": (names.site if one.party_id in reference.sites else names.owner)(one.party_id)[
                    which
                ],
                "holder": one.whose,
                "until": one.until,
            }
            for one in papers
        ],
        cylinders=[
            {
                "id": one.cylinder_id,
                "until": day_text(one.term_day),
                "reason": REASONS[one.is_life][which],
                "model": one.model or "",
                "owner": names.owner(one.owner_id)[which] if one.owner_id else "",
                "place": place(reference, one.site_id, firm)[which],
            }
            for one in rows
        ],
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        most=MOST_ROWS,
    )


@station_list_pages.get("/duties/due.xlsx")
@login_required
def due_workbook() -> Response:
    """The same as a workbook: what runs out, what has, and the papers."""
    here, scope = server(), reader().scope
    now_ms = here.now_ms()
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        party = _asked(due_lists.parties_within(reference, scope))
        if party is None:
            abort(404)
        coming, past = (
            due_lists.all_cylinders(connection, party, reference, now_ms, MOST_ROWS, is_over=is_over)
            for is_over in (False, True)
        )
        papers = due_lists.papers(party, reference, now_ms)
        book = due_book(coming, past, papers, reference, firm_of(reference, scope, now_ms))
    return _download(book, "due-list.xlsx")


@station_list_pages.get("/duties/idle")
@login_required
def idle_list() -> str:
    """The cylinders of the reader's scope that nobody has seen for a year, by how they were settled."""
    return _idle_page("")


@station_list_pages.post("/duties/idle")
@login_required
def settle() -> Response | tuple[str, int]:
    """Settle the chosen cylinders, each as it was seen."""
    here, person = server(), reader()
    chosen = dict(_version(one) for one in request.form.getlist("cylinder"))
    if not chosen:
        return _idle_page("none_chosen"), 400
    try:
        with here.database.writing() as connection:
            idle.settle(
                connection,
                person,
                here.cache.read(connection),
                chosen,
                request.form.get("settlement", ""),
                request.form.get("why", "").replace("\0", ""),
                here.now_ms(),
            )
    except NotSettled as error:
        return _idle_page(error.word), 409 if error.word == "quicker" else 400
    return redirect(request.full_path.rstrip("?"), 303)


@station_list_pages.get("/duties/idle.xlsx")
@login_required
def idle_workbook() -> Response:
    """The same as a workbook."""
    here, scope = server(), reader().scope
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        rows = idle.all_of(connection, scope, reference, _state(), MOST_ROWS)
        book = idle_book(rows, reference, firm_of(reference, scope, here.now_ms()))
    return _download(book, "not-seen.xlsx")


def firm_of(reference: Reference, scope: Scope, now_ms: int) -> str | None:
    """The firm whose own sites a reader may read the names of; None for a regulator, who reads all."""
    return (reference.owner_of_site(scope.id, now_ms) or "") if scope.kind == "station" else None


def _idle_page(problem: str) -> str:
    here, person, page, state = server(), reader(), page_asked(), _state()
    which, now_ms = 0 if language() == "zh" else 1, here.now_ms()
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        numbers = idle.counts(connection, person.scope, reference)
        total, rows = idle.listed(connection, person.scope, reference, state, PAGE, (page - 1) * PAGE)
    names, firm = naming_for(reference, person.scope), firm_of(reference, person.scope, now_ms)
    return render_template(
        "idle_list.html",
        states=[(one, name[which], numbers[one]) for one, name in SETTLEMENTS.items()],
        settlements=[(one, name[which]) for one, name in SETTLEMENTS.items() if one != state],
        state=state,
        cylinders=[
            {
                "id": row["cylinder_id"],
                "version": row["version"],
                "seen": day_text(row["seen_day"]),
                "owner": names.owner(row["owner_id"])[which] if row["owner_id"] else "",
                "place": place(reference, row["site_id"], firm)[which],
                "said": _said(row["last"]),
            }
            for row in rows
        ],
        days=int(reference.number("idle_cleanup.after_days", now_ms)),
        unconfirmed=unconfirmed(reference, "idle_cleanup.after_days"),
        problem=problem,
        why=request.form.get("why", "") if problem else "",
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
    )


def _said(entry: dict[str, Any] | None) -> dict[str, Any] | None:
    if entry is None or entry["became"] in {LISTED, SEEN_AGAIN}:
        return None
    return {"who": entry["who"], "at": moment_of(entry["at_ms"]), "why": entry["why"]}


def _asked(parties: list[Party]) -> Party | None:
    asked = request.args.get("of", "")
    return next(
        (one for one in parties if _code(one) == asked), parties[0] if parties and not asked else None
    )


def _code(party: Party) -> str:
    return f"{'owner' if party.is_owner else 'site'}:{party.id}"


def _state() -> str:
    asked = request.args.get("state", TO_CHECK)
    return asked if asked in SETTLEMENTS else TO_CHECK


def _version(text: str) -> tuple[str, int]:
    number, _, cylinder_id = text.replace("\0", "").partition(" ")
    return cylinder_id, int(number) if number.isascii() and number.isdigit() and len(number) < 9 else -1


def _download(book: bytes, name: str) -> Response:
    response = make_response(book)
    response.headers["Content-Type"] = _XLSX
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
