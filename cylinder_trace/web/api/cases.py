"""Cases for programs: the same steps by the same people as on the pages; a POST carries the session's X-CSRFToken."""

from typing import Any

from flask import Response, json, jsonify, request
from flask_login import current_user, login_required
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from cylinder_trace.contract.receipt import Answer
from cylinder_trace.judging.handling.cases import DIRECTIVE
from cylinder_trace.store import cases
from cylinder_trace.web.api.regulator import Word
from cylinder_trace.web.case_papers import alerts_of, evidence_of
from cylinder_trace.web.case_requests import LARGEST_UPLOAD_BYTES, No, asked_of, day_of, refused_as, standing
from cylinder_trace.web.case_steps import make_directive, make_letter, scope_of, take
from cylinder_trace.web.server import refusal, server
from cylinder_trace.web.shown_case import case_json, case_line

_TAG = Tag(name="cases", description="案件（登录会话）")
case_api = APIBlueprint("case_api", __name__, url_prefix="/api/v1", abp_tags=[_TAG])
_ANSWERS: Any = {401: Answer, 403: Answer, 404: Answer, 409: Answer, 413: Answer, 415: Answer, 422: Answer}
_LARGEST_ID = 2**31 - 1


class CaseQuery(BaseModel):
    """Filters of the case list; all may be absent."""

    state: Word | None = None
    kind: Word | None = None
    district: Word | None = None
    site_id: Word | None = None
    overdue: bool = False
    limit: int = Field(default=50, ge=1, le=500)
    offset: int = Field(default=0, ge=0, le=10_000_000)


class CasePath(BaseModel):
    """Which case."""

    case_id: int = Field(ge=1, le=_LARGEST_ID)


class StepPath(CasePath):
    """Which case, and which step of it."""

    step: Word


class Begun(BaseModel):
    """What a case is made of: fingerprints for a district's directive; the rest for the city's letter."""

    model_config = ConfigDict(extra="forbid")

    kind: Word = DIRECTIVE
    fingerprints: list[Word] = Field(default=[], max_length=100)
    district: Word = ""
    facts: str = Field(default="", max_length=4000)
    demands: str = Field(default="", max_length=4000)
    due_day: Word = ""
    about_case: int | None = Field(default=None, ge=1, le=_LARGEST_ID)


@case_api.url_value_preprocessor
def _larger_uploads(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    if request.method == "POST" and current_user.is_authenticated:
        request.max_content_length = LARGEST_UPLOAD_BYTES


@case_api.get("/cases", responses={401: Answer}, summary="案件列表 Cases")
@login_required
def get_cases(query: CaseQuery) -> Response:
    """The cases of the reader's scope, the earliest deadline first and the ended last."""
    filters = query.model_dump(include={"state", "kind", "district", "site_id"})
    filters["overdue_ms"] = server().now_ms() if query.overdue else None
    with server().database.reading() as connection:
        total, rows = cases.listed(
            connection, scope_of(current_user.person), filters, query.limit, query.offset
        )
    return jsonify({"total": total, "cases": [case_line(row) for row in rows]})


@case_api.get("/cases/<int(max=2147483647):case_id>", responses=_ANSWERS, summary="案件 One case")
@login_required
def get_case(path: CasePath) -> Response:
    """A case with its log, the files sent in, the records it rests on, and in `may` the steps open to the reader."""
    return _answer(path.case_id)


@case_api.post("/cases", responses=_ANSWERS, summary="立案、起草函 Make a case or a letter")
@login_required
def post_case(body: Begun) -> Response:
    """A draft: a district's directive of alerts at one site, or the city's letter to a district."""
    person = current_user.person
    try:
        if body.kind == DIRECTIVE:
            case_id = make_directive(server(), person, body.fingerprints)
        else:
            facts, demands = (text.replace("\0", "") for text in (body.facts, body.demands))
            case_id = make_letter(
                server(),
                person,
                body.kind,
                body.district,
                facts,
                demands,
                day_of(body.due_day),
                body.about_case,
            )
    except No as error:
        return _no(error)
    answer = _answer(case_id)
    answer.status_code = 201
    return answer


@case_api.post("/cases/<int(max=2147483647):case_id>/<step>", responses=_ANSWERS, summary="办理 Take a step")
@login_required
def post_step(path: StepPath) -> Response:
    """A form (multipart where `files` are sent): `version` as it was read, and `why`, `due_day`, `facts`, `demands`,
    `is_serious`, `fingerprint` as far as the step needs them. 409 where somebody was quicker, with how it stands.
    """
    try:
        take(server(), current_user.person, path.case_id, asked_of(path.step, request.form, request.files))
    except No as error:
        return _no(error)
    return _answer(path.case_id)


def _answer(case_id: int) -> Response:
    person = current_user.person
    with server().database.reading() as connection:
        row = cases.one(connection, scope_of(person), case_id)
        if row is None:
            return refusal(404, "not_found", "没有这个案件。", "there is no such case")
        records = evidence_of(connection, alerts_of(connection, row))
    evidence = [{"event_id": one.event_id, "leaf_hash": one.leaf_hash.hex()} for one in records]
    return jsonify(case_json(row, person) | {"evidence": evidence})


def _no(error: Exception) -> Response:
    answer = refusal(*refused_as(error))
    if row := standing(error):
        whole: dict[str, Any] = answer.get_json()
        answer.set_data(json.dumps(whole | {"case": case_json(row, current_user.person)}))
    return answer
