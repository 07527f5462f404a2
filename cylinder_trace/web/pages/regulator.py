"""The regulator's pages: search, one cylinder's whole life, the alerts of the district."""

from datetime import date
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask_login import current_user, login_required, login_user, logout_user
from werkzeug.wrappers import Response

from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES
from cylinder_trace.judging.scan import local_day
from cylinder_trace.law.tables import LawError
from cylinder_trace.store import alerts, cylinders, ledger, people
from cylinder_trace.store.ledger import Entry
from cylinder_trace.web.drawings.inspection_bar import Period, inspection_bar
from cylinder_trace.web.drawings.timeline import TimelineEvent, timeline
from cylinder_trace.web.drawings.trail import TrailLeg, trail
from cylinder_trace.web.lives import Life, life_of
from cylinder_trace.web.pages.public import standing
from cylinder_trace.web.server import server
from cylinder_trace.web.sign_in import Visitor
from cylinder_trace.web.wording import say

regulator_pages = Blueprint("regulator_pages", __name__)
PAGE = 50
_LATE_MS = 2 * 3_600_000


@regulator_pages.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> str | Response | tuple[str, int]:
    """Name and password; on success on to the page that was asked for."""
    if request.method == "GET":
        return render_template("sign_in.html", failed=False, username="")
    username = request.form.get("username", "")
    with server().database.reading() as connection:
        person = people.signed_in(connection, username, request.form.get("password", ""))
    if person is None:
        return render_template("sign_in.html", failed=True, username=username), 401
    lang = session.get("lang", "zh")
    session.clear()
    session["lang"] = lang
    login_user(Visitor(person))
    goal = request.args.get("next", "")
    own = goal.startswith("/") and not goal.startswith(("//", "/\\"))
    home = "operator_pages.scan" if person.role == "operator" else "regulator_pages.home"
    return redirect(goal if own else url_for(home))


@regulator_pages.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    logout_user()
    return redirect(url_for("regulator_pages.sign_in"))


@regulator_pages.get("/")
@login_required
def home() -> str | Response:
    """Search for a code, and the numbers of the day."""
    asked = request.args.get("code", "").strip()
    if asked:
        try:
            return redirect(url_for("regulator_pages.cylinder", code=parse_code(asked).text))
        except NotACylinderCode:
            return render_template("home.html", asked=asked, not_a_code=True, **_numbers())
    return render_template("home.html", asked="", not_a_code=False, **_numbers())


@regulator_pages.get("/cylinders/<path:code>")
@login_required
def cylinder(code: str) -> str | tuple[str, int]:
    """One cylinder's whole life on one screen."""
    try:
        canonical = parse_code(code).text
    except NotACylinderCode:
        return render_template("home.html", asked=code, not_a_code=True, **_numbers()), 404
    here = server()
    with here.database.reading() as connection:
        cylinder_id = cylinders.root_of(connection, canonical)
        state = cylinders.read(connection, cylinder_id)
        if state is None or not cylinders.may_see(connection, current_user.person.scope, cylinder_id):
            abort(404)
        life = life_of(connection, state, here.cache.read(connection))
    lang = session.get("lang", "zh")
    now_ms = here.now_ms()
    return render_template(
        "cylinder.html",
        life=life,
        code=canonical,
        verdict=standing(state, now_ms),
        owner=_owner_name(life),
        place=site_name(life.reference, state.loc),
        cylinder_class=_named(life.reference.law.cylinder_class(state.cylinder_class), lang)
        if state.cylinder_class
        else None,
        medium=_named(life.reference.law.medium(state.medium), lang) if state.medium else None,
        summary=life.summary(),
        inspection_bar=_inspection_bar(life, now_ms, lang),
        timeline=_timeline(life, lang),
        trail=_trail(life, lang),
        alerts=[shown(row, life.reference, lang) for row in life.alerts],
        events=[_event_row(life, entry, lang) for entry in reversed(life.entries)],
    )


