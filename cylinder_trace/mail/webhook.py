"""A message platform as a channel: the same notice as signed JSON, posted to the platform's bridge (政务微信, 浙政钉 ...).

The request is signed as RFC 9421 has it, with the server's Ed25519 key, whose public half every key file and `/health`
of a signed-in city account name. `Idempotency-Key` is the Message-ID: a bridge that has it has the message.
"""

import email
import email.policy
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from cylinder_trace.delivery import NotTaken
from cylinder_trace.store.outbox import Mail

KEY_ID = "cylinder-trace"
LABEL = "notice"
COVERED = ("@method", "@target-uri", "content-type", "content-digest", "idempotency-key")
"""All that says what is told to whom; a bridge refuses a request of which any of it was changed."""
_LATER = frozenset({408, 425, 429})
_ANSWER_BYTES = 400


def as_json(mail: bytes, more: Mapping[str, object]) -> bytes:
    """The notice of a rendered mail as a bridge reads it: its words, what it is about, and the way to the page."""
    read = email.message_from_bytes(mail, policy=email.policy.default)
    text = next(part for part in read.walk() if part.get_content_type() == "text/plain")
    assert isinstance(text, EmailMessage)
    said = {
        "id": read["Message-ID"],
        "made_at": read["Date"].datetime.isoformat(),
        "subject": str(read["Subject"]),
    }
    said |= {"text": text.get_content().replace("\r\n", "\n").rstrip(), **more}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


class Webhook:
    """Posts messages to the URLs that are recipients. `key` gives the server's signing key, asked at the first post."""

    def __init__(self, key: Callable[[], Ed25519PrivateKey], timeout_s: float) -> None:
        self._key = key
        self._timeout_s = timeout_s
        self._session: requests.Session | None = None

    def send(self, mail: Mail) -> str:
        """Post a message. Raises NotTaken: for good where the platform refuses it, for now on everything else."""
        if self._session is None:
            self._session = requests.Session()
        try:
            request = self._signed(self._session, mail)
            settings = self._session.merge_environment_settings(request.url, {}, True, None, None)
            # A redirect is not followed: the notice would go where nobody sent it.
            with self._session.send(
                request, timeout=self._timeout_s, allow_redirects=False, **settings
            ) as response:
                code, said = response.status_code, next(response.iter_content(_ANSWER_BYTES), b"")
        except requests.exceptions.ReadTimeout as error:
            raise NotTaken(f"ReadTimeout: {error}", for_good=False) from error
        except requests.ConnectionError as error:
            raise NotTaken(f"{type(error).__name__}: {error}", for_good=False, unreached=True) from error
        except (requests.RequestException, OSError) as error:
            # An address that is none can never be posted to; anything else may be over in a minute.
            never = isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema))
            answer = f"{'553 ' if never else ''}{type(error).__name__}: {error}"
            raise NotTaken(answer, for_good=never) from error
        answer = f"{code} {said.decode(errors='replace')}".strip()
        if code in range(200, 300):
            return answer
        raise NotTaken(answer, for_good=code < 500 and code not in _LATER)

    def part(self) -> None:
        """Leave the platforms."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(OSError):
                session.close()

    def _signed(self, session: requests.Session, mail: Mail) -> requests.PreparedRequest:
        headers = {"Content-Type": "application/json", "Idempotency-Key": mail.message_id}
        request = session.prepare_request(
            requests.Request("POST", mail.recipient, data=mail.body, headers=headers)
        )
        keys = MappingKeyResolver(public_keys={}, private_keys={KEY_ID: self._key()})
        HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=keys).sign(
            request,
            key_id=KEY_ID,
            created=datetime.now(UTC),
            label=LABEL,
            covered_component_ids=COVERED,
            body=mail.body,
        )
        return request
