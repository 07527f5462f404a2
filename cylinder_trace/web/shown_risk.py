"""The risk of stations as pages and the API show it: each point with the place where its records are."""

from datetime import date
from typing import Any

from sqlalchemy import Connection

from cylinder_trace.judging.handling.risk import Facts, Risk, risk
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import local_day
from cylinder_trace.store import risk as rows
from cylinder_trace.store.alerts import Scope


def risks(
    connection: Connection, scope: Scope, reference: Reference, now_ms: int, district: str = ""
) -> dict[str, tuple[Facts, Risk]]:
    """By station of a scope, its facts and its points; those with the most first."""
    stations = rows.stations_of(reference, scope, district)
    today = date.fromordinal(local_day(now_ms))
    found = {
        site: (facts, risk(facts, lambda key: reference.law.number(key, today)))
        for site, facts in rows.facts_of(connection, stations, reference, now_ms).items()
    }
    return dict(sorted(found.items(), key=lambda one: (not one[1][1].always, -one[1][1].weight, one[0])))


def link_of(what: str, site: str) -> str:
    """Where the records are that a point is of."""
    if what.startswith("open_"):
        return f"/alerts?status=open&severity={what[-1]}&site_id={site}"
    if what == "missing_records":
        return f"/duties?site={site}"
    where = {
        "unlawful_fills": "fills",
        "late_rectification": "cases",
        "declared_licence": "licence",
        "never_visited": "visits",
        "since_visit": "visits",
    }
    return f"/risk/{site}#{where.get(what, 'main')}"


def points_of(site: str, its: Risk) -> list[dict[str, Any]]:
    """A station's points, each with its link."""
    return [
        {"what": one.what, "points": one.points, "number": one.number, "link": link_of(one.what, site)}
        for one in its.points
    ]
