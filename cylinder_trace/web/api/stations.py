"""What stations post: batches of events, and the question whether a cylinder may be filled."""

import logging

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ValidationError

from cylinder_trace import intake, stories
from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.event import Event
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.reading import decoded
from cylinder_trace.contract.receipt import LARGEST_BATCH, Answer, BatchReceipt
from cylinder_trace.contract.verdict import FillCheckRequest, Reason, Verdict
from cylinder_trace.judging.state import State
from cylinder_trace.judging.verdict import rehearsed
from cylinder_trace.law.citing import cited
from cylinder_trace.law.tables import Law
from cylinder_trace.store import alerts, codes
from cylinder_trace.web.server import Server, refusal, server
from cylinder_trace.web.signatures import signed_body

log = logging.getLogger(__name__)
_TAG = Tag(name="stations", description="充装站设备（RFC 9421 签名）")
stations = APIBlueprint("stations", __name__, url_prefix="/api/v1", abp_tags=[_TAG])


class Batch(BaseModel):
    """Up to a thousand events, in any order."""

    events: tuple[Event, ...]


# The body is read by hand, event by event, so that one bad event never costs the good ones of its batch.
_BODY = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}}}}


@stations.post(
    "/events",
    responses={200: BatchReceipt, 400: Answer, 401: Answer, 413: Answer},
    summary="登记事件 Record events",
)
def post_events() -> Response:
    """Record a batch; one receipt an event, in order. Sending it again is safe."""
    signed = signed_body(request)
    if isinstance(signed, Response):
        return signed
    device, body = signed
    try:
        batch = decoded(body)
        events = batch["events"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return refusal(
            400,
            "malformed",
            '请求不是 {"events": [...]} 形式的 JSON。',
            'the body must be JSON of the form {"events": [...]}',
        )
    if not isinstance(events, list) or len(events) > LARGEST_BATCH:
        zh, en = (
            f"每批最多 {LARGEST_BATCH} 条。",
            f"a batch is a list of at most {LARGEST_BATCH} events; send it in parts",
        )
        return refusal(413 if isinstance(events, list) else 400, "too_large", zh, en)
    here = server()
    receipt = intake.record(
        here.database, events, here.now(), device.device_id, device.site_id, is_office=device.is_office
    )
    return _json(with_findings(here, receipt))


def with_findings(here: Server, receipt: BatchReceipt) -> BatchReceipt:
    """Judge what was just stored, and say what was found; a judge that fails leaves the work to the worker."""
    stored = [str(one.event_id) for one in receipt.receipts if one.status == "stored"]
    if not stored or len(stored) > here.settings.judge_at_once:
        return receipt
    try:
        intake.judge(here.database, here.cache, here.now_ms(), only=stored)
        with here.database.reading() as connection:
            found = alerts.of_events(connection, stored)
    except Exception:  # recorded is recorded: whatever went wrong here, the worker judges these events later
        log.exception("judging failed, left to the worker")
        return receipt
    receipts = tuple(
        one.model_copy(update={"findings": tuple(sorted(set(found.get(str(one.event_id), one.findings))))})
        for one in receipt.receipts
    )
    return receipt.model_copy(update={"receipts": receipts})


@stations.post(
    "/fill-checks",
    responses={200: Verdict, 400: Answer, 401: Answer},
    summary="可否充装 May I fill this one?",
)
def post_fill_check() -> Response:
    """Rehearse a fill and judge it; nothing is recorded."""
    signed = signed_body(request)
    if isinstance(signed, Response):
        return signed
    _, body = signed
    try:
        asked = FillCheckRequest.model_validate_json(body)
        code = parse_code(asked.cylinder_code).text
    except (ValidationError, NotACylinderCode) as error:
        return refusal(400, "malformed", "无法读取该请求。", str(error))
    return _json(verdict_on(server(), code, asked))


def verdict_on(here: Server, code: str, asked: FillCheckRequest) -> Verdict:
    """The verdict on a fill, from everything that is on record of the cylinder, judged or not."""
    at_ms = epoch_ms(asked.at) if asked.at else here.now_ms()
    with here.database.reading() as connection:
        cylinder_id = codes.root_of(connection, code)
        reference = here.cache.read(connection)
        state = stories.as_it_stands(connection, cylinder_id, reference, at_ms)
    state = state or State(cylinder_id)
    verdict = rehearsed(state, code, asked.site_id, asked.operator_id, asked.medium, at_ms, reference)
    return verdict.model_copy(
        update={"reasons": tuple(_with_citations(one, reference.law) for one in verdict.reasons)}
    )


def _with_citations(reason: Reason, law: Law) -> Reason:
    laws = [cited(law, one) for one in reason.law]
    said = {"law_zh": tuple(one.zh for one in laws), "law_en": tuple(one.en for one in laws)}
    return reason.model_copy(update=said)


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(exclude_none=True), mimetype="application/json")
