"""What is on its way to people, and what could not be delivered: sent again or let go. For the city."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.store import outbox
from cylinder_trace.web.server import server

outbox_pages = Blueprint("outbox_pages", __name__)
MOST_LISTED = 100
_STATES = ("dead", "waiting", "sent", "let_go")
_BECOMES = {"resend": outbox.WAITING, "let-go": outbox.LET_GO}


@outbox_pages.get("/outbox")
@login_required
def outbox_list() -> str:
    """Dead letters first; with `state` what waits, was sent or was let go instead."""
    _for_the_city()
    state = request.args.get("state", "dead")
    if state not in _STATES:
        abort(404)
    return _page(state)


@outbox_pages.post("/outbox/<int:mail_id>/<what>")
@login_required
def settle(mail_id: int, what: str) -> Response | tuple[str, int]:
    """Send a dead letter again, or let it go; who is slower than another is shown what stands."""
    _for_the_city()
    attempts = request.form.get("attempts", "")
    if what not in _BECOMES or not attempts.isdecimal() or len(attempts) > 9 or mail_id >= 2**63:
        abort(404)
    here = server()
    with here.database.writing() as connection:
        done = outbox.settle(connection, mail_id, int(attempts), _BECOMES[what], here.now_ms())
        stands = outbox.one(connection, mail_id)
    if stands is None:
        abort(404)
    if not done:
        return _page("dead", quicker=stands), 409
    return redirect(url_for("outbox_pages.outbox_list"), 303)


def _page(state: str, quicker: dict[str, Any] | None = None) -> str:
    with server().database.reading() as connection:
        rows = outbox.listed(connection, [state], MOST_LISTED)
        counts = outbox.counts(connection)
    return render_template(
        "outbox.html",
        state=state,
        states=[(one, counts.get(one, 0)) for one in _STATES],
        rows=[_shown(row) for row in rows],
        quicker=_shown(quicker) if quicker else None,
    )


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    sent_ms, next_ms = row["sent_ms"], row["next_try_ms"]
    return row | {
        "created": moment_of(row["created_ms"]),
        "sent": moment_of(sent_ms) if sent_ms else None,
        "next_try": moment_of(next_ms) if row["state"] == "waiting" else None,
    }


def _for_the_city() -> None:
    if current_user.person.scope.kind != "city":
        abort(404)
