"""Cases: what waits for whom, one case with all that was done, and the forms of the steps that are open to the reader."""

from base64 import b64encode
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response as AnyResponse

from cylinder_trace.exchange.attachments import LARGEST_BYTES, MOST_FILES
from cylinder_trace.exchange.paper import NoPdf, as_html, as_pdf
from cylinder_trace.judging.handling.cases import DIRECTIVE, KINDS, LETTERS, STATES, proposed_day
from cylinder_trace.store import alerts, cases
from cylinder_trace.web.case_papers import alerts_of, paper_of
from cylinder_trace.web.case_requests import LARGEST_UPLOAD_BYTES, No, asked_of, day_of, refused_as
from cylinder_trace.web.case_steps import MOST_ALERTS, Asked, make_directive, make_letter, scope_of, take
from cylinder_trace.web.language import language
from cylinder_trace.web.pages.shown_alert import naming_for, shown
from cylinder_trace.web.server import server
from cylinder_trace.web.shown_case import log_of, shown_case, steps_open
from cylinder_trace.web.wording import say

case_pages = Blueprint("case_pages", __name__)
PAGE = 50
LAST_PAGE = 1_000_000
_PAPER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_WHICH = ("open", "overdue", "mine", "all")


@case_pages.url_value_preprocessor
def _larger_uploads(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Before the form is read for its token; who is not signed in sends no more than elsewhere.
    if request.method == "POST" and current_user.is_authenticated:
        request.max_content_length = LARGEST_UPLOAD_BYTES


@case_pages.get("/cases")
@login_required
def case_list() -> str:
    """The cases of the reader's scope: those not ended, the earliest deadline first."""
    here, person, lang = server(), current_user.person, language()
    if person.role == "operator":
        abort(404)
    chosen = request.args.get("which", "open")
    chosen = chosen if chosen in _WHICH else "open"
    state = request.args.get("state", "")
    kind = request.args.get("kind", "")
    filters: dict[str, Any] = {
        "open": chosen == "open",
        "overdue_ms": here.now_ms() if chosen == "overdue" else None,
        "whose": person.username if chosen == "mine" else None,
        "state": state if state in STATES else None,
        "kind": kind if kind in KINDS else None,
    }
    filters["open"] = filters["open"] or None
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    with here.database.reading() as connection:
        total, rows = cases.listed(connection, scope_of(person), filters, PAGE, (page - 1) * PAGE)
        naming = naming_for(here.cache.read(connection), person.scope)
    which = 0 if lang == "zh" else 1
    return render_template(
        "cases.html",
        cases=[shown_case(row, naming, lang, here.now_ms()) for row in rows],
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        chosen={"which": chosen, "state": filters["state"] or "", "kind": filters["kind"] or ""},
        states=[(word, names[which]) for word, names in STATES.items()],
        kinds=[(word, names[which]) for word, names in KINDS.items()],
    )


@case_pages.post("/cases")
@login_required
def make_case() -> AnyResponse | tuple[str, int]:
    """Make a case of one or more alerts."""
    try:
        case_id = make_directive(server(), current_user.person, request.form.getlist("fingerprint"))
    except No as error:
        return _told(error)
    return redirect(url_for("case_pages.case", case_id=case_id))


@case_pages.get("/cases/letter")
@login_required
def letter_form() -> str:
    """The form of a letter to a district."""
    if current_user.person.role != "city":
        abort(404)
    here, which = server(), 0 if language() == "zh" else 1
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
    return render_template(
        "case_letter.html",
        kinds=[(kind, KINDS[kind][which]) for kind in LETTERS],
        districts=[(one.adcode, (one.zh, one.en)[which]) for one in reference.law.districts()],
        district=request.args.get("district", ""),
        about=request.args.get("about", type=int),
        due_day=date.fromordinal(proposed_day(reference, here.now_ms())).isoformat(),
    )


@case_pages.post("/cases/letter")
@login_required
def make_a_letter() -> AnyResponse | tuple[str, int]:
    """Begin a letter to a district."""
    form = {name: said.replace("\0", "") for name, said in request.form.items()}
    try:
        case_id = make_letter(
            server(), current_user.person, form.get("kind", ""), form.get("district", ""), form.get("facts", ""),
            form.get("demands", ""), day_of(form.get("due_day", "")), _case_id(form.get("about", "")),
        )  # fmt: skip
    except No as error:
        return _told(error)
    return redirect(url_for("case_pages.case", case_id=case_id))


@case_pages.get("/cases/<int(max=2147483647):case_id>")
@login_required
def case(case_id: int) -> str | tuple[str, int]:
    """One case: what it is about, what was done, and what the reader may do."""
    return _page(case_id)


@case_pages.post("/cases/<int(max=2147483647):case_id>/<step>")
@login_required
def take_step(case_id: int, step: str) -> AnyResponse | str | tuple[str, int]:
    """Take a step; where somebody was quicker, or it may not be, the page says so and shows how it stands."""
    try:
        asked = asked_of(step, request.form, request.files)
        if step == "issue" and "demands" in request.form:
            # What stands in the fields is what is issued, saved before or not.
            take(server(), current_user.person, case_id, replace(asked, step="edit"))
            asked = Asked("issue", asked.version + 1)
        take(server(), current_user.person, case_id, asked)
    except No as error:
        status, _, zh, en = refused_as(error)
        if status == 404:
            abort(404)
        return _page(case_id, zh if language() == "zh" else en, status)
    return redirect(url_for("case_pages.case", case_id=case_id))


@case_pages.get("/cases/<int(max=2147483647):case_id>/paper")
@login_required
def paper(case_id: int) -> Response:
    """The paper as it was issued; a draft as it would be issued now."""
    return _paper(_html_of(case_id).encode(), "text/html; charset=utf-8")


@case_pages.get("/cases/<int(max=2147483647):case_id>/paper.pdf")
@login_required
def paper_pdf(case_id: int) -> Response | tuple[str, int]:
    """The same paper as PDF; where none can be made, what to do instead."""
    try:
        return _paper(as_pdf(_html_of(case_id)), "application/pdf")
    except NoPdf:
        return _page(case_id, say("case.no_pdf", language()), 501)


@case_pages.get("/cases/<int(max=2147483647):case_id>/files/<int(max=9999):log_no>/<int(max=9999):no>")
@login_required
def file(case_id: int, log_no: int, no: int) -> Response:
    """A file that was sent in: to be saved, never to be run in our name."""
    with server().database.reading() as connection:
        kept = cases.attachment(connection, scope_of(current_user.person), case_id, log_no, no)
    if kept is None:
        abort(404)
    answer = Response(kept["body"], mimetype=kept["media_type"])
    # RFC 6266: a header holds no Chinese, so that the name is written in ASCII.
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(kept['name'], safe='')}"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    answer.headers["Repr-Digest"] = f"sha-256=:{b64encode(kept['sha256']).decode()}:"
    return answer


