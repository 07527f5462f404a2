"""The first page: search for a code, the numbers of the day, and the newest open alerts."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.store import alerts, cylinders, ledger
from cylinder_trace.web.language import language
from cylinder_trace.web.pages.shown_alert import naming_for, shown
from cylinder_trace.web.server import server

home_pages = Blueprint("home_pages", __name__)
NEWEST = 8


@home_pages.get("/")
@login_required
def home() -> str | Response:
    """Search for a code, and what is open in the reader's scope."""
    asked = request.args.get("code", "").strip()
    if not asked:
        return render_template("home.html", asked="", not_a_code=False, **what_is_open())
    try:
        return redirect(url_for("life_pages.cylinder", code=parse_code(asked).text))
    except NotACylinderCode:
        return render_template("home.html", asked=asked, not_a_code=True, **what_is_open())


def what_is_open() -> dict[str, Any]:
    """The open alerts of the reader's scope by severity and the newest of them; the city's sizes for regulators."""
    here, person, lang = server(), current_user.person, language()
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        open_alerts = {
            severity: alerts.listed(connection, person.scope, {"status": "open", "severity": severity}, 1)[0]
            for severity in (1, 2, 3)
        }
        _, newest = alerts.listed(connection, person.scope, {"status": "open"}, NEWEST)
        sizes = None
        if person.scope.kind != "station":
            sizes = {
                "cylinders": cylinders.count(connection),
                "events": ledger.counts(connection)["events"],
            }
    naming = naming_for(reference, person.scope)
    return {
        "open_alerts": open_alerts,
        "newest": [shown(row, naming, person.scope, lang) for row in newest],
        "sizes": sizes,
    }
