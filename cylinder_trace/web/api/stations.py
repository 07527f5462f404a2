"""What stations post: batches of events, and the question whether a cylinder may be filled."""

import logging
from collections.abc import Collection
from functools import lru_cache

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ValidationError

from cylinder_trace import intake, stories
from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.event import Event
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.reading import decoded
from cylinder_trace.contract.receipt import LARGEST_BATCH, Answer, BatchReceipt, DeviceAnswer
from cylinder_trace.contract.verdict import FillCheckRequest, Verdict
from cylinder_trace.judging.state import State
from cylinder_trace.judging.verdict import intended, rehearsed
from cylinder_trace.law.tables import Law
from cylinder_trace.store import alerts, codes, cylinders, heard
from cylinder_trace.web.server import Server, refusal, server
from cylinder_trace.web.signatures import signed_body

log = logging.getLogger(__name__)
stations_tag = Tag(name="stations", description="充装站设备（RFC 9421 签名）")
stations = APIBlueprint("stations", __name__, url_prefix="/api/v1", abp_tags=[stations_tag])


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
    return as_json(with_findings(here, receipt))


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


@stations.get(
    "/station/device",
    responses={200: DeviceAnswer, 401: Answer},
    summary="本设备的序号 Where this device's numbers stand",
)
def get_device() -> Response:
    """The highest number heard of the device that asks: a new outbox goes on after it."""
    signed = signed_body(request)
    if isinstance(signed, Response):
        return signed
    device, _ = signed
    here = server()
    with here.database.reading() as connection:
        last = heard.last_seq(connection, device.device_id)
    return as_json(
        DeviceAnswer(
            server_time=here.now(), device_id=device.device_id, site_id=device.site_id, last_seq=last
        )
    )


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
    try:
        return as_json(verdict_on(server(), code, asked))
    except UnknownMedium as error:
        return unknown_medium(error)


class UnknownMedium(ValueError):
    """A medium that the law tables do not have: nothing can be said of filling a cylinder with it."""

    def __init__(self, medium: str, known: Collection[str]) -> None:
        super().__init__(medium)
        self.medium = medium
        self.known = ", ".join(sorted(known))


def unknown_medium(error: UnknownMedium) -> Response:
    """The answer to a question about such a medium."""
    zh = f"介质 {error.medium} 不在介质表中，无法判定，请勿充装。可用代码：{error.known}"
    en = f"{error.medium} is no medium of the tables, so there is no verdict; do not fill. Media are {error.known}"
    return refusal(400, "unknown_medium", zh, en)


def verdict_on(here: Server, code: str, asked: FillCheckRequest) -> Verdict:
    """The verdict on a fill, from everything that is on record of the cylinder, judged or not. Raises UnknownMedium."""
    at_ms = epoch_ms(asked.at) if asked.at else here.now_ms()
    with here.database.asking() as connection:
        reference = here.cache.read(connection)
        state = cylinders.read_at_gun(connection, code)
        if state is None:
            cylinder_id = codes.root_of(connection, code)
            state = stories.as_it_stands(connection, cylinder_id, reference, at_ms) or State(cylinder_id)
    known = _media(reference.law)
    if not known.issuperset(asked.medium.split("+")):
        raise UnknownMedium(asked.medium, known)
    fill = intended(code, asked.site_id, asked.medium, at_ms, asked.operator_id, asked.gun_id)
    return rehearsed(state, fill, reference)


@lru_cache(maxsize=4)
def _media(law: Law) -> frozenset[str]:
    return frozenset(row.text("code") for row in law.rows() if row.table == "media")


def as_json(model: BaseModel) -> Response:
    """An answer that succeeded."""
    return Response(model.model_dump_json(exclude_none=True), mimetype="application/json")