@case_pages.app_context_processor
def _for_alerts() -> dict[str, Any]:
    return {"case_of_alert": _case_of_alert}


def _case_of_alert(alert: dict[str, Any]) -> dict[str, Any] | None:
    """The case that deals with an alert's episode, as far as the reader may see it."""
    with server().database.reading() as connection:
        found = cases.dealing_with(connection, scope_of(current_user.person), [alert["fingerprint"]])
    return found.get((alert["fingerprint"], alert["episode"]))


def _page(case_id: int, complaint: str = "", status: int = 200) -> tuple[str, int]:
    here, person, lang = server(), current_user.person, language()
    with here.database.reading() as connection:
        row = cases.one(connection, scope_of(person), case_id)
        if row is None:
            abort(404)
        reference = here.cache.read(connection)
        issued = cases.paper(connection, scope_of(person), case_id)
        about = cases.one(connection, scope_of(person), row["about_case"]) if row["about_case"] else None
        members = alerts_of(connection, row)
        steps = steps_open(row, person)
        others = []
        if "edit" in steps and row["kind"] == DIRECTIVE:
            names = cases.free_alerts(connection, row["district"], row["site_id"], MOST_ALERTS - len(members))
            others = [one for name in names if (one := alerts.one(connection, person.scope, name))]
    naming = naming_for(reference, person.scope)
    return render_template(
        "case.html",
        case=shown_case(row, naming, lang, here.now_ms()),
        log=log_of(row, person, lang),
        steps=steps,
        alerts=[shown(one, naming, person.scope, lang) for one in members],
        others=[shown(one, naming, person.scope, lang) for one in others],
        about=about,
        paper_sha256=issued["sha256"].hex() if issued else "",
        complaint=complaint,
        proposed=date.fromordinal(proposed_day(reference, here.now_ms())).isoformat(),
        which=0 if lang == "zh" else 1,
        largest_mb=LARGEST_BYTES // 1024**2,
        most_files=MOST_FILES,
    ), status


def _case_id(typed: str) -> int | None:
    """The case a form names, None where it names none; 0, which no case is, for what is no number of a case."""
    if not typed:
        return None
    return int(typed) if typed.isdecimal() and len(typed) < 10 else 0


def _html_of(case_id: int) -> str:
    here = server()
    with here.database.reading() as connection:
        scope = scope_of(current_user.person)
        if issued := cases.paper(connection, scope, case_id):
            return bytes(issued["html"]).decode()
        row = cases.one(connection, scope, case_id)
        if row is None:
            abort(404)
        return as_html(paper_of(connection, row, here.cache.read(connection), here.now_ms()))


def _paper(body: bytes, media_type: str) -> Response:
    answer = Response(body, content_type=media_type)
    answer.headers["Content-Security-Policy"] = _PAPER_POLICY
    return answer


def _told(error: Exception) -> tuple[str, int]:
    status, _, zh, en = refused_as(error)
    if status == 404:
        abort(404)
    return render_template("case_refused.html", said=zh if language() == "zh" else en), status
