"""The alerts of the reader's scope: the list, and one with its evidence, its history, and how it is looked after."""

from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_login import current_user, login_required

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.naming import Naming
from cylinder_trace.store import alert_queues, alerts, handling, ledger
from cylinder_trace.store.ledger import Entry
from cylinder_trace.web.language import language
from cylinder_trace.web.lives import readable
from cylinder_trace.web.pages.event_rows import event_row
from cylinder_trace.web.pages.shown_alert import explained, naming_for, shown
from cylinder_trace.web.pages.shown_care import badges, care_of, inhibitor, shown_care, shown_mails
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
    here, person, lang, now_ms = server(), current_user.person, language(), server().now_ms()
    scope = person.scope
    chosen = {name: request.args.get(name, "").replace("\0", "") for name in _FILTERS}
    if "status" not in request.args:
        chosen["status"] = "open"
    if chosen["severity"] not in _SEVERITIES:
        chosen["severity"] = ""
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    filters: dict[str, Any] = chosen | {"severity": _SEVERITIES.get(chosen["severity"])}
    queue = request.args.get("queue", "")
    which = alert_queues.in_queue(queue, person.username, now_ms)
    if which is None:
        queue = ""
    with here.database.reading() as connection:
        total, rows = alerts.listed(connection, scope, filters, PAGE, (page - 1) * PAGE, which)
        reference = here.cache.read(connection)
        names = handling.names(connection, {row["care"].get("assigned_to") for row in rows})
        is_office = scope.kind != "station"
        queues = alert_queues.counts(connection, scope, person.username, now_ms) if is_office else {}
    naming = naming_for(reference, scope)
    of_lang = 0 if lang == "zh" else 1
    return render_template(
        "alerts.html",
        alerts=[
            shown(row, naming, scope, lang)
            | {
                "cared": badges(row, reference, names, lang, now_ms),
                "may_acknowledge": is_office and row["status"] == "open" and care_of(row).is_waiting,
            }
            for row in rows
        ],
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        chosen=chosen,
        queue=queue,
        queues=queues,
        done=request.args.get("done", type=int),
        not_done=request.args.get("not_done", 0, type=int),
        site=naming.site(chosen["site_id"])[of_lang] if chosen["site_id"] else "",
        districts=[
            (one.adcode, (one.zh, one.en)[of_lang]) for one in reference.law.districts() if one.is_district
        ],
        rules=[(rule.name, rule.words.title[of_lang]) for rule in RULES.values()],
    )


@alert_pages.get("/alerts/<fingerprint>")
@login_required
def alert(fingerprint: str) -> str:
    """One alert: rule, fact, law, remedy, innocent cause, evidence, history, and how it is looked after."""
    return alert_page(fingerprint)


def alert_page(fingerprint: str, **said: Any) -> str:
    """The page of an alert; `said` is what it answers to something that was to be done: see handling.html."""
    here, person, lang = server(), current_user.person, language()
    scope = person.scope
    if "\0" in fingerprint:  # which PostgreSQL takes in no text
        abort(404)
    with here.database.reading() as connection:
        row = alerts.one(connection, scope, fingerprint)
        if row is None:
            abort(404)
        reference = here.cache.read(connection)
        naming = naming_for(reference, scope)
        # The finding's own order: the deciding event first, and what it stands against with it.
        ids = list(dict.fromkeys([*row["evidence"], *row["members"]]))
        reasons = [one["because"] for one in row["history"] if one["because"]]
        found = ledger.on_record(connection, [*ids[:PAGE], *reasons])
        handled = shown_care(connection, row, person, reference, lang, here.now_ms())
        mails = shown_mails(connection, row, naming, scope, lang)
        held_back_by = inhibitor(connection, row, lang)
    entries = {event_id: readable(entry, scope) for event_id, entry in found.items()}
    evidence = sorted(
        (entries[one] for one in ids[:PAGE] if one in entries), key=lambda entry: entry.occurred_ms
    )
    return render_template(
        "alert.html",
        alert=shown(row, naming, scope, lang) | explained(row, naming, lang),
        evidence=[event_row(entry, naming, lang) for entry in evidence],
        members=len(ids),
        history=[_transition(one, entries, naming, lang) for one in row["history"]],
        handled=handled,
        mails=mails,
        inhibitor=held_back_by,
        said={"word": "", "typed": {}, "since": []} | said,
    )


def _transition(one: dict[str, Any], entries: dict[str, Entry], naming: Naming, lang: str) -> dict[str, Any]:
    because = entries.get(one["because"] or "")
    return {
        "became": one["became"],
        "at": moment_of(one["at_ms"]),
        "because": event_row(because, naming, lang) if because else None,
    }