@regulator_pages.get("/alerts")
@login_required
def alert_list() -> str:
    """The alerts of the reader's scope, filtered."""
    here, lang = server(), session.get("lang", "zh")
    chosen = {name: request.args.get(name, "") for name in ("district", "rule", "severity", "status")}
    if "status" not in request.args:
        chosen["status"] = "open"
    page = max(1, request.args.get("page", 1, type=int))
    filters: dict[str, Any] = dict(chosen)
    filters["severity"] = request.args.get("severity", None, type=int)
    with here.database.reading() as connection:
        total, rows = alerts.listed(connection, current_user.person.scope, filters, PAGE, (page - 1) * PAGE)
        reference = here.cache.read(connection)
    districts = [
        (one.adcode, one.zh if lang == "zh" else one.en)
        for one in reference.law.districts()
        if one.is_district
    ]
    rules = [(rule.name, _named(rule.words.title, lang)) for rule in RULES.values()]
    return render_template(
        "alerts.html",
        alerts=[shown(row, reference, lang) for row in rows],
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        chosen=chosen,
        districts=districts,
        rules=rules,
    )


@regulator_pages.get("/alerts/<fingerprint>")
@login_required
def alert(fingerprint: str) -> str:
    """One alert: rule, fact, law, remedy, innocent cause, evidence and history."""
    here, lang = server(), session.get("lang", "zh")
    with here.database.reading() as connection:
        row = alerts.one(connection, current_user.person.scope, fingerprint)
        if row is None:
            abort(404)
        reference = here.cache.read(connection)
        entries = ledger.on_record(connection, row["members"][:PAGE])
    history = [one | {"at": moment_of(one["at_ms"])} for one in row["history"]]
    evidence = [
        {
            "event_id": entry.event_id,
            "code": entry.code,
            "kind": say(f"kind.{entry.kind}", lang),
            "site": site_name(reference, entry.site_id),
            "occurred_at": moment_of(entry.occurred_ms),
            "received_at": moment_of(entry.received_ms),
        }
        for entry in sorted(entries.values(), key=lambda one: one.occurred_ms)
    ]
    return render_template(
        "alert.html",
        alert=shown(row, reference, lang),
        evidence=evidence,
        members=len(row["members"]),
        history=history,
    )


def shown(row: dict[str, Any], reference: Any, lang: str) -> dict[str, Any]:
    """An alert with its rule's words in the reader's language."""
    rule = RULES[row["rule"]]
    words = rule.words
    which = 0 if lang == "zh" else 1
    return row | {
        "title": words.title[which],
        "fact": words.fact[which].format_map(row["facts"]),
        "remedy": words.remedy[which],
        "innocent": words.innocent[which],
        "settles": words.settles[which],
        "laws": [_law(reference, one, which) for one in rule.laws],
        "site": site_name(reference, row["site_id"]),
        "district_name": _district(reference, row["district"], which),
        "at": moment_of(row["at_ms"]),
        "opened": moment_of(row["opened_ms"]),
        "changed": moment_of(row["changed_ms"]),
    }


def site_name(reference: Reference, site_id: str | None) -> str:
    """A site's name; its id where it is not in the register."""
    return reference.site_name(site_id) or "—"


def _numbers() -> dict[str, Any]:
    with server().database.reading() as connection:
        return {
            "events": ledger.counts(connection)["events"],
            "cylinders": cylinders.count(connection),
            "open_alerts": sum(alerts.open_count(connection).values()),
        }


def _named(pair: tuple[str, str], lang: str) -> str:
    return pair[0] if lang == "zh" else pair[1]


def _law(reference: Any, law_id: str, which: int) -> dict[str, str]:
    try:
        basis = reference.law.basis(law_id)
    except LawError:
        return {"title": law_id, "text": ""}
    if which == 0:
        return {"title": f"{basis.title_zh}第{basis.article}条", "text": basis.text_zh}
    return {"title": f"{basis.title_en}, art. {basis.article}", "text": basis.text_en}


