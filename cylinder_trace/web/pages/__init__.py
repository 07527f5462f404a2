"""The pages: for the operator at the gun, the regulator at the desk, and the public at home."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as WerkzeugResponse

from cylinder_trace.web.pages.operator import operator_pages
from cylinder_trace.web.pages.public import public_pages
from cylinder_trace.web.pages.regulator import regulator_pages
from cylinder_trace.web.wording import say

LANGUAGES = ("zh", "en")


def language() -> str:
    """The language of this visitor: Chinese unless switched."""
    chosen = session.get("lang", "zh")
    return chosen if chosen in LANGUAGES else "zh"


def register_pages(app: Flask) -> None:
    """Hang the pages into the application."""
    for pages in (public_pages, regulator_pages, operator_pages):
        app.register_blueprint(pages)
    app.add_url_rule("/lang/<lang>", "lang", _switch)
    app.context_processor(_everywhere)
    app.add_template_filter(_shanghai, "shanghai")


def show_error(status: int) -> tuple[str, int]:
    """A page that says what went wrong and what to do."""
    return render_template("error.html", status=status), status


def _switch(lang: str) -> WerkzeugResponse:
    if lang in LANGUAGES:
        session["lang"] = lang
    back = request.args.get("next", "/")
    return redirect(
        back if back.startswith("/") and not back.startswith("//") else url_for("regulator_pages.home")
    )


def _shanghai(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M")


def _everywhere() -> dict[str, Any]:
    lang = language()
    person = current_user.person if current_user.is_authenticated else None
    return {
        "lang": lang,
        "t": lambda key, **facts: say(key, lang, **facts),
        "person": person,
        "path": request.full_path.rstrip("?"),
    }
