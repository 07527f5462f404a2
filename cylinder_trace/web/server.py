"""What every request needs of the server: its database, reference data, settings and the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Response, current_app, jsonify

from cylinder_trace.contract.fields import moment_of
from cylinder_trace.contract.receipt import Answer
from cylinder_trace.settings import Settings
from cylinder_trace.store.database import Database
from cylinder_trace.store.parties import ReferenceCache
from cylinder_trace.web.throttle import Throttle


def clock_ms() -> int:
    """Now, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Server:
    """Made once by the door that starts the server; `now_ms` is the only clock of the pages and the API.

    Without a `signing_key` it gives no station snapshots.
    """

    database: Database
    cache: ReferenceCache
    settings: Settings
    now_ms: Callable[[], int] = clock_ms
    throttle: Throttle = field(default_factory=Throttle)
    signing_key: Ed25519PrivateKey | None = None

    def now(self) -> datetime:
        """Now, as an aware datetime."""
        return moment_of(self.now_ms())


def server() -> Server:
    """The server of the running application."""
    found: Server = current_app.extensions["cylinder_trace"]
    return found


def refusal(status: int, error: str, zh: str, en: str) -> Response:
    """An answer that is not a success, in the form the contract gives it."""
    # What was sent may be quoted, and half a character that JSON can hold no answer can.
    zh, en = (said.encode(errors="replace").decode() for said in (zh, en))
    answer = Answer(error=error, zh=zh, en=en, server_time=server().now())
    response = jsonify(answer.model_dump(mode="json"))
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response
