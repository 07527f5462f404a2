"""The operator's page: a USB scanner or a webcam in the browser, a verdict that fills the screen."""

import time
from datetime import datetime
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Blueprint, Response, jsonify, render_template, request
from flask_login import current_user, login_required
from pydantic import ValidationError

from cylinder_trace import intake
from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.verdict import FillCheckRequest
from cylinder_trace.judging.reference import Reference
from cylinder_trace.judging.rules import RULES
from cylinder_trace.web.api.stations import UnknownMedium, unknown_medium, verdict_on, with_findings
from cylinder_trace.web.language import language
from cylinder_trace.web.server import refusal, server

if TYPE_CHECKING:
    from scanner.decode.reading import Reading

operator_pages = Blueprint("operator_pages", __name__)
ACTIONS = {
    "fill-check": "fill_check",
    "fill": "fill",
    "post-check": "post_check",
    "ship": "ship",
    "receive": "receive",
    "deliver": "deliver",
    "return": "return",
    "observe": "observe",
    "override": "override",
}
ANSWERING = frozenset({"override"})
"""Actions that answer a verdict, and are chosen there and not before a scan."""
MOST_DECODING = 2
"""Frames decoded at a time in this process: a decoder can not be broken off, and must leave threads for the rest."""
_decoders = BoundedSemaphore(MOST_DECODING)
_COMMON_MEDIA = ("lpg", "o2", "n2", "ar", "co2", "c2h2", "h2", "dme")
_DETAILS = (
    "medium",
    "gas_mass_kg",
    "result",
    "to_site",
    "from_site",
    "waybill",
    "overrides",
    "reason",
    "approved_by",
)


@operator_pages.get("/scan")
@login_required
def scan() -> str | tuple[str, int]:
    """The scan page of the signed-in operator's station."""
    here = server()
    site_id = current_user.person.scope.id
    with here.database.reading() as connection:
        reference = here.cache.read(connection)
    which = 0 if language() == "zh" else 1
    return render_template(
        "scan.html",
        site=reference.site_name(site_id),
        actions=[one for one in ACTIONS if one not in ANSWERING],
        media=[
            (code, reference.law.medium(code)[which]) for code in _media(reference, site_id, here.now_ms())
        ],
        partners=_partners(reference, site_id, here.now_ms()),
    )


def _media(reference: Reference, site_id: str, now_ms: int) -> list[str]:
    """What the station may fill; every common medium where it has no licence, so that the judge can say so."""
    licensed = {code for licence in reference.licences_in_force(site_id, now_ms) for code in licence.media}
    return sorted(licensed) or list(_COMMON_MEDIA)


def _partners(reference: Reference, site_id: str, now_ms: int) -> list[tuple[str, str]]:
    """Id and name of the sites a station sends to and receives from: its firm's, and those that inspect and scrap."""
    firm = reference.owner_of_site(site_id, now_ms)
    return sorted(
        (one.site_id, one.name)
        for one in reference.sites.values()
        if one.site_id != site_id
        and one.type != "customer"
        and ((firm and one.owner_id == firm) or one.type in {"inspection_agency", "scrap_yard"})
    )


