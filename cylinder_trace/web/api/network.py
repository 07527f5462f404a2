"""What moves between sites, for people: a site's neighbourhood, a recall list, and where what is at a site came from.

The city sees all; a district what touches it; a station what begins or ends at its own site.
"""

from datetime import date
from itertools import islice
from typing import Annotated, Any

import networkx as nx
from flask import Response, jsonify
from flask_login import current_user, login_required
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.receipt import Answer
from cylinder_trace.judging import neighbourhood
from cylinder_trace.judging.neighbourhood import Stream
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.scan import day_start_ms
from cylinder_trace.judging.state import Leg
from cylinder_trace.judging.tracing import Whereabouts
from cylinder_trace.law.naming import Naming
from cylinder_trace.store import flows, traces
from cylinder_trace.store.alerts import Scope
from cylinder_trace.web.lives import day_text
from cylinder_trace.web.server import refusal, server

_TAG = Tag(name="network", description="流转网络（登录会话）")
network = APIBlueprint("network", __name__, url_prefix="/api/v1/network", abp_tags=[_TAG])
_ANSWERS: Any = {400: Answer, 401: Answer, 404: Answer}
LONGEST_WINDOW_DAYS = 366
MOST_LISTED = 100

SiteId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Window(BaseModel):
    """A site, and days in Shanghai, both ends inclusive."""

    site: SiteId
    from_day: date = Field(description="YYYY-MM-DD")
    to_day: date = Field(description="YYYY-MM-DD")


class NeighbourhoodQuery(Window):
    """How far around it, and how many edges at most: those with the most movements."""

    hops: int = Field(default=2, ge=1, le=2)
    limit: int = Field(default=2000, ge=1, le=20_000)


class TraceQuery(Window):
    """A page of the fills."""

    limit: int = Field(default=200, ge=1, le=1000)
    offset: int = Field(default=0, ge=0, le=10_000_000)


class PresentQuery(BaseModel):
    """A page of what is at a site."""

    site: SiteId
    limit: int = Field(default=200, ge=1, le=1000)
    offset: int = Field(default=0, ge=0, le=10_000_000)


@network.get("/neighbourhood", responses=_ANSWERS, summary="站点邻域 Movements around a site")
@login_required
def get_neighbourhood(query: NeighbourhoodQuery) -> Response:
    """Sites and streams within one or two hops in a window of days, with balances, loops without a station, sinks and
    sources, places that pass cylinders on, and the communities of firms with the streams between them.
    """
    scope: Scope = current_user.person.scope
    if refused := _refused(query) or _beyond(scope, query.site):
        return refused
    hops = 1 if scope.kind == "station" else query.hops
    days = query.from_day.toordinal(), query.to_day.toordinal()
    with server().database.reading() as connection:
        reference = server().cache.read(connection)
        streams = flows.around(connection, query.site, hops, *days)
    if not streams and query.site not in reference.sites:
        return _unknown(query.site)
    seen = sorted(
        (one for one in streams if _touches(one, scope, reference)),
        key=lambda one: (-one.n, one.from_site, one.to_site),
    )
    graph = neighbourhood.site_graph(seen[: query.limit], reference)
    whole = neighbourhood.site_graph(streams, reference)
    # Of the outermost sites only what links them to the others was read: nothing is said of their balance.
    inner = {query.site, *(nx.all_neighbors(whole, query.site) if hops > 1 and query.site in whole else ())}
    if scope.kind == "district":
        inner = {site for site in inner if _is_in(site, scope.id, reference)}
    return jsonify(
        _graph_json(graph, scope, reference)
        | {
            "site": query.site,
            "hops": hops,
            "edges_in_all": len(seen),
            "edges_shown": graph.number_of_edges(),
        }
        | _balance_json(whole, inner, reference, query.to_day)
        | _shape_json(graph)
    )


@network.get("/forward", responses=_ANSWERS, summary="充装去向 Where everything filled at a station is now")
@login_required
def get_forward(query: TraceQuery) -> Response:
    """The recall list: every fill of the station in these days with where its cylinder is now, since when, and its way.

    `holds_it` is false where the cylinder was filled again since. A district sees the fills of its own stations, and of
    others what is in it now; a station sees of its own fills where they are only while they are at the station.
    """
    scope: Scope = current_user.person.scope
    if refused := _refused(query) or _beyond(scope, query.site):
        return refused
    from_ms = day_start_ms(query.from_day.toordinal())
    to_ms = day_start_ms(query.to_day.toordinal() + 1)
    with server().database.reading() as connection:
        reference = server().cache.read(connection)
        found = traces.filled_at(connection, query.site, from_ms, to_ms, query.limit, query.offset)
    if query.site not in reference.sites and not found.total:
        return _unknown(query.site)
    rows = [one for one in found.whereabouts if _may_see(one, scope, reference)]
    return jsonify(
        {"site": query.site, "fills": found.total, "rows": [_row(one, scope, reference) for one in rows]}
    )


@network.get("/backward", responses=_ANSWERS, summary="在站来源 Where what is at a site came from")
@login_required
def get_backward(query: PresentQuery) -> Response:
    """Every cylinder that is at the site now, the fill whose gas it holds, and the chain of sites since."""
    scope: Scope = current_user.person.scope
    if refused := _beyond(scope, query.site):
        return refused
    with server().database.reading() as connection:
        reference = server().cache.read(connection)
        found = traces.present_at(connection, query.site, query.limit, query.offset)
    record = reference.sites.get(query.site)
    if (record is None and not found.total) or (
        scope.kind == "district" and (record is None or record.district != scope.id)
    ):
        return _unknown(query.site)
    rows = [_row(one, scope, reference) for one in found.whereabouts]
    return jsonify({"site": query.site, "cylinders": found.total, "rows": rows})


