"""One cylinder's whole life on one screen: what it is, its alerts, its pictures, and every event with all it says."""

from collections import defaultdict
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_login import current_user, login_required

from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.fields import moment_of
from cylinder_trace.law.naming import Naming
from cylinder_trace.store import codes, cylinders
from cylinder_trace.store.alerts import Scope
from cylinder_trace.stories import as_it_stands
from cylinder_trace.web.language import language
from cylinder_trace.web.lives import Life, day_text, life_is_confirmed, life_of
from cylinder_trace.web.pages.event_rows import event_row
from cylinder_trace.web.pages.home import what_is_open
from cylinder_trace.web.pages.life_pictures import inspection_picture, timeline_picture, trail_picture
from cylinder_trace.web.pages.public import standing
from cylinder_trace.web.pages.shown_alert import naming_for, shown
from cylinder_trace.web.server import server

life_pages = Blueprint("life_pages", __name__)
LEGS_DRAWN = 12
"""Legs of the trail that are drawn unless all are asked for: about two months of a household's bottle."""


@life_pages.get("/cylinders/<path:code>")
@login_required
def cylinder(code: str) -> str | tuple[str, int]:
    """One cylinder's life, as far as the reader may know it; `?legs=all` draws every leg, `?events=open` opens every event."""
    try:
        canonical = parse_code(code).text
    except NotACylinderCode:
        return render_template("home.html", asked=code, not_a_code=True, **what_is_open()), 404
    here, scope, lang = server(), current_user.person.scope, language()
    with here.database.reading() as connection:
        cylinder_id = codes.root_of(connection, canonical)
        reference = here.cache.read(connection)
        state = as_it_stands(connection, cylinder_id, reference, here.now_ms())
        if state is None or not cylinders.may_see(connection, scope, cylinder_id):
            abort(404)
        life = life_of(connection, state, reference, scope)
    naming = naming_for(life.reference, scope)
    now_ms, which = here.now_ms(), 0 if lang == "zh" else 1
    every_leg = request.args.get("legs") == "all"
    return render_template(
        "cylinder.html",
        code=canonical,
        codes=life.codes,
        verdict=standing(state, now_ms),
        status=state.status,
        owner=naming.owner(state.owner)[which] if state.owner else None,
        own_site_only=life.own_site is not None,
        place=naming.site(life.state.loc)[which] if life.state.loc else None,
        cylinder_class=naming.law.cylinder_class(state.cylinder_class)[which]
        if state.cylinder_class
        else None,
        medium=naming.medium(state.medium)[which] if state.medium else None,
        model=state.model,
        manufactured=state.manufactured,
        valid_until=day_text(state.valid_until_day),
        life_end=day_text(state.life_end_day),
        life_confirmed=life_is_confirmed(state, life.reference, now_ms),
        alerts=[shown(row, naming, scope, lang) for row in life.alerts],
        inspection_bar=inspection_picture(life, now_ms, lang),
        timeline=timeline_picture(life, naming, now_ms, lang),
        trail=trail_picture(life, naming, lang, None if every_leg else LEGS_DRAWN),
        legs=_legs(life, naming, lang),
        all_legs=every_leg,
        legs_drawn=len(life.legs) if every_leg else min(LEGS_DRAWN, len(life.legs)),
        events=_events(life, naming, scope, lang),
        all_open=request.args.get("events") == "open",
    )


def _events(life: Life, naming: Naming, scope: Scope, lang: str) -> list[dict[str, Any]]:
    """Every event, the newest first; corrections and what they correct point at each other."""
    corrected_by: dict[str, list[str]] = defaultdict(list)
    shown_by: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in life.entries:
        if corrects := entry.message.get("corrects"):
            corrected_by[corrects].append(entry.event_id)
    for row in life.alerts:
        for event_id in row["evidence"]:
            shown_by[event_id].append(shown(row, naming, scope, lang))
    known = {entry.event_id for entry in life.entries}
    return [
        event_row(entry, naming, lang)
        | {
            "voided": entry.event_id in life.void,
            "corrected_by": corrected_by[entry.event_id],
            "alerts": shown_by[entry.event_id],
            "known": known,
        }
        for entry in reversed(life.entries)
    ]


def _legs(life: Life, naming: Naming, lang: str) -> list[dict[str, Any]]:
    which = 0 if lang == "zh" else 1
    known = {entry.event_id for entry in life.entries}
    return [
        {
            "no": number,
            "from_site": naming.site(leg.from_site)[which],
            "to_site": naming.site(leg.to_site)[which],
            "departed": moment_of(leg.departed_ms) if leg.departed_ms is not None else None,
            "arrived": moment_of(leg.arrived_ms) if leg.arrived_ms is not None else None,
            # Without the other site's event there is nothing to point at.
            "depart_event": leg.depart_event if leg.depart_event in known else None,
            "arrive_event": leg.arrive_event if leg.arrive_event in known else None,
            "marks": [
                word
                for word, holds in (("decanted", leg.decanted), ("outside", leg.outside), ("gap", leg.gap))
                if holds
            ],
        }
        for number, leg in reversed(list(enumerate(life.legs, start=1)))
    ]
