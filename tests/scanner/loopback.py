"""A server on loopback that checks each signature with the device's public key and answers as it is told."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from cylinder_trace.contract.signing import COVERED_COMPONENTS

DEVICE, SITE = "dev-1", "st-1"
SERVER_TIME = "2026-03-01T08:00:00.000+00:00"
SERVER_TIME_MS = 1_772_352_000_000


@dataclass
class Request:
    path: str
    events: list[dict[str, Any]]
    message: dict[str, Any]
    created: int
    nonce: str | None


Reaction = Callable[[Request], tuple[int, dict[str, Any], dict[str, str]] | None]
"""Status, JSON body and headers; None cuts the connection."""


@dataclass
class Loopback:
    key_path: Path
    url: str
    react: Reaction
    requests: list[Request] = field(default_factory=list)
    bad_signatures: list[str] = field(default_factory=list)


def receipts(
    request: Request, status: str = "stored", **more: Any
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """The same receipt for every event of a request."""
    each = [{"event_id": event["event_id"], "status": status, **more} for event in request.events]
    counts = {name: len(each) if name == status else 0 for name in ("stored", "duplicate", "refused")}
    return 200, {"server_time": SERVER_TIME, **counts, "receipts": each}, {}


def answer(
    status: int, error: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """A refusal of the whole request."""
    body = {"error": error, "zh": "原因", "en": "reason", "server_time": SERVER_TIME}
    return status, body, headers or {}


def write_key(folder: Path, url: str, key: Ed25519PrivateKey) -> Path:
    path = folder / "key.json"
    secret = base64.b64encode(key.private_bytes_raw()).decode()
    path.write_text(
        json.dumps({"server_url": url, "device_id": DEVICE, "site_id": SITE, "private_key": secret})
    )
    path.chmod(0o600)
    return path


@dataclass
class _Signed:
    method: str
    url: str
    headers: Any


@contextmanager
def serving(folder: Path, react: Reaction) -> Iterator[Loopback]:
    """Runs until the block ends; the key file is in `folder`."""
    key = Ed25519PrivateKey.generate()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            verifier = HTTPMessageVerifier(
                signature_algorithm=ED25519,
                key_resolver=MappingKeyResolver(public_keys={DEVICE: key.public_key()}, private_keys={}),
            )
            try:
                (result,) = verifier.verify(
                    _Signed("POST", state.url + self.path, self.headers),
                    max_age=timedelta(days=36500),
                    require_components=COVERED_COMPONENTS,
                    body=body,
                )
            except Exception as error:
                state.bad_signatures.append(repr(error))
                self.send_error(401)
                return
            message = json.loads(body)
            created = int(result.parameters["created"])
            request = Request(self.path, message.get("events", []), message, created, result.nonce)
            state.requests.append(request)
            reaction = state.react(request)
            if reaction is None:
                self.close_connection = True
                self.connection.close()
                return
            status, content, headers = reaction
            data = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a connection that a test has cut

    server = Quiet(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    state = Loopback(write_key(folder, url, key), url, react)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
