"""The server as a device sees it: signed requests, and a clock that is put right by its answers."""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from pydantic import BaseModel, ValidationError

from cylinder_trace.contract.fields import Moment, epoch_ms, moment_of
from cylinder_trace.contract.receipt import Answer
from cylinder_trace.contract.signing import COVERED_COMPONENTS, SIGNATURE_LABEL
from scanner.keys import DeviceKey

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 60.0


class Unreachable(Exception):
    """No whole answer came back; whether the server acted on the request is unknown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status. `answer` is there when the body is one of the contract's refusals."""

    status: int
    body: bytes
    answer: Answer | None
    retry_after_s: float | None

    def __str__(self) -> str:
        if self.answer is None:
            return f"HTTP {self.status}"
        return f"HTTP {self.status} {self.answer.error}: {self.answer.zh} / {self.answer.en}"


class _Timed(BaseModel):
    server_time: Moment


class Server:
    """Asks and posts in the name of one device. Not for several threads at once."""

    def __init__(
        self,
        key: DeviceKey,
        *,
        now_ms: Callable[[], int],
        clock_offset_ms: int | None = None,
        heard_offset: Callable[[int], None] = lambda _: None,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        """`clock_offset_ms`: device's clock minus server's; `heard_offset` is told each time it is heard anew."""
        self.clock_offset_ms = clock_offset_ms
        self._key = key
        self._now_ms = now_ms
        self._heard_offset = heard_offset
        self._answer_timeout_s = answer_timeout_s
        self._session = requests.Session()
        keys: dict[str, Ed25519PrivateKey] = {key.device_id: key.private_key}
        self._signer = HTTPMessageSigner(
            signature_algorithm=ED25519, key_resolver=MappingKeyResolver(public_keys={}, private_keys=keys)
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def post(self, path: str, body: bytes) -> Reply:
        """Post a JSON body. A refusal for the clock is answered once by signing with the corrected time.

        Raises Unreachable.
        """
        return self._ask("POST", path, body)

    def get(self, path: str) -> Reply:
        """Ask for a path with its query, likewise. Raises Unreachable."""
        return self._ask("GET", path, b"")

    def _ask(self, method: str, path: str, body: bytes) -> Reply:
        reply = self._ask_once(method, path, body)
        if reply.status == 401 and reply.answer and reply.answer.error == "clock":
            reply = self._ask_once(method, path, body)
        return reply

    def _ask_once(self, method: str, path: str, body: bytes) -> Reply:
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body else {})
        request = self._session.prepare_request(
            requests.Request(method, self._key.server_url + path, data=body or None, headers=headers)
        )
        sent_ms = self._now_ms()
        self._signer.sign(
            request,
            key_id=self._key.device_id,
            created=moment_of(sent_ms - (self.clock_offset_ms or 0)),
            nonce=base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode(),
            label=SIGNATURE_LABEL,
            covered_component_ids=COVERED_COMPONENTS,
            body=body,
        )
        settings = self._session.merge_environment_settings(request.url, {}, None, None, None)
        try:
            # A redirect is not followed: the signature covers the path it was made for.
            response = self._session.send(
                request,
                timeout=(CONNECT_TIMEOUT_S, self._answer_timeout_s),
                allow_redirects=False,
                **settings,
            )
        except requests.RequestException as error:
            raise Unreachable(
                f"{self._key.server_url} does not answer ({type(error).__name__}); check the network,"
                " what was recorded is kept / 已登记的扫码仍在本机，不会丢失"
            ) from error
        answered_ms = self._now_ms()
        self._set_clock(response.content, (sent_ms + answered_ms) // 2)
        return Reply(
            response.status_code,
            response.content,
            _read_answer(response),
            _retry_after_s(response.headers.get("Retry-After"), answered_ms),
        )

    def _set_clock(self, body: bytes, at_ms: int) -> None:
        try:
            server_ms = epoch_ms(_Timed.model_validate_json(body).server_time)
        except ValidationError:
            return
        self.clock_offset_ms = at_ms - server_ms
        self._heard_offset(self.clock_offset_ms)


def _read_answer(response: requests.Response) -> Answer | None:
    if response.ok:
        return None
    try:
        return Answer.model_validate_json(response.content)
    except ValidationError:
        return None


def _retry_after_s(value: str | None, now_ms: int) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (epoch_ms(parsedate_to_datetime(value)) - now_ms) / 1000)
    except (ValueError, TypeError):
        return None
