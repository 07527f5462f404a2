"""What a station owes, as JSON: its records and their signing, what runs out, and cylinders nobody has seen."""

from datetime import date
from typing import Annotated, Any, Literal

from flask import Response, jsonify
from flask_login import current_user, login_required
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.receipt import Answer
from cylinder_trace.exchange.station_lists import place
from cylinder_trace.judging.handling.duties import last_day_of, sha256_of, since_signed, text_of
from cylinder_trace.judging.handling.idle import SETTLEMENTS
from cylinder_trace.store import due_lists, duties, idle
from cylinder_trace.store.duties import NotSigned, Record
from cylinder_trace.store.idle import NotSettled
from cylinder_trace.web.lives import day_text
from cylinder_trace.web.pages.station_lists import firm_of
from cylinder_trace.web.server import refusal, server
from cylinder_trace.web.wording import say

_TAG = Tag(name="duties", description="企业责任（登录会话）")
duty_api = APIBlueprint("duty_api", __name__, url_prefix="/api/v1/duties", abp_tags=[_TAG])
_ANSWERS: Any = {401: Answer, 404: Answer, 409: Answer}
Word = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Version = Annotated[int, Field(ge=-1, le=1_000_000_000)]


class Page(BaseModel):
    """One page of a list."""

    limit: int = Field(default=50, ge=1, le=500)
    offset: int = Field(default=0, ge=0, le=10_000_000)


class RecordsQuery(Page):
    """Which records."""

    state: Literal["open", "signed"] = "open"
    site_id: Word | None = None


class RecordPath(BaseModel):
    """One record: of which site, of which kind, and the first day of its period."""

    site_id: Word
    kind: Literal["day", "week", "month"]
    first_day: date


class Signing(BaseModel):
    """What was read and is signed."""

    version: Version = Field(description="version of the record as it was read")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="hash of the draft as it was read")
    remark: str = Field(default="", max_length=duties.LONGEST_REMARK, pattern=r"^[^\x00]*$")


class DueQuery(Page):
    """Whose list."""

    party_id: Word = Field(description="a site, or a firm")
    is_over: bool = Field(default=False, description="what has run out, instead of what will")


class IdleQuery(Page):
    """Which of them."""

    state: Literal["to_check", "found_in_use", "stored", "scrapped", "lost", "deregistered"] = "to_check"


class Settling(BaseModel):
    """Cylinders, each with its version as it was read, and what became of them."""

    cylinders: dict[Word, Version] = Field(min_length=1, max_length=500)
    state: Word
    why: str = Field(min_length=1, max_length=idle.LONGEST_WHY, pattern=r"^[^\x00]*$")


@duty_api.get("/records", responses=_ANSWERS, summary="日周月记录 Records")
@login_required
def get_records(query: RecordsQuery) -> Response:
    """The records of the reader's scope."""
    with server().database.reading() as connection:
        total, rows = duties.listed(
            connection, current_user.person.scope, query.state, query.limit, query.offset, query.site_id
        )
    return jsonify({"total": total, "records": [_record(row) for row in rows]})


@duty_api.get("/records/<site_id>/<kind>/<first_day>", responses=_ANSWERS, summary="一份记录 One record")
@login_required
def get_record(path: RecordPath) -> Response:
    """Its draft as it stands now with its hash, and what was signed with what came since."""
    key = path.site_id, path.kind, path.first_day.toordinal()
    with server().database.reading() as connection:
        found = duties.one(connection, current_user.person.scope, *key)
        if found is None:
            return _none()
        draft = duties.drafted(connection, *key, server().cache.read(connection))
    signed = found.signed
    since = since_signed(signed["record"], draft) if signed else []
    return jsonify(
        _record(found)
        | {
            "draft": draft,
            "draft_sha256": sha256_of(text_of(draft)),
            "content": found.content,
            "since": [{"what": one.what, "name": one.name, "was": one.was, "now": one.now} for one in since],
        }
    )


