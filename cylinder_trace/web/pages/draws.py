"""Stations by risk, and draws of stations and inspectors: planned, drawn once, published, and the visits that follow."""

import secrets
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from werkzeug.wrappers import Response as Redirect

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.handling.draw import Ballot, Candidate, Exclusion, UnusableBallot, seed_of
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import day_start_ms, local_day
from cylinder_trace.store import draws, ledger
from cylinder_trace.store import risk as risk_rows
from cylinder_trace.store.alerts import Scope
from cylinder_trace.store.draws import OUTCOMES, DrawnAlready
from cylinder_trace.web.language import language
from cylinder_trace.web.lives import readable
from cylinder_trace.web.pages.event_rows import event_row
from cylinder_trace.web.pages.shown_alert import naming_for
from cylinder_trace.web.server import server
from cylinder_trace.web.shown_risk import points_of, risks
from cylinder_trace.web.wording import say

draw_pages = Blueprint("draw_pages", __name__)
_MOST_LISTED = 30
_LONGEST_PURPOSE, _LONGEST_VALUE, _LONGEST_NOTE = 200, 300, 1000


@draw_pages.get("/draws")
@login_required
def draw_list() -> str:
    """Stations by risk, the draws so far, and a form for another."""
    return _form("")


@draw_pages.post("/draws")
@login_required
def make_plan() -> Redirect | tuple[str, int]:
    """Fix what is drawn from; without a value to wait for it is drawn at once."""
    scope, district = _scope(), _district()
    if not district:
        abort(404)
    here, asked = server(), request.form
    now_ms, username = here.now_ms(), current_user.person.username
    seed_from = asked.get("seed_from", "").replace("\0", "").strip()[:_LONGEST_VALUE] or None
    with here.database.writing() as connection:
        reference = here.cache.read(connection)
        known = draws.inspectors(connection, district)
        stations = risks(connection, scope, reference, now_ms, district)
        try:
            ballot = Ballot(
                district=district,
                purpose=asked.get("purpose", "").replace("\0", "").strip()[:_LONGEST_PURPOSE],
                number=_whole("number"),
                inspectors_each=_whole("inspectors_each"),
                stations=tuple(
                    Candidate(
                        site, its.weight, its.always, tuple((one.what, one.points) for one in its.points)
                    )
                    for site, (_, its) in stations.items()
                ),
                inspectors=tuple(known),
                exclusions=_exclusions(set(known), set(stations)),
            )
        except UnusableBallot as error:
            return _form("draws.wrong", said=str(error)), 400
        plan_id = draws.plan(connection, ballot, seed_from, username, now_ms)
        if seed_from is None:
            draws.carry_out(connection, plan_id, secrets.token_hex(32), None, username, now_ms)
    return redirect(url_for("draw_pages.draw", plan_id=plan_id))


@draw_pages.get("/draws/<plan_id>")
@login_required
def draw(plan_id: str) -> str:
    """A draw: what it was drawn from, what came, and the visits."""
    return _page(plan_id, "")


@draw_pages.get("/draws/<plan_id>.json")
@login_required
def draw_file(plan_id: str) -> Response:
    """The draw as it is published, for `cylinder-trace draw`."""
    answer = jsonify(draws.published(_row(plan_id)))
    answer.headers["Content-Disposition"] = f"attachment; filename=draw-{plan_id[:8]}.json"
    return answer


@draw_pages.post("/draws/<plan_id>")
@login_required
def carry_out(plan_id: str) -> Redirect | tuple[str, int]:
    """Draw what was planned, with the value that is out now."""
    row = _row(plan_id)
    value = request.form.get("public_value", "").replace("\0", "").strip()
    if not value or len(value) > _LONGEST_VALUE or row["seed_from"] is None:
        return _page(plan_id, "draws.wrong", said=say("draws.public_value", language())), 400
    here = server()
    try:
        with here.database.writing() as connection:
            username = current_user.person.username
            draws.carry_out(connection, plan_id, seed_of(value), value, username, here.now_ms())
    except DrawnAlready:
        return _page(plan_id, "draws.drawn_already"), 409
    return redirect(url_for("draw_pages.draw", plan_id=plan_id))


@draw_pages.post("/draws/<plan_id>/visits")
@login_required
def note_visit(plan_id: str) -> Redirect | tuple[str, int]:
    """A drawn station was visited."""
    row, here, asked = _row(plan_id), server(), request.form
    site, outcome = asked.get("station", ""), asked.get("outcome", "")
    if site not in {one["station"] for one in row["result"] or ()}:
        abort(404)
    try:
        day = date.fromisoformat(asked.get("day", "")).toordinal()
    except ValueError:
        day = 0
    if outcome not in OUTCOMES or not local_day(row["planned_ms"]) <= day <= local_day(here.now_ms()):
        return _page(plan_id, "draws.visit_wrong"), 400
    note = asked.get("note", "").replace("\0", "").strip()[:_LONGEST_NOTE]
    # Of a visit on the day of the plan itself the moment is not before the plan.
    at_ms = max(day_start_ms(day), row["planned_ms"])
    with here.database.writing() as connection:
        username = current_user.person.username
        draws.note_visit(connection, site, plan_id, at_ms, outcome, note, username, here.now_ms())
    return redirect(url_for("draw_pages.draw", plan_id=plan_id))


