"""The way in and out: signing in and out, and the choice of language."""

import re

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response

from cylinder_trace.store import people
from cylinder_trace.web.language import chosen_language, switch
from cylinder_trace.web.server import server
from cylinder_trace.web.sign_in import Visitor, visitor
from cylinder_trace.web.ways import own_path

entrance = Blueprint("entrance", __name__)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@entrance.get("/sign-in")
def sign_in() -> str:
    """Asks for name and password."""
    return render_template("sign_in.html", failed=False, wait_s=0, username="")


@entrance.post("/sign-in")
def let_in() -> str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """On success on to the page that was asked for; after many failures the visitor has to wait."""
    here = server()
    username, address = request.form.get("username", ""), request.remote_addr or ""
    password = request.form.get("password", "")
    if wait_ms := here.throttle.begin(username, address, here.now_ms()):
        wait_s = -(-wait_ms // 1000)
        page = render_template("sign_in.html", failed=False, wait_s=wait_s, username=username)
        return page, 429, {"Retry-After": str(wait_s)}
    try:
        found = _known(username, password)
    except BaseException:  # the database is away: nobody guessed wrong
        here.throttle.undo(username, address)
        raise
    if found is None:
        return render_template("sign_in.html", failed=True, wait_s=0, username=username), 401
    here.throttle.succeeded(username, address)
    lang = chosen_language()
    session.clear()  # what an earlier visitor of this browser left behind
    switch(lang)
    login_user(found)
    home = "operator_pages.scan" if found.person.role == "operator" else "home_pages.home"
    return redirect(own_path(request.args.get("next", "")) or url_for(home))


def _known(username: str, password: str) -> Visitor | None:
    # No account has such a name, and PostgreSQL takes no NUL; it takes as long as any other failure.
    is_typed = _CONTROL.search(username + password) is None
    with server().database.reading() as connection:
        person = people.signed_in(connection, username if is_typed else "", password)
        return visitor(connection, person.username) if person and is_typed else None


@entrance.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    logout_user()
    return redirect(url_for("entrance.sign_in"))


@entrance.get("/lang/<lang>")
def choose_language(lang: str) -> Response:
    """Switch the language and go back to the page the visitor came from."""
    switch(lang)
    return redirect(own_path(request.args.get("next", "")) or url_for("home_pages.home"))
