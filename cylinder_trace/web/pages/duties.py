"""The records a station owes: what waits for a signature, what was signed, and which stations lack some."""

from datetime import date
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from flask_login import current_user, login_required
from werkzeug.wrappers import Response

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.judging.handling.duties import (
    COUNTED,
    KINDS,
    MOST_ALERTS,
    Since,
    last_day_of,
    sha256_of,
    since_signed,
    text_of,
)
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.mail.former import rule_of
from cylinder_trace.store import duties
from cylinder_trace.store.duties import NotSigned, Record
from cylinder_trace.store.people import Person
from cylinder_trace.web.language import language
from cylinder_trace.web.pages.shown_alert import naming_for
from cylinder_trace.web.server import server
from cylinder_trace.web.wording import say

duty_pages = Blueprint("duty_pages", __name__)
PAGE = 50
LAST_PAGE = 1_000_000


def reader() -> Person:
    """Who is signed in, where they have to do with duties: everybody but operators."""
    person: Person = current_user.person
    if person.role == "operator":
        abort(404)
    return person


def page_asked() -> int:
    """The number of the page that is asked for, from 1 on."""
    return min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)


def unconfirmed(reference: Reference, *keys: str) -> str:
    """What is said beside numbers of the law tables of which one is not confirmed; empty where all are."""
    today = date.fromordinal(local_day(server().now_ms()))
    if all(reference.law.threshold(key, today).confirmed for key in keys):
        return ""
    said = say("unconfirmed", language())
    return said if said.startswith("（") else f" {said.strip()}"


@duty_pages.get("/duties")
@login_required
def record_list() -> str:
    """What waits for a signature, and what was signed; for regulators also which stations lack records."""
    here, scope, lang, page = server(), reader().scope, language(), page_asked()
    now_ms = here.now_ms()
    state = "signed" if request.args.get("state") == "signed" else "open"
    site = request.args.get("site", "").replace("\0", "")
    # A regulator asks for what is late; a station for all that it may sign.
    is_late = scope.kind != "station" and state == "open"
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        total, rows = duties.listed(
            connection, scope, state, PAGE, (page - 1) * PAGE, site or None, now_ms if is_late else None
        )
        lacking = [] if scope.kind == "station" else duties.lacking(connection, scope, now_ms)
    which = 0 if lang == "zh" else 1
    names = naming_for(reference, scope)
    return render_template(
        "duties.html",
        records=[_listed(row, names.site(row.site_id)[which], now_ms, which) for row in rows],
        lacking=[
            {
                "site_id": one,
                "name": names.site(one)[which],
                "number": number,
                "oldest": moment_of(due - 1),
            }
            for one, number, due in lacking
        ],
        unconfirmed=unconfirmed(reference, *(f"duty_record.{kind}_sign_within_days" for kind in KINDS)),
        state=state,
        site=site,
        site_name=names.site(site)[which] if site else "",
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
    )


@duty_pages.get("/duties/records/<site>/<kind>/<first>")
@login_required
def record(site: str, kind: str, first: str) -> str:
    """One record: its draft, or what was signed with what came after."""
    return _record_page(site, kind, first, "")


@duty_pages.post("/duties/records/<site>/<kind>/<first>")
@login_required
def sign(site: str, kind: str, first: str) -> Response | tuple[str, int]:
    """Sign the draft that was read."""
    here, person = server(), reader()
    try:
        with here.database.writing() as connection:
            found = duties.one(connection, person.scope, *_key(site, kind, first))
            if found is None:
                abort(404)
            duties.sign(
                connection,
                person,
                found,
                request.form.get("sha256", ""),
                request.form.get("remark", "").replace("\0", ""),
                here.cache.read(connection),
                here.now_ms(),
                seen_version=request.form.get("version", -1, type=int),
            )
    except NotSigned as error:
        return _record_page(site, kind, first, error.word), 409
    return redirect(request.path, 303)


def _key(site: str, kind: str, first: str) -> tuple[str, str, int]:
    try:
        day = date.fromisoformat(first).toordinal()
    except ValueError:
        abort(404)
    if kind not in KINDS or "\0" in site:
        abort(404)
    return site, kind, day


