"""The figures of the closed loop: a page and a workbook, for regulators."""

from datetime import date

from flask import Blueprint, Response, abort, render_template, request
from flask_login import current_user, login_required

from cylinder_trace.exchange.xlsx import workbook
from cylinder_trace.judging.handling import kpi
from cylinder_trace.store.alerts import Scope
from cylinder_trace.web import figures as shown
from cylinder_trace.web.drawings.columns import columns
from cylinder_trace.web.figures import Days
from cylinder_trace.web.language import language
from cylinder_trace.web.server import server

figure_pages = Blueprint("figure_pages", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@figure_pages.get("/figures")
@login_required
def figures() -> tuple[str, int]:
    """The figures of a period, by district and by rule."""
    lang, days = language(), _days()
    if days is None:
        page = render_template("figures.html", days=None, most=shown.MOST_DAYS, asked=request.args)
        return page, 400
    facts, naming = shown.facts_of(_scope(), days)
    grouped = shown.groups(facts, naming, lang)
    page = render_template(
        "figures.html",
        days=days,
        total=kpi.figures(facts),
        shares=shown.SHARES,
        steps=kpi.STEPS,
        districts=grouped["district"],
        rules=grouped["rule"],
        picture=columns(shown.opened_by_day(facts, days), lang),
    )
    return page, 200


@figure_pages.get("/figures.xlsx")
@login_required
def figures_workbook() -> Response:
    """The same as a workbook."""
    days = _days()
    if days is None:
        abort(400)
    facts, naming = shown.facts_of(_scope(), days)
    written = workbook(shown.sheets(facts, naming, days, language()))
    name = f"figures-{days.first}-{days.last}.xlsx"
    return Response(written, mimetype=XLSX, headers={"Content-Disposition": f"attachment; filename={name}"})


def _scope() -> Scope:
    scope: Scope = current_user.person.scope
    if scope.kind == "station":
        abort(404)
    return scope


def _days() -> Days | None:
    try:
        first, last = (date.fromisoformat(text) if text else None for text in map(_asked, ("from", "to")))
    except ValueError:
        return None
    return shown.days_of(first, last, server().now_ms())


def _asked(name: str) -> str:
    return request.args.get(name, "")
