"""The risk of stations with its reasons, and draws as they are published."""

from typing import Any

from flask import Response, jsonify
from flask_login import current_user, login_required
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from cylinder_trace.contract.receipt import Answer
from cylinder_trace.store import draws as rows
from cylinder_trace.web.server import refusal, server
from cylinder_trace.web.shown_risk import points_of, risks

_TAG = Tag(name="draws", description="风险与双随机抽查（登录会话）")
draws = APIBlueprint("draws", __name__, url_prefix="/api/v1", abp_tags=[_TAG])
_ANSWERS: Any = {401: Answer, 403: Answer, 404: Answer}
_MOST_LISTED = 100


class DrawPath(BaseModel):
    """A draw by its id."""

    plan_id: str = Field(max_length=36, pattern=r"^[0-9a-f-]+$")


@draws.get("/risk", responses=_ANSWERS, summary="充装站风险 Stations by risk")
@login_required
def get_risk() -> Response:
    """The stations of the reader's scope, the most points first; each point links to the records it is of."""
    here, scope = server(), current_user.person.scope
    if scope.kind == "station":
        return _not_yours()
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        found = risks(connection, scope, reference, here.now_ms())
    stations = [
        {
            "site_id": site,
            "district": reference.sites[site].district,
            "weight": its.weight,
            "always": its.always,
            "points": points_of(site, its),
        }
        for site, (_, its) in found.items()
    ]
    return jsonify({"stations": stations})


@draws.get("/draws", responses=_ANSWERS, summary="双随机抽查列表 Draws")
@login_required
def get_draws() -> Response:
    """The newest draws of the reader's scope."""
    scope = current_user.person.scope
    if scope.kind == "station":
        return _not_yours()
    with server().database.reading() as connection:
        listed = rows.listed(connection, scope, _MOST_LISTED)
    names = ("plan_id", "district", "purpose", "ballot_sha256", "seed_from", "planned_ms", "seed", "drawn_ms")
    return jsonify({"draws": [{name: one[name] for name in names} for one in listed]})


@draws.get("/draws/<plan_id>", responses=_ANSWERS, summary="一次抽查 A draw as published")
@login_required
def get_draw(path: DrawPath) -> Response:
    """A draw as `cylinder-trace draw --input` reads it."""
    with server().database.reading() as connection:
        row = rows.one(connection, current_user.person.scope, path.plan_id)
    if row is None:
        return refusal(404, "unknown_draw", "没有这次抽查。", "there is no such draw")
    return jsonify(rows.published(row))


def _not_yours() -> Response:
    return refusal(403, "not_yours", "风险与抽查供监管人员查看。", "risk and draws are for regulators")