@draw_pages.get("/risk/<site>")
@login_required
def station_risk(site: str) -> str:
    """A station's points, and the records they are of."""
    here, scope, lang = server(), _scope(), language()
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        if site not in risk_rows.stations_of(reference, scope):
            abort(404)
        now_ms = here.now_ms()
        facts, its = risks(connection, scope, reference, now_ms, reference.sites[site].district)[site]
        fills = risk_rows.unlawful_fills(connection, site, reference, now_ms)
        visits = risk_rows.visits(connection, site)
        licence = [facts.declared_licence] if facts.declared_licence else []
        found = ledger.on_record(connection, licence)
    naming = naming_for(reference, scope)
    return render_template(
        "risk.html",
        site=site,
        name=naming.site(site)[0 if lang == "zh" else 1],
        weight=its.weight,
        always=its.always,
        points=points_of(site, its),
        fills=[
            one
            | {
                "at": moment_of(one["occurred_ms"]),
                "title": RULES[one["rule"]].words.title[0 if lang == "zh" else 1],
            }
            for one in fills
        ],
        cases=sorted(set(facts.late_cases)),
        licence=[event_row(readable(one, scope), naming, lang) for one in found.values()],
        visits=[one | {"at": moment_of(one["at_ms"])} for one in visits],
    )


def _scope() -> Scope:
    scope: Scope = current_user.person.scope
    if scope.kind == "station":
        abort(404)
    return scope


def _district() -> str:
    """The district a draw is for: an officer's own, the city's choice."""
    scope = _scope()
    if scope.kind == "district":
        return scope.id
    asked: str = request.values.get("district", "").replace("\0", "")
    return asked


def _row(plan_id: str) -> dict[str, Any]:
    scope = _scope()
    with server().database.reading() as connection:
        row = draws.one(connection, scope, plan_id.replace("\0", ""))
    if row is None:
        abort(404)
    return row


def _whole(name: str) -> int:
    try:
        return int(request.form.get(name, ""))
    except ValueError:
        raise UnusableBallot(f"{name}: 1, 2, 3 …") from None


def _exclusions(inspectors: set[str], stations: set[str]) -> tuple[Exclusion, ...]:
    found = []
    for line in request.form.get("exclusions", "").splitlines():
        words = line.replace(",", " ").replace("，", " ").split()
        if not words:
            continue
        if len(words) != 2 or words[0] not in inspectors or words[1] not in stations:
            raise UnusableBallot(say("draws.no_such_exclusion", language(), line=line.strip()[:80]))
        found.append(Exclusion(words[0], words[1]))
    return tuple(dict.fromkeys(found))


def _form(wrong: str, **facts: str) -> str:
    here, scope, lang = server(), _scope(), language()
    which, district = 0 if lang == "zh" else 1, _district()
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        found = risks(connection, scope, reference, here.now_ms(), district)
        listed = draws.listed(connection, scope, _MOST_LISTED)
        known = draws.inspectors(connection, district) if district else {}
    naming = naming_for(reference, scope)
    return render_template(
        "draws.html",
        wrong=wrong,
        facts=facts,
        asked=request.form,
        district=district,
        districts=sorted(
            {
                (code := reference.sites[one].district, naming.district(code)[which])
                for one in reference.stations
            }
        ),
        inspectors=known,
        stations=[
            {
                "site": site,
                "name": naming.site(site)[which],
                "district": naming.district(reference.sites[site].district)[which],
                "weight": its.weight,
                "always": its.always,
                "points": points_of(site, its),
            }
            for site, (_, its) in found.items()
        ],
        draws=[
            one | {"at": moment_of(one["planned_ms"]), "district": naming.district(one["district"])[which]}
            for one in listed
        ],
    )


def _page(plan_id: str, wrong: str, **facts: str) -> str:
    here, lang, row = server(), language(), _row(plan_id)
    which = 0 if lang == "zh" else 1
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        names = draws.inspectors(connection, row["district"])
    naming = naming_for(reference, _scope())
    visited: dict[str, list[dict[str, Any]]] = {}
    for visit in row["visits"]:
        visited.setdefault(visit["site_id"], []).append(visit | {"at": moment_of(visit["at_ms"])})

    def named(station: str) -> dict[str, Any]:
        return {"site": station, "name": naming.site(station)[which], "visits": visited.get(station, [])}

    return render_template(
        "draw.html",
        wrong=wrong,
        facts=facts,
        draw=row,
        district=naming.district(row["district"])[which],
        planned=moment_of(row["planned_ms"]),
        drawn=moment_of(row["drawn_ms"]) if row["drawn_ms"] else None,
        today=date.fromordinal(local_day(here.now_ms())),
        outcomes=OUTCOMES,
        result=[
            one | named(one["station"]) | {"people": [names.get(who, who) for who in one["inspectors"]]}
            for one in row["result"] or ()
        ],
        candidates=[one | named(one["id"]) for one in row["ballot"]["stations"]],
        inspectors=[(who, names.get(who, who)) for who in row["ballot"]["inspectors"]],
        exclusions=[(one["inspector"], one["station"]) for one in row["ballot"]["exclusions"]],
    )