@duty_api.post("/records/<site_id>/<kind>/<first_day>", responses=_ANSWERS, summary="签署 Sign a record")
@login_required
def post_record(path: RecordPath, body: Signing) -> Response:
    """Sign the draft that was read: 409 where somebody was quicker, or it is another by now."""
    here, person = server(), current_user.person
    key = path.site_id, path.kind, path.first_day.toordinal()
    try:
        with here.database.writing() as connection:
            found = duties.one(connection, person.scope, *key)
            if found is None:
                return _none()
            reference = here.cache.read(connection)
            digest = duties.sign(
                connection, person, found, body.sha256, body.remark, reference, here.now_ms(), body.version
            )
    except NotSigned as error:
        return _refused("duty-problem", error.word)
    return jsonify({"sha256": digest})


@duty_api.get("/due", responses=_ANSWERS, summary="到期清单 What runs out")
@login_required
def get_due(query: DueQuery) -> Response:
    """Cylinders and papers of a site or firm of the reader's scope that run out within the look-ahead, or have."""
    here, scope = server(), current_user.person.scope
    now_ms = here.now_ms()
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        parties = {one.id: one for one in due_lists.parties_within(reference, scope)}
        party = parties.get(query.party_id)
        if party is None:
            return _none()
        total, rows = due_lists.cylinders(
            connection, party, reference, now_ms, query.limit, query.offset, is_over=query.is_over
        )
    firm = firm_of(reference, scope, now_ms)
    cylinders = [
        {
            "cylinder_id": row.cylinder_id,
            "until": day_text(row.term_day),
            "is_life_end": row.is_life,
            "owner_id": row.owner_id,
            "place": place(reference, row.site_id, firm).zh,
        }
        for row in rows
    ]
    papers = [
        {"kind": one.kind, "party_id": one.party_id, "holder": one.whose or None, "until": one.until}
        for one in due_lists.papers(party, reference, now_ms)
    ]
    return jsonify({"total": total, "cylinders": cylinders, "papers": papers})


@duty_api.get("/idle", responses=_ANSWERS, summary="久停气瓶 Not seen for a year")
@login_required
def get_idle(query: IdleQuery) -> Response:
    """The idle cylinders of the reader's scope in one state of settlement, and how many are in each."""
    here, scope = server(), current_user.person.scope
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
        total, rows = idle.listed(connection, scope, reference, query.state, query.limit, query.offset)
        numbers = idle.counts(connection, scope, reference)
    firm = firm_of(reference, scope, here.now_ms())
    cylinders = [
        {
            "cylinder_id": row["cylinder_id"],
            "version": row["version"],
            "owner_id": row["owner_id"],
            "last_seen": day_text(row["seen_day"]),
            "place": place(reference, row["site_id"], firm).zh,
        }
        for row in rows
    ]
    return jsonify({"total": total, "numbers": numbers, "cylinders": cylinders})


@duty_api.post("/idle", responses=_ANSWERS, summary="登记核查结果 Settle idle cylinders")
@login_required
def post_idle(body: Settling) -> Response:
    """Settle cylinders, all or none: 409 where one is another by now, is not the reader's, or left the list."""
    here = server()
    try:
        with here.database.writing() as connection:
            reference = here.cache.read(connection)
            idle.settle(
                connection,
                current_user.person,
                reference,
                body.cylinders,
                body.state,
                body.why,
                here.now_ms(),
            )
    except NotSettled as error:
        return _refused("idle-problem", error.word)
    return jsonify({"settled": len(body.cylinders), "state": SETTLEMENTS[body.state].zh})


@duty_api.before_request
def _keep_operators_out() -> Response | None:
    """Duties are none of an operator's; who is not signed in is told so by the addresses themselves."""
    is_operator = current_user.is_authenticated and current_user.person.role == "operator"
    return _none() if is_operator else None


def _record(row: Record) -> dict[str, Any]:
    signed = row.signed
    return {
        "site_id": row.site_id,
        "kind": row.kind,
        "first_day": day_text(row.first_day),
        "last_day": day_text(last_day_of(row.kind, row.first_day)),
        "state": row.state,
        "version": row.version,
        "sign_before": moment_of(row.due_ms).isoformat(),
        "reminded": row.reminded,
        "signed": signed["signed"] if signed else None,
        "sha256": row.sha256,
    }


def _none() -> Response:
    return refusal(
        404, "not_found", "没有这份记录或清单。", "there is no such record or list that you may read"
    )


def _refused(family: str, word: str) -> Response:
    status = {"quicker": 409, "changed": 409, "not_yours": 403}.get(word, 400)
    words = [say(f"{family}.{word}", lang) for lang in ("zh", "en")]
    return refusal(status, word, *words)
