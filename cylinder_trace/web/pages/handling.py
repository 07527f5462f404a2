"""What people do about alerts from their pages: each form says what it has seen, and goes to one address."""

from datetime import date
from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from cylinder_trace.acting import Wish
from cylinder_trace.judging.handling.care import VERDICTS
from cylinder_trace.judging.handling.timing import opens_ms
from cylinder_trace.judging.scan import local_day
from cylinder_trace.store.handling import Looked, MayNot, NoSuchAlert, NotNow, Quicker
from cylinder_trace.web.language import language
from cylinder_trace.web.pages.alerts import PAGE, alert_page
from cylinder_trace.web.pages.shown_care import log_entries
from cylinder_trace.web.server import server
from cylinder_trace.web.ways import own_path
from cylinder_trace.web.wishes import DOES, done

handling_pages = Blueprint("handling_pages", __name__)
_TYPED = ("why", "assignee", "until", "more_times", "verdict")


@handling_pages.post("/alerts/<fingerprint>/<what>")
@login_required
def do(fingerprint: str, what: str) -> Response | tuple[str, int]:
    """Do what a form of the alert's page asks for, and show the page again; what does not go is said on it."""
    if what not in DOES or "\0" in fingerprint:
        abort(404)
    typed = {name: request.form.get(name, "").replace("\0", "").strip() for name in _TYPED}
    answer = {"what": what, "typed": typed}
    try:
        done(fingerprint, _seen(request.form), _wish(what, typed))
    except NoSuchAlert:
        abort(404)
    except MayNot:
        return alert_page(fingerprint, word="may_not", **answer), 403
    except NotNow as error:
        return alert_page(fingerprint, word=f"not_now.{error.word}", **answer), 409
    except Quicker as error:
        since = log_entries(error.since, current_user.person.scope, language())
        return alert_page(fingerprint, word="quicker", since=since, **answer), 409
    return redirect(url_for("alert_pages.alert", fingerprint=fingerprint, _anchor="handling"), 303)


@handling_pages.post("/alerts/acknowledge")
@login_required
def acknowledge_chosen() -> Response:
    """Acknowledge the alerts chosen in the list, each by itself: what changed meanwhile is left as it is."""
    went, stayed = 0, 0
    for one in request.form.getlist("alert")[:PAGE]:
        fingerprint, _, numbers = one.replace("\0", "").partition(":")
        episode, _, version = numbers.partition(":")
        try:
            seen = _seen({"episode": episode, "version": version})
            done(fingerprint, seen, Wish(DOES["acknowledge"], why=request.form.get("why", "")))
            went += 1
        except (NoSuchAlert, MayNot, NotNow, Quicker):
            stayed += 1
    back = own_path(request.form.get("back", "")) or url_for("alert_pages.alert_list")
    glue = "&" if "?" in back else "?"
    return redirect(f"{back}{glue}done={went}&not_done={stayed}", 303)


def _seen(form: Any) -> Looked:
    episode, version = _number(form.get("episode", "")), _number(form.get("version", ""))
    if episode is None or version is None:
        abort(400)
    return Looked(episode, version)


def _number(typed: str) -> int | None:
    return int(typed) if typed.isdecimal() and len(typed) < 10 else None


def _wish(what: str, typed: dict[str, str]) -> Wish:
    more_times = _number(typed["more_times"])
    return Wish(
        DOES[what],
        why=typed["why"],
        assignee=typed["assignee"] or None,
        until_ms=_morning_of(typed["until"]),
        # What is no number is no end that could be kept: 0 is refused as such.
        more_times=0 if typed["more_times"] and more_times is None else more_times,
        verdict=typed["verdict"] if typed["verdict"] in VERDICTS else None,
    )


def _morning_of(day: str) -> int | None:
    """When offices open on a day as a form gives it; a day that is none is refused as one that is past."""
    if not day:
        return None
    try:
        ordinal = date.fromisoformat(day).toordinal()
    except ValueError:
        return 0
    if ordinal < local_day(server().now_ms()):  # the law of long ago knows no office hours
        return 0
    with server().database.reading() as connection:
        reference = server().cache.read(connection)
    return opens_ms(ordinal, reference)