def _district(reference: Any, adcode: str | None, which: int) -> str:
    if adcode is None:
        return "—"
    try:
        district = reference.law.district(adcode)
    except LawError:
        return adcode
    return str(district.zh if which == 0 else district.en)


def _owner_name(life: Life) -> str:
    owner = life.reference.owners.get(life.state.owner) if life.state.owner else None
    return owner.name if owner else life.state.owner or "—"


def _event_row(life: Life, entry: Entry, lang: str) -> dict[str, Any]:
    return {
        "kind": say(f"kind.{entry.kind}", lang),
        "site": site_name(life.reference, entry.site_id),
        "occurred_at": moment_of(entry.occurred_ms),
        "received_at": moment_of(entry.received_ms),
        "late": _is_late(entry),
        "voided": entry.event_id in life.void,
        "leaf_hash": entry.leaf_hash.hex(),
        "event_id": entry.event_id,
    }


def _is_late(entry: Entry) -> bool:
    return entry.received_ms - entry.occurred_ms > _LATE_MS and entry.device_id is not None


def _alarming(life: Life) -> set[str]:
    return {event_id for row in life.alerts if row["status"] == "open" for event_id in row["evidence"]}


def _timeline(life: Life, lang: str) -> Any:
    alarming = _alarming(life)
    events = [
        TimelineEvent(
            at=moment_of(entry.occurred_ms),
            kind=entry.kind,
            label=say(f"kind.{entry.kind}", lang),
            site=site_name(life.reference, entry.site_id),
            alert=entry.event_id in alarming,
            late=_is_late(entry),
            voided=entry.event_id in life.void,
        )
        for entry in life.entries
        # A registration of years ago would press the days that matter into a corner.
        if entry.kind != "register"
    ]
    if not events:
        return ""
    return timeline(events, events[0].at, events[-1].at, lang)


def _inspection_bar(life: Life, now_ms: int, lang: str) -> Any:
    today = local_day(now_ms)
    starts: list[tuple[int, int]] = []
    for entry in life.entries:
        message = entry.message
        until = message.get("valid_until") or message.get("cylinder", {}).get("valid_until")
        if until and entry.event_id not in life.void and entry.kind in {"register", "update", "inspect"}:
            starts.append((local_day(entry.occurred_ms), date.fromisoformat(until).toordinal()))
    periods = []
    for number, (start, until) in enumerate(starts):
        following = starts[number + 1][0] if number + 1 < len(starts) else max(today, until)
        periods.append(
            Period(date.fromordinal(start), date.fromordinal(max(start, min(until, following))), "valid")
        )
        if following > until:
            periods.append(Period(date.fromordinal(until + 1), date.fromordinal(following), "overdue"))
    fills = [date.fromordinal(local_day(entry.occurred_ms)) for entry in life.entries if entry.kind == "fill"]
    end = life.state.life_end_day
    return (
        inspection_bar(periods, date.fromordinal(end) if end else None, fills, date.fromordinal(today), lang)
        if periods
        else ""
    )


def _trail(life: Life, lang: str) -> Any:
    alarming = _alarming(life)
    sites = life.reference.sites

    def type_of(site: str) -> str:
        return sites[site].type if site in sites else "unknown"

    legs = [
        TrailLeg(
            from_site=leg.from_site,
            from_name=site_name(life.reference, leg.from_site),
            to_site=leg.to_site,
            to_name=site_name(life.reference, leg.to_site),
            from_type=type_of(leg.from_site),
            to_type=type_of(leg.to_site),
            departed=moment_of(leg.departed_ms) if leg.departed_ms is not None else None,
            arrived=moment_of(leg.arrived_ms) if leg.arrived_ms is not None else None,
            gap=leg.gap,
            alert=leg.arrive_event in alarming or leg.decanted or leg.outside,
        )
        for leg in life.legs
    ]
    return trail(legs, lang) if legs else ""
