"""Trying rules on the past before they are switched on: ask, look how far it is, read what came out, stop it."""

from typing import Annotated, Any

from flask import Response, jsonify
from flask_login import current_user, login_required
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from cylinder_trace import trying
from cylinder_trace.contract.receipt import Answer
from cylinder_trace.judging.rules import RULES
from cylinder_trace.law.tables import LawError
from cylinder_trace.store import trials as rows
from cylinder_trace.store.trials import Busy
from cylinder_trace.web.server import refusal, server

_TAG = Tag(name="trials", description="规则试运行（市级登录会话）")
trials = APIBlueprint("trials", __name__, url_prefix="/api/v1", abp_tags=[_TAG])
_ANSWERS: Any = {400: Answer, 401: Answer, 403: Answer, 404: Answer, 409: Answer}
MOST_LISTED = 20

Number = Annotated[float, Field(ge=0, le=1e9)]


class TrialBody(BaseModel):
    """What to try: all rules if none is named, the law's thresholds if none is given."""

    rules: list[str] = Field(default=[], max_length=200)
    thresholds: dict[str, Number] = Field(default={}, max_length=100)
    days: int = Field(default=30, ge=1, le=trying.MOST_DAYS)


class TrialPath(BaseModel):
    """A trial by its id."""

    trial_id: str = Field(max_length=36, pattern=r"^[0-9a-f-]+$")


def ask(rules: list[str], thresholds: dict[str, float], days: int, username: str) -> str:
    """Start a trial in the background; gives its id. Raises LawError for an unknown threshold, Busy, KeyError for a rule."""
    here = server()
    for rule in rules:
        RULES[rule]
    now_ms = here.now_ms()
    asked = trying.asked_of(rules or RULES, thresholds, days, now_ms)
    with here.database.writing() as connection:
        trial_id = rows.begin(connection, asked, username, now_ms)
    trying.begin(here.database.engine.url.render_as_string(hide_password=False), trial_id)
    return trial_id


@trials.post("/trials", responses=_ANSWERS, summary="试运行规则 Try rules on the past")
@login_required
def post_trial(body: TrialBody) -> Response | tuple[Response, int]:
    """Start a trial; one runs at a time. It finds what the rules would have found, and alerts nobody."""
    if refused := _not_the_city():
        return refused
    try:
        trial_id = ask(body.rules, body.thresholds, body.days, current_user.person.username)
    except KeyError as error:
        return refusal(
            400, "no_such_rule", f"没有规则 {error.args[0]}。", f"there is no rule {error.args[0]}"
        )
    except LawError as error:
        return refusal(400, "no_such_threshold", "没有这个阈值。", str(error))
    except Busy as error:
        return refusal(409, "busy", "另有一项试运行正在进行。", str(error))
    return jsonify({"trial_id": trial_id, "state": "running"}), 202


@trials.get("/trials", responses=_ANSWERS, summary="试运行列表 Trials")
@login_required
def get_trials() -> Response:
    """The newest trials, without their results."""
    if refused := _not_the_city():
        return refused
    here = server()
    with here.database.reading() as connection:
        return jsonify({"trials": rows.listed(connection, MOST_LISTED, here.now_ms())})


@trials.get("/trials/<trial_id>", responses=_ANSWERS, summary="试运行结果 A trial")
@login_required
def get_trial(path: TrialPath) -> Response:
    """How far it is; when it is done, what came out: alerts a day, a sample, the overlap with other rules, the difference."""
    if refused := _not_the_city():
        return refused
    here = server()
    with here.database.reading() as connection:
        row = rows.one(connection, path.trial_id, here.now_ms())
    return jsonify(row) if row else _unknown()


@trials.post("/trials/<trial_id>/stop", responses=_ANSWERS, summary="停止试运行 Stop a trial")
@login_required
def stop_trial(path: TrialPath) -> Response:
    """Stop it; one that has ended stays as it ended."""
    if refused := _not_the_city():
        return refused
    here = server()
    with here.database.writing() as connection:
        rows.end(connection, path.trial_id, "stopped", here.now_ms())
        row = rows.one(connection, path.trial_id, here.now_ms())
    return jsonify(row) if row else _unknown()


def _not_the_city() -> Response | None:
    if current_user.person.role == "city":
        return None
    return refusal(403, "not_yours", "规则试运行由市级人员进行。", "rules are tried by the city")


def _unknown() -> Response:
    return refusal(404, "unknown_trial", "没有这项试运行。", "there is no such trial")