def _record_page(site: str, kind: str, first: str, problem: str) -> str:
    here, person, lang = server(), reader(), language()
    key = _key(site, kind, first)
    with here.database.reading() as connection:
        found = duties.one(connection, person.scope, *key)
        if found is None:
            abort(404)
        reference = here.cache.read(connection)
        said = duties.drafted(connection, *key, reference)
        is_judged = duties.is_judged(connection, *key)
    signed, which = found.signed, 0 if lang == "zh" else 1
    names = naming_for(reference, person.scope)
    since = since_signed(signed["record"], said) if signed else []
    return render_template(
        "duty_record.html",
        record=_listed(found, names.site(site)[which], here.now_ms(), which),
        said=told(signed["record"] if signed else said, which),
        signed=signed["signed"] | {"remark": signed["remark"], "at": moment_of(found.signed_ms or 0)}
        if signed
        else None,
        since=[_since(one, lang) for one in since],
        sha256=found.sha256 or sha256_of(text_of(said)),
        version=found.version,
        may_sign=signed is None and person.role == "manager",
        remark=request.form.get("remark", ""),
        problem=problem,
        is_judged=is_judged,
        most_alerts=MOST_ALERTS,
    )


def _listed(row: Record, site: str, now_ms: int, which: int) -> dict[str, Any]:
    """A record as lists show it."""
    kind, last = KINDS[row.kind], last_day_of(row.kind, row.first_day)
    first, last_text = (date.fromordinal(day).isoformat() for day in (row.first_day, last))
    return {
        "link": f"/duties/records/{row.site_id}/{row.kind}/{first}",
        "site": site,
        "kind": kind.name[which],
        "signer": kind.signer[which],
        "period": first if first == last_text else f"{first} – {last_text}",
        "due": moment_of(row.due_ms - 1),
        "state": "signed" if row.state == "signed" else "overdue" if row.due_ms <= now_ms else "open",
        "reminded": row.reminded,
        "by": row.signed["signed"]["name"] if row.signed else "",
        "signed_at": moment_of(row.signed_ms) if row.signed_ms else None,
        "zero_risk": row.signed["record"]["zero_risk"] if row.signed else None,
    }


def told(said: dict[str, Any], which: int) -> dict[str, Any]:
    """A record's JSON with words for what it counts and names."""
    lang = ("zh", "en")[which]
    papers = (
        [(say("duties.licence_until", lang, **said["licence"]), said["licence"])] if said["licence"] else []
    )
    papers += [
        (say("duties.certificate_until", lang, who=one["person_id"], until=one["until"]), one)
        for one in said["certificates"]
    ]
    return said | {
        "numbers": [
            (name[which], said["numbers"][key]) for key, name in COUNTED.items() if key in said["numbers"]
        ],
        "alerts": [one | {"title": rule_of(one["rule"], one).words.title[which]} for one in said["alerts"]],
        "more_alerts": sum(said["alerts_by_status"].values()) > len(said["alerts"]),
        "papers": [(line, one["until"] < said["last"]) for line, one in papers],
        "missing": [
            say("duties.missing_of", lang, device=device, n=number)
            for device, number in said["missing_numbers"].items()
        ],
        "unsigned": [
            f"{date.fromordinal(int(day)).isoformat()} {KINDS[kind].name[which]}"
            for kind, day in (one.split(":") for one in said["unsigned"])
        ],
    }


def _since(one: Since, lang: str) -> str:
    which = 0 if lang == "zh" else 1
    if one.what == "number":
        return say("duties.was_now", lang, name=COUNTED[one.name][which], was=one.was, now=one.now)
    if one.what == "missing":
        name = f"{say('duties.missing', lang)} {one.name}"
        return say("duties.was_now", lang, name=name, was=one.was, now=one.now)
    title = rule_of(one.name, {"severity": 3}).words.title[which]
    if not one.was:
        return f"{title}: {say('duties.alert_came', lang)}"
    if not one.now:
        return f"{title}: {say('duties.alert_gone', lang)}"
    was, now = (say(f"status.{status}", lang) for status in (one.was, one.now))
    return say("duties.was_now", lang, name=title, was=was, now=now)
