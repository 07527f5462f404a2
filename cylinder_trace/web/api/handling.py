"""What people do about alerts, for programs: how one is looked after, its log, and each step as one request.

A step names the episode and the version that it has seen; where that is not how the alert stands, nothing is done and the
answer (409) shows what was done since. A browser's session and its CSRF token (`X-CSRFToken`) are needed, as on the pages.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from flask import Response, jsonify
from flask_login import current_user, login_required
from flask_openapi3 import APIBlueprint, Tag
from flask_wtf.csrf import generate_csrf
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cylinder_trace.acting import MOST_TIMES, Wish
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.receipt import Answer
from cylinder_trace.judging.handling.care import LONGEST_WHY, VERDICTS
from cylinder_trace.store import alerts, handling
from cylinder_trace.store.handling import Looked, MayNot, NoSuchAlert, NotNow, Quicker
from cylinder_trace.web.pages.shown_care import log_entries
from cylinder_trace.web.server import refusal, server
from cylinder_trace.web.wishes import DOES, done
from cylinder_trace.web.wording import say

_TAG = Tag(name="handling", description="预警办理（登录会话）")
handling_api = APIBlueprint("handling", __name__, url_prefix="/api/v1/alerts", abp_tags=[_TAG])
_ANSWERS: Any = {400: Answer, 401: Answer, 403: Answer, 404: Answer, 409: Answer}
_LAST = datetime(2200, 1, 1, tzinfo=UTC)

Number = Annotated[int, Field(ge=0, le=1_000_000_000)]


class AlertPath(BaseModel):
    """One alert."""

    fingerprint: str = Field(pattern=r"^[0-9a-f]{32}$")


class StepBody(BaseModel):
    """What is to be done, and what was seen. `why` is needed to comment, snooze, close and reopen."""

    model_config = ConfigDict(extra="forbid")

    what: Literal["acknowledge", "assign", "comment", "snooze", "unsnooze", "close", "reopen"]
    episode: Number
    version: Number
    why: str = Field(default="", max_length=LONGEST_WHY, pattern=r"^[^\x00]*$")
    assignee: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")] | None = None
    until: AwareDatetime | None = Field(default=None, description="延后到何时，带时区")
    more_times: int | None = Field(default=None, ge=1, le=MOST_TIMES)
    verdict: Literal["handled", "false_alarm", "unsettled"] | None = None


@handling_api.get("/<fingerprint>/handling", responses=_ANSWERS, summary="办理情况 How it is looked after")
@login_required
def get_handling(path: AlertPath) -> Response:
    """How an alert stands, its log as the reader may see it, and the token that a step needs."""
    scope = current_user.person.scope
    with server().database.reading() as connection:
        row = alerts.one(connection, scope, path.fingerprint)
        if row is None:
            return _unknown(path.fingerprint)
        log = handling.log(connection, path.fingerprint)
    names = ("fingerprint", "episode", "status", "first_opened_ms", "opened_ms", "care")
    return jsonify(
        {name: row[name] for name in names}
        | {"log": log_entries(log, scope, "zh"), "csrf_token": generate_csrf(), "verdicts": list(VERDICTS)}
    )


@handling_api.post("/<fingerprint>/handling", responses=_ANSWERS, summary="办理 Do something about it")
@login_required
def post_step(path: AlertPath, body: StepBody) -> Response:
    """Acknowledge, assign, comment, snooze, unsnooze, close or reopen; gives the new version.

    Officers of the alert's district and the city do all of it everywhere they see; a station's manager comments.
    """
    until_ms = None if body.until is None else epoch_ms(min(body.until, _LAST))
    wish = Wish(DOES[body.what], body.why, body.assignee, until_ms, body.more_times, body.verdict)
    try:
        held = done(path.fingerprint, Looked(body.episode, body.version), wish)
    except NoSuchAlert:
        return _unknown(path.fingerprint)
    except MayNot:
        return refusal(403, "may_not", say("may_not", "zh"), say("may_not", "en"))
    except NotNow as error:
        word = f"not_now.{error.word}"
        return refusal(409, error.word, say(word, "zh"), say(word, "en"))
    except Quicker as error:
        answer = refusal(409, "quicker", say("quicker", "zh"), say("quicker", "en"))
        since = log_entries(error.since, current_user.person.scope, "zh")
        answer.set_data(jsonify((answer.get_json() or {}) | {"since": since}).get_data())
        return answer
    return jsonify({"episode": held.episode, "version": held.care.version, "status": held.status})


def _unknown(fingerprint: str) -> Response:
    return refusal(404, "unknown_alert", f"没有预警 {fingerprint}。", f"there is no alert {fingerprint}")
