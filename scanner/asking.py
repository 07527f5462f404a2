"""May I fill this one? The server is asked, and its last snapshot where it does not answer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cylinder_trace.contract.verdict import FillCheckRequest, Verdict
from scanner.keys import DeviceKey
from scanner.offline import answered, opened
from scanner.server import Server, Unreachable

FILL_CHECKS_PATH = "/api/v1/fill-checks"
ANSWER_WITHIN_S = 8.0
"""An operator waits with a cylinder in hand; the snapshot answers at once."""


class NoVerdict(Exception):
    """Nobody answered the question; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A verdict; `age_ms` is how old the data is that it rests on, None where the server gave it."""

    verdict: Verdict
    age_ms: int | None = None


def asked(
    key: DeviceKey,
    code: str,
    request: FillCheckRequest,
    snapshot: Path | None,
    longest_age_h: float,
    *,
    now_ms: Callable[[], int],
) -> Asked:
    """The verdict on filling a cylinder. Raises NoVerdict, and SnapshotError where the snapshot is not to be used.

    What the server refuses, as for a device it does not know, the snapshot does not answer in its stead.
    """
    server = Server(key, now_ms=now_ms, answer_timeout_s=ANSWER_WITHIN_S)
    try:
        reply = server.post(FILL_CHECKS_PATH, request.model_dump_json(exclude_none=True).encode())
        if reply.status == 200:
            return Asked(Verdict.model_validate_json(reply.body))
        problem, is_away = str(reply), reply.status >= 500 or reply.status == 429
    except (Unreachable, ValidationError) as error:
        problem, is_away = str(error), isinstance(error, Unreachable)
    finally:
        server.close()
    if snapshot is None or not is_away or not snapshot.exists():
        raise NoVerdict(problem)
    with opened(key, snapshot) as file:
        found = answered(file, code, request.medium, now_ms(), longest_age_h)
    if found is None:
        raise NoVerdict(f"{problem}; the snapshot was never fetched to its end")
    return Asked(found.verdict, found.age_ms)