def _refused(query: Window) -> Response | None:
    days = (query.to_day - query.from_day).days
    if days < 0:
        return refusal(400, "empty_window", "起日晚于止日。", "from_day lies after to_day")
    if days >= LONGEST_WINDOW_DAYS:
        return refusal(
            400,
            "window_too_long",
            f"时段最长 {LONGEST_WINDOW_DAYS} 天，请缩短。",
            f"ask for at most {LONGEST_WINDOW_DAYS} days at once",
        )
    return None


def _beyond(scope: Scope, site: str) -> Response | None:
    """A station asks about itself only; of any other site it is told what it would be of one that there is not."""
    return _unknown(site) if scope.kind == "station" and scope.id != site else None


def _unknown(site: str) -> Response:
    return refusal(404, "unknown_site", f"没有站点 {site} 的记录。", f"there is no record of site {site}")


def _touches(one: Stream, scope: Scope, reference: Reference) -> bool:
    if scope.kind == "district":
        return any(_is_in(site, scope.id, reference) for site in (one.from_site, one.to_site))
    return scope.kind == "city" or scope.id in {one.from_site, one.to_site}


def _is_in(site: str | None, district: str, reference: Reference) -> bool:
    record = reference.sites.get(site or "")
    return record is not None and record.district == district


def _may_see(one: Whereabouts, scope: Scope, reference: Reference) -> bool:
    if scope.kind != "district":
        return True
    return _is_in(one.filled.site, scope.id, reference) or _is_in(one.site, scope.id, reference)


def _name(site: str | None, scope: Scope, reference: Reference) -> str | None:
    if site is None:
        return None
    sees_all = scope.kind != "station"
    return Naming(reference.law, reference.sites, reference.owners, names_customers=sees_all).site(site).zh


def _graph_json(graph: "nx.DiGraph[str]", scope: Scope, reference: Reference) -> dict[str, Any]:
    data: dict[str, Any] = nx.node_link_data(graph, edges="links")
    for node in data["nodes"]:
        node["name"] = _name(node["id"], scope, reference)
    for link in data["links"]:
        link["first_day"], link["last_day"] = day_text(link["first_day"]), day_text(link["last_day"])
    return {"nodes": data["nodes"], "links": data["links"]}


def _balance_json(
    graph: "nx.DiGraph[str]", inner: set[str], reference: Reference, on: date
) -> dict[str, Any]:
    at_ms = day_start_ms(on.toordinal())
    fewest = int(reference.number("sink_source.cylinders", at_ms))
    share = reference.number("sink_source.other_share", at_ms)
    sinks, sources = neighbourhood.sinks_and_sources(graph, fewest, share)
    balances = [one for one in neighbourhood.balances(graph) if one.site in inner]
    return {
        "balances": [one._asdict() | {"net": one.net} for one in balances[:MOST_LISTED]],
        "sinks": [one.site for one in sinks if one.site in inner],
        "sources": [one.site for one in sources if one.site in inner],
        "intermediaries": [site for site in neighbourhood.intermediaries(graph) if site in inner],
    }


def _shape_json(graph: "nx.DiGraph[str]") -> dict[str, Any]:
    groups = neighbourhood.communities(neighbourhood.owners_graph(graph))
    return {
        "loops": list(islice(neighbourhood.loops(graph), MOST_LISTED)),
        "communities": groups,
        "between_communities": neighbourhood.edges_between_communities(graph, groups)[:MOST_LISTED],
    }


def _row(one: Whereabouts, scope: Scope, reference: Reference) -> dict[str, Any]:
    is_own = scope.kind != "station" or one.site == scope.id
    way = [leg for leg in one.way if scope.kind != "station" or scope.id in {leg.from_site, leg.to_site}]
    return {
        "cylinder_id": one.filled.cylinder_id,
        "fill": {
            "event_id": one.filled.event_id,
            "site": one.filled.site,
            "at": _moment(one.filled.at_ms),
        }
        if one.filled.event_id and (scope.kind != "station" or one.filled.site == scope.id)
        else None,
        "holds_it": one.holds_it,
        "on_the_way": one.on_the_way,
        "site": one.site if is_own else None,
        "site_name": _name(one.site, scope, reference) if is_own else None,
        "since": _moment(one.since_ms) if is_own else None,
        "last_seen_at": _moment(one.last_seen_ms) if is_own else None,
        "way": [_leg(leg, scope, reference) for leg in way],
    }


def _leg(leg: Leg, scope: Scope, reference: Reference) -> dict[str, Any]:
    return {
        "from": leg.from_site,
        "from_name": _name(leg.from_site, scope, reference),
        "to": leg.to_site,
        "to_name": _name(leg.to_site, scope, reference),
        "departed_at": _moment(leg.departed_ms),
        "arrived_at": _moment(leg.arrived_ms),
        "events": [leg.depart_event, leg.arrive_event],
        "gap": leg.gap,
    }


def _moment(ms: int | None) -> str | None:
    return None if ms is None else moment_of(ms).isoformat()
