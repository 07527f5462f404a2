"""Which device sent this? RFC 9421 signatures with Ed25519, each used once."""

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Request, Response
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from cylinder_trace.contract.signing import COVERED_COMPONENTS, LONGEST_CLOCK_DIFFERENCE_S
from cylinder_trace.store import people
from cylinder_trace.store.people import Device
from cylinder_trace.web.server import refusal, server


@dataclass(frozen=True, slots=True)
class _Message:
    """A request in the form the library reads."""

    method: str
    url: str
    headers: dict[str, str]


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Left to `signed_by`, which tells a wrong clock from a wrong signature and gives the server's time."""


def signed_body(request: Request) -> tuple[Device, bytes] | Response:
    """The device that signed this request and its body, or the answer that says why it is not believed.

    Who names no device that is enrolled is answered before the body is read: a slow body would hold a thread. The
    signature is verified before anything else is believed, then the clock, then that it is not a replay.
    """
    key_id = _key_id(request)
    if key_id is None:
        return refusal(
            401, "bad_signature", "请求没有设备签名。", "sign the request with the device's key (RFC 9421)"
        )
    with server().database.asking() as connection:
        device = people.find_device(connection, key_id)
    if device is None or device.revoked_ms is not None:
        zh, en = (
            f"设备 {key_id} 未登记或已注销，请联系管理员。",
            f"device {key_id} is not enrolled or was revoked; ask the administrator",
        )
        return refusal(401, "unknown_device", zh, en)
    body = request.get_data(cache=False)
    try:
        parameters = _verified(request, body, device)
    except HTTPMessageSignaturesException as error:
        return refusal(401, "bad_signature", "设备签名不正确。", f"the signature does not verify: {error}")
    now_ms = server().now_ms()
    created, nonce = parameters.get("created"), parameters.get("nonce")
    if not isinstance(created, int) or not isinstance(nonce, str) or not 8 <= len(nonce) <= 64:
        return refusal(
            401,
            "bad_signature",
            "签名缺少时间或随机数。",
            "the signature needs created and a nonce of 8 to 64 characters",
        )
    difference_s = created - now_ms // 1000
    if abs(difference_s) > LONGEST_CLOCK_DIFFERENCE_S:
        zh = f"设备时钟与服务器相差 {difference_s} 秒，请校准后重发；扫码记录不会丢失。"
        en = f"the device's clock differs by {difference_s} s; sign again with server_time"
        return refusal(401, "clock", zh, en)
    # A nonce is kept for as long as its signature could be shown again.
    oldest_ms = now_ms - 3 * LONGEST_CLOCK_DIFFERENCE_S * 1000
    with server().database.noting() as connection:
        if not people.spend_nonce(connection, device.device_id, nonce, now_ms, oldest_ms):
            return refusal(
                401, "replayed", "该签名已使用过。", "this signature was used before; sign every request anew"
            )
    return device, body


def _verified(request: Request, body: bytes, device: Device) -> dict[str, Any]:
    key = Ed25519PublicKey.from_public_bytes(device.public_key)
    keys = MappingKeyResolver(public_keys={device.device_id: key}, private_keys={})
    verifier = _Verifier(signature_algorithm=ED25519, key_resolver=keys)
    message = _Message(request.method, request.url, dict(request.headers))
    results = verifier.verify(message, max_age=None, body=body)
    covered = set(results[0].covered_components)
    missing = {name for name in COVERED_COMPONENTS if f'"{name}"' not in covered}
    if missing:
        raise InvalidSignature(f"it does not cover {', '.join(sorted(missing))}")
    parameters: dict[str, Any] = dict(results[0].parameters)
    return parameters


def _key_id(request: Request) -> str | None:
    """The key id a signature names, read loosely: only a verified signature makes it believed."""
    given = request.headers.get("Signature-Input", "")
    _, found, rest = given.partition('keyid="')
    return rest.partition('"')[0] or None if found else None