@operator_pages.post("/scan")
@login_required
def record_scan() -> Response:
    """Record one scan, or only ask for the verdict where the action is `check`."""
    here, person = server(), current_user.person
    asked: Any = request.get_json(silent=True)
    if not isinstance(asked, dict) or not isinstance(asked.get("code"), str):
        return refusal(400, "malformed", "请求无法读取。", "send a JSON object with action and code")
    if person.scope.kind != "station":
        return refusal(
            403, "no_station", "只有充装站人员可以扫码登记。", "only a station's people record scans"
        )
    try:
        code = parse_code(asked["code"]).text
    except NotACylinderCode as error:
        return refusal(400, "not_a_code", "这不是气瓶编码，请重扫或手工输入。", str(error))
    action = str(asked.get("action", "check"))
    if action != "check" and action not in ACTIONS:
        # Answered as done, the browser would drop a scan that nobody recorded.
        return refusal(400, "unknown_action", "没有这种作业。", f"actions are check, {', '.join(ACTIONS)}")
    answer: dict[str, Any] = {"code": code, "receipt": None, "verdict": None, "findings": []}
    if action in {"check", "fill-check"}:
        try:
            question = FillCheckRequest(
                cylinder_code=code,
                site_id=person.scope.id,
                operator_id=person.username,
                medium=asked.get("medium") or "lpg",
            )
        except ValidationError as error:
            return refusal(400, "malformed", "无法读取该请求。", str(error))
        try:
            answer["verdict"] = verdict_on(here, code, question).model_dump(mode="json")
        except UnknownMedium as error:
            return unknown_medium(error)
    if action in ACTIONS:
        message = {name: asked[name] for name in _DETAILS if asked.get(name) not in (None, "")}
        occurred_at = asked.get("occurred_at") or here.now().isoformat()
        message |= {
            "kind": ACTIONS[action],
            "event_id": asked.get("event_id") or str(uuid4()),
            "occurred_at": occurred_at,
            "cylinder_code": asked["code"],
            "site_id": person.scope.id,
            "operator_id": person.username,
            # A browser keeps no counter that survives it; the scan's time orders its scans. Not the server's:
            # a scan sent twice must be the same event twice.
            "device_id": f"web-{person.username}",
            "device_seq": _time_ms(occurred_at),
        }
        # The end that is not named is the station itself.
        if action in {"ship", "deliver"}:
            message.setdefault("from_site", person.scope.id)
        elif action in {"receive", "return"}:
            message.setdefault("to_site", person.scope.id)
        if action not in {"fill-check", "fill"}:
            message.pop("medium", None)
        receipt = with_findings(
            here, intake.record(here.database, [message], here.now(), f"web-{person.username}")
        )
        answer["receipt"] = receipt.receipts[0].model_dump(mode="json", exclude_none=True)
        answer["findings"] = [
            dict(zip(("zh", "en"), RULES[rule].words.title, strict=True))
            for rule in receipt.receipts[0].findings
        ]
    return jsonify(answer)


def _time_ms(text: Any) -> int:
    try:
        return epoch_ms(datetime.fromisoformat(text))
    except (TypeError, ValueError):
        return 0  # the record is refused for this time, with words that say so


def _read_frame(data: bytes) -> "list[Reading]":
    from scanner.decode.cascade import THOROUGH_MS, decode
    from scanner.decode.pictures import OF_A_FRAME, grey_from_bytes

    return decode(grey_from_bytes(data, limits=OF_A_FRAME), deadline_ms=THOROUGH_MS)


@operator_pages.post("/scan/frame")
@login_required
def decode_frame() -> Response:
    """The codes in one webcam frame."""
    from scanner.decode.pictures import PictureTooLarge, UnreadablePicture

    upload = request.files.get("frame")
    data = upload.read() if upload else request.get_data(cache=False)
    begun = time.perf_counter()
    if not _decoders.acquire(blocking=False):
        return refusal(
            503, "decoders_busy", "识别繁忙，请稍后重试。", "other frames are being read; try again"
        )
    try:
        readings = _read_frame(data)
    except PictureTooLarge as error:
        zh = "图片过大。请发送不超过 830 万像素（3840×2160）、每通道 8 位的图片。"
        en = f"{error} Send at most 3840 x 2160 pixels with 8 bits a channel."
        return refusal(400, "picture_too_large", zh, en)
    except UnreadablePicture as error:
        return refusal(400, "not_a_picture", "这不是图片。", str(error))
    finally:
        _decoders.release()
    codes = []
    for reading in readings:
        try:
            code = parse_code(reading.text).text
        except NotACylinderCode:
            code = None
        codes.append({"code": code, "text": reading.text, "symbology": reading.symbology})
    return jsonify({"codes": codes, "ms": round((time.perf_counter() - begun) * 1000, 1)})
