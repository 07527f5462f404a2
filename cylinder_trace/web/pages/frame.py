"""What all pages have in common: the frame around them, the reader's language, and what is shown when all fails."""

from datetime import datetime
from typing import Any

from flask import Flask, g, render_template, request
from flask_login import current_user

from cylinder_trace.law.calendar import SHANGHAI
from cylinder_trace.web.language import language
from cylinder_trace.web.pages.alerts import alert_pages
from cylinder_trace.web.pages.cases import case_pages
from cylinder_trace.web.pages.draws import draw_pages
from cylinder_trace.web.pages.duties import duty_pages
from cylinder_trace.web.pages.entrance import entrance
from cylinder_trace.web.pages.figures import figure_pages
from cylinder_trace.web.pages.handling import handling_pages
from cylinder_trace.web.pages.health import health_pages, worker_is_away
from cylinder_trace.web.pages.home import home_pages
from cylinder_trace.web.pages.life import life_pages
from cylinder_trace.web.pages.operator import operator_pages
from cylinder_trace.web.pages.outbox import outbox_pages
from cylinder_trace.web.pages.public import public_pages
from cylinder_trace.web.pages.station_lists import station_list_pages
from cylinder_trace.web.pages.trials import trial_pages
from cylinder_trace.web.server import server
from cylinder_trace.web.wording import say

_PAGES = (
    entrance,
    home_pages,
    life_pages,
    alert_pages,
    handling_pages,
    case_pages,
    operator_pages,
    duty_pages,
    station_list_pages,
    public_pages,
    health_pages,
    outbox_pages,
    figure_pages,
    draw_pages,
    trial_pages,
)

_MENU = {
    "/": ("search", {"operator", "manager", "officer", "city"}),
    "/alerts": ("alerts", {"operator", "manager", "officer", "city"}),
    "/cases": ("cases", {"manager", "officer", "city"}),
    "/duties": ("duties", {"manager", "officer", "city"}),
    "/figures": ("figures", {"officer", "city"}),
    "/draws": ("draws", {"officer", "city"}),
    "/trials": ("trials", {"city"}),
    "/outbox": ("outbox", {"city"}),
    "/scan": ("scan", {"operator", "manager"}),
}
"""What is in the menu, its word, and for whose role."""


def register_pages(app: Flask) -> None:
    """Hang the pages into the application."""
    for pages in _PAGES:
        app.register_blueprint(pages)
    app.context_processor(_everywhere)
    app.add_template_filter(_shanghai, "shanghai")


def show_error(status: int, why: str = "") -> tuple[str, int]:
    """A page that says what went wrong and what to do; `why` is a word of `error.*` more exact than the status."""
    # With the database away, asking who is signed in would fail again, here where nothing is left to catch it.
    g.nobody = status >= 500
    word = why or (str(status) if status in {404, 503} else "other")
    return render_template("error.html", status=status, word=word), status


def _shanghai(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _everywhere() -> dict[str, Any]:
    lang = language()
    return {
        "lang": lang,
        "t": lambda key, **facts: say(key, lang, **facts),
        "person": current_user.person if current_user.is_authenticated else None,
        "menu": _menu(),
        "worker_is_away": current_user.is_authenticated and worker_is_away(),
        "path": request.full_path.rstrip("?"),
        "now": server().now(),
    }


def _menu() -> list[tuple[str, str]]:
    role = current_user.person.role if current_user.is_authenticated else ""
    return [(address, word) for address, (word, roles) in _MENU.items() if role in roles]
