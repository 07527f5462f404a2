"""The alerts of the reader's scope: the list, and one with its evidence and its history."""

from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_login import current_user, login_required

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.naming import Naming
from cylinder_trace.store import alerts, ledger
from cylinder_trace.store.ledger import Entry
from cylinder_trace.web.language import language
from cylinder_trace.web.lives import readable
from cylinder_trace.web.pages.event_rows import event_row
from cylinder_trace.web.pages.shown_alert import explained, naming_for, shown
from cylinder_trace.web.server import server

alert_pages = Blueprint("alert_pages", __name__)
PAGE = 50
LAST_PAGE = 1_000_000
_SEVERITIES = {"1": 1, "2": 2, "3": 3}
_FILTERS = ("status", "severity", "district", "rule", "site_id")


@alert_pages.get("/alerts")
@login_required
def alert_list() -> str:
    """The alerts of the reader's scope, filtered; without a filter the open ones."""
    here, scope, lang = server(), current_user.person.scope, language()
    chosen = {name: request.args.get(name, "").replace("\0", "") for name in _FILTERS}
    if "status" not in request.args:
        chosen["status"] = "open"
    if chosen["severity"] not in _SEVERITIES:
        chosen["severity"] = ""
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    filters: dict[str, Any] = chosen | {"severity": _SEVERITIES.get(chosen["severity"])}
    with here.database.reading() as connection:
        total, rows = alerts.listed(connection, scope, filters, PAGE, (page - 1) * PAGE)
        reference = here.cache.read(connection)
    naming = naming_for(reference, scope)
    which = 0 if lang == "zh" else 1
    return render_template(
        "alerts.html",
        alerts=[shown(row, naming, scope, lang) for row in rows],
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        chosen=chosen,
        site=naming.site(chosen["site_id"])[which] if chosen["site_id"] else "",
        districts=[
            (one.adcode, (one.zh, one.en)[which]) for one in reference.law.districts() if one.is_district
        ],
        rules=[(rule.name, rule.words.title[which]) for rule in RULES.values()],
    )


@alert_pages.get("/alerts/<fingerprint>")
@login_required
def alert(fingerprint: str) -> str:
    """One alert: rule, fact, law, remedy, innocent cause, evidence and history."""
    here, scope, lang = server(), current_user.person.scope, language()
    if "\0" in fingerprint:  # which PostgreSQL takes in no text
        abort(404)
    with here.database.reading() as connection:
        row = alerts.one(connection, scope, fingerprint)
        if row is None:
            abort(404)
        reference = here.cache.read(connection)
        # The finding's own order: the deciding event first, and what it stands against with it.
        ids = list(dict.fromkeys([*row["evidence"], *row["members"]]))
        reasons = [one["because"] for one in row["history"] if one["because"]]
        found = ledger.on_record(connection, [*ids[:PAGE], *reasons])
    entries = {event_id: readable(entry, scope) for event_id, entry in found.items()}
    naming = naming_for(reference, scope)
    evidence = sorted(
        (entries[one] for one in ids[:PAGE] if one in entries), key=lambda entry: entry.occurred_ms
    )
    return render_template(
        "alert.html",
        alert=shown(row, naming, scope, lang) | explained(row, naming, lang),
        evidence=[event_row(entry, naming, lang) for entry in evidence],
        members=len(ids),
        history=[_transition(one, entries, naming, lang) for one in row["history"]],
    )


def _transition(one: dict[str, Any], entries: dict[str, Entry], naming: Naming, lang: str) -> dict[str, Any]:
    because = entries.get(one["because"] or "")
    return {
        "became": one["became"],
        "at": moment_of(one["at_ms"]),
        "because": event_row(because, naming, lang) if because else None,
    }
