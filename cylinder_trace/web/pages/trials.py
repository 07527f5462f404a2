"""Trying a rule before it is switched on: ask with other thresholds, watch it, and read what came out. For the city."""

from datetime import date
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import local_day
from cylinder_trace.law.tables import Law, LawError
from cylinder_trace.store import trials as rows
from cylinder_trace.store.trials import Busy
from cylinder_trace.trying import MOST_DAYS
from cylinder_trace.web.api.trials import MOST_LISTED, ask
from cylinder_trace.web.language import language
from cylinder_trace.web.pages.shown_alert import naming_for
from cylinder_trace.web.server import server

trial_pages = Blueprint("trial_pages", __name__)
_SET = "set."
_DEFAULT_DAYS = 30


@trial_pages.get("/trials")
@login_required
def trial_list() -> str:
    """The trials so far, and a form for another: first the rule, then its thresholds."""
    _for_the_city()
    return _form("")


@trial_pages.post("/trials")
@login_required
def try_rule() -> Response | tuple[str, int]:
    """Start a trial."""
    _for_the_city()
    rule = request.form.get("rule", "")
    if rule and rule not in RULES:
        abort(404)
    try:
        days = int(request.form.get("days", _DEFAULT_DAYS))
        if not 1 <= days <= MOST_DAYS:
            raise ValueError(f"1 – {MOST_DAYS}")
        changed = _changed(rule, server().cache)
        trial_id = ask([rule] if rule else [], changed, days, current_user.person.username)
    except Busy as error:
        return _form("trials.busy", running=error.trial_id), 409
    except (ValueError, LawError) as error:
        return _form("trials.wrong", said=str(error)), 400
    return redirect(url_for("trial_pages.trial", trial_id=trial_id))


@trial_pages.get("/trials/<trial_id>")
@login_required
def trial(trial_id: str) -> str:
    """How far a trial is, or what came out."""
    _for_the_city()
    here, lang = server(), language()
    with here.database.reading() as connection:
        row = rows.one(connection, trial_id.replace("\0", ""), here.now_ms())
        reference = here.cache.read(connection)
    if row is None:
        abort(404)
    naming, which = naming_for(reference, current_user.person.scope), 0 if lang == "zh" else 1
    found = (row.get("result") or {}).get("rules", {})
    return render_template(
        "trial.html",
        trial=_shown(row, reference.law, lang),
        result=row.get("result"),
        rules=[
            its
            | {
                "name": name,
                "title": _title(name, which),
                "overlap_by": [(_title(rule, which), n) for rule, n in its["overlap"]["by_rule"].items()],
                "sample": [
                    one
                    | {
                        "site_name": naming.site(one["site"])[which] if one.get("site") else "",
                        "about": naming.subject(one["subject"], {})[which] if "subject" in one else "",
                    }
                    for one in its["sample"]
                ],
            }
            for name, its in sorted(found.items(), key=lambda one: -one[1]["found"])
        ],
    )


@trial_pages.post("/trials/<trial_id>/stop")
@login_required
def stop(trial_id: str) -> Response:
    """Stop a trial; one that ended stays as it ended."""
    _for_the_city()
    here = server()
    with here.database.writing() as connection:
        rows.end(connection, trial_id.replace("\0", ""), "stopped", here.now_ms())
    return redirect(url_for("trial_pages.trial", trial_id=trial_id))


def _for_the_city() -> None:
    if current_user.person.role != "city":
        abort(404)


def _form(wrong: str, **facts: str) -> str:
    here, lang = server(), language()
    with here.database.reading() as connection:
        listed = rows.listed(connection, MOST_LISTED, here.now_ms())
        law = here.cache.read(connection).law
    which = 0 if lang == "zh" else 1
    chosen = request.values.get("rule", "")
    return render_template(
        "trials.html",
        wrong=wrong,
        facts=facts,
        chosen=chosen if chosen in RULES else "",
        rules=[(rule.name, rule.words.title[which]) for rule in RULES.values()],
        thresholds=_thresholds(law, chosen, lang) if chosen in RULES else [],
        days=request.values.get("days", _DEFAULT_DAYS),
        most_days=MOST_DAYS,
        trials=[_shown(row, law, lang) for row in listed],
    )


def _thresholds(law: Law, rule: str, lang: str) -> list[dict[str, Any]]:
    today = date.fromordinal(local_day(server().now_ms()))
    found = []
    for key in law.number_keys():
        if key.split(".")[0] == rule:
            row = law.threshold(key, today)
            name = row.text("zh" if lang == "zh" else "en")
            found.append({"key": key, "name": name, "unit": row.unit, "value": f"{row.amount:g}"})
    return found


def _changed(rule: str, cache: Any) -> dict[str, float]:
    """The thresholds that were given another value than they have. Raises ValueError."""
    with server().database.reading() as connection:
        law = cache.read(connection).law
    now = {one["key"]: one["value"] for one in _thresholds(law, rule, "en")} if rule else {}
    given = {key: request.form.get(f"{_SET}{key}", value).strip() for key, value in now.items()}
    changed = {key: float(text) for key, text in given.items() if text != now[key]}
    for key, number in changed.items():
        if not 0 <= number <= 1e9:
            raise ValueError(f"{key}: {number}")
    return changed


def _title(name: str, which: int) -> str:
    return RULES[name].words.title[which] if name in RULES else name


def _shown(row: dict[str, Any], law: Law, lang: str) -> dict[str, Any]:
    which = 0 if lang == "zh" else 1
    rules = row["asked"]["rules"]
    names = []
    for key, value in row["asked"]["thresholds"].items():
        threshold = law.threshold(key, date.fromordinal(local_day(row["started_ms"])))
        names.append(f"{threshold.text('zh' if lang == 'zh' else 'en')} {value:g} {threshold.unit}")
    return row | {
        "every": len(rules) == len(RULES),
        "titles": [_title(name, which) for name in rules],
        "changed": names,
        "started": moment_of(row["started_ms"]),
        "days": row["asked"]["days"],
        "per_cent": min(100, round(100 * row["done"] / row["total"])) if row["total"] else 0,
    }
