"""What people read: a cylinder, its history, its trail, and the alerts of their scope."""

from typing import Annotated, Any

from flask import Response, jsonify
from flask_login import current_user, login_required
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from cylinder_trace import stories
from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.receipt import Answer
from cylinder_trace.store import alerts, codes, cylinders
from cylinder_trace.web.lives import Life, life_of, trail_json
from cylinder_trace.web.server import refusal, server

_TAG = Tag(name="regulator", description="监管人员（登录会话）")
regulator = APIBlueprint("regulator", __name__, url_prefix="/api/v1", abp_tags=[_TAG])
_ANSWERS: Any = {401: Answer, 404: Answer}


Word = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class CodePath(BaseModel):
    """Any form of a label's text."""

    code: str = Field(description="瓶码；含 / 时请按 URL 编码")


class AlertQuery(BaseModel):
    """Filters of the alert list; all may be absent."""

    district: Word | None = None
    rule: Word | None = None
    severity: int | None = Field(default=None, ge=1, le=3)
    status: Word | None = None
    limit: int = Field(default=50, ge=1, le=500)
    offset: int = Field(default=0, ge=0, le=10_000_000)


@regulator.get(
    "/cylinders/<path:code>/history", responses=_ANSWERS, summary="全部履历 Every event of a cylinder"
)
@login_required
def get_history(path: CodePath) -> Response:
    """All events the reader may see, in the order they happened, with both times and the leaf hash of the whole event.

    With `own_site_only` they are those of the reader's own site and of offices, without coordinates and others' people.
    """
    life = _life(path.code)
    if isinstance(life, Response):
        return life
    events = [
        {
            "event": entry.message,
            "received_at": life.moment(entry.received_ms),
            "leaf_hash": entry.leaf_hash.hex(),
            "voided": entry.event_id in life.void,
        }
        for entry in life.entries
    ]
    return jsonify(
        {
            "cylinder_id": life.cylinder_id,
            "codes": life.codes,
            "events": events,
            "own_site_only": life.own_site is not None,
        }
    )


@regulator.get("/cylinders/<path:code>/trail", responses=_ANSWERS, summary="流转轨迹 The trail as a graph")
@login_required
def get_trail(path: CodePath) -> Response:
    """The cylinder's custody as nodes (sites) and links (legs), gaps marked as gaps."""
    life = _life(path.code)
    return life if isinstance(life, Response) else jsonify(trail_json(life))


@regulator.get("/cylinders/<path:code>", responses=_ANSWERS, summary="气瓶现状 A cylinder as it stands")
@login_required
def get_cylinder(path: CodePath) -> Response:
    """Register entry, term, status, where it is, and its alerts."""
    life = _life(path.code)
    return life if isinstance(life, Response) else jsonify(life.summary())


@regulator.get("/alerts", responses={401: Answer}, summary="预警列表 Alerts")
@login_required
def get_alerts(query: AlertQuery) -> Response:
    """The alerts of the reader's scope, newest fact first."""
    filters = query.model_dump(include={"district", "rule", "severity", "status"})
    with server().database.reading() as connection:
        total, rows = alerts.listed(connection, current_user.person.scope, filters, query.limit, query.offset)
    return jsonify({"total": total, "alerts": rows})


def _life(text: str) -> Life | Response:
    try:
        code = parse_code(text).text
    except NotACylinderCode as error:
        return refusal(404, "not_a_code", "这不是气瓶编码。", str(error))
    with server().database.reading() as connection:
        cylinder_id = codes.root_of(connection, code)
        reference, scope = server().cache.read(connection), current_user.person.scope
        state = stories.as_it_stands(connection, cylinder_id, reference, server().now_ms())
        if state is None or not cylinders.may_see(connection, scope, cylinder_id):
            return refusal(
                404, "unknown_cylinder", f"没有气瓶 {code} 的记录。", f"there is no record of cylinder {code}"
            )
        return life_of(connection, state, reference, scope)
