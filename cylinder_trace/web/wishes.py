"""What a person wants done about an alert, as pages and the API ask for it, and doing it."""

from flask_login import current_user

from cylinder_trace import acting
from cylinder_trace.acting import Wish
from cylinder_trace.judging.handling.care import Act
from cylinder_trace.store.handling import Held, Looked
from cylinder_trace.web.server import server

DOES: dict[str, Act] = {
    "acknowledge": "acknowledged",
    "assign": "assigned",
    "comment": "commented",
    "snooze": "snoozed",
    "unsnooze": "unsnoozed",
    "close": "closed",
    "reopen": "reopened",
}
"""How addresses call what can be done, and the log."""


def done(fingerprint: str, seen: Looked, wish: Wish) -> Held:
    """Do it as the person who is signed in, in a transaction of its own. Raises what `acting.act` raises."""
    here = server()
    with here.database.writing() as connection:
        reference = here.cache.read(connection)
        return acting.act(connection, current_user.person, fingerprint, seen, wish, reference, here.now_ms())
