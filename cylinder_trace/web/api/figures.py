"""The figures of the closed loop, for regulators."""

from datetime import date
from typing import Any

from flask import Response, jsonify
from flask_login import current_user, login_required
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from cylinder_trace.contract.receipt import Answer
from cylinder_trace.web import figures as shown
from cylinder_trace.web.server import refusal, server
from cylinder_trace.web.wording import say

_TAG = Tag(name="figures", description="监管指标（登录会话）")
figures = APIBlueprint("figures", __name__, url_prefix="/api/v1", abp_tags=[_TAG])
_ANSWERS: Any = {400: Answer, 401: Answer, 403: Answer}


class FiguresQuery(BaseModel):
    """Both days inclusive, in Shanghai; without them the last thirty."""

    first: date | None = Field(default=None, alias="from", description="第一天 first day, 2026-11-01")
    last: date | None = Field(default=None, alias="to", description="最后一天 last day, inclusive")


@figures.get("/figures", responses=_ANSWERS, summary="监管指标 Figures of the closed loop")
@login_required
def get_figures(query: FiguresQuery) -> Response:
    """Rectification, on-time and false-alarm rates, median times and alert load, by district and rule.

    Every share says of how many it is; false alarms come from recorded verdicts only.
    """
    person = current_user.person
    if person.scope.kind == "station":
        return refusal(403, "not_yours", "监管指标供监管人员查看。", "the figures are for regulators")
    days = shown.days_of(query.first, query.last, server().now_ms())
    if days is None:
        words = [say("figures.period_wrong", lang, most=shown.MOST_DAYS) for lang in ("zh", "en")]
        return refusal(400, "period", *words)
    facts, _ = shown.facts_of(person.scope, days)
    return jsonify(shown.as_json(facts, days))
