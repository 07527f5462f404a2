"""From the outbox to the server: signed batches, until every event has its receipt."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from cylinder_trace.contract.receipt import LARGEST_BATCH, LARGEST_BODY_BYTES, BatchReceipt
from scanner.outbox import Outbox, Settled, Waiting
from scanner.server import Reply, Server, Unreachable

EVENTS_PATH = "/api/v1/events"
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0

_HEAD, _TAIL = b'{"events":[', b"]}"


@dataclass(frozen=True, slots=True)
class Progress:
    """After one request: what the server took, what it refused, and what went wrong if nothing was settled.

    `retry_after_s` is the server's own wish; `smaller_next` means that a smaller batch can go at once; `hopeless`
    that trying again does not help before a person acts.
    """

    stored: int = 0
    refused: int = 0
    problem: str | None = None
    retry_after_s: float | None = None
    smaller_next: bool = False
    hopeless: bool = False


class Uploader:
    """Sends what waits in one outbox. Events keep their order; nothing is ever dropped."""

    def __init__(
        self,
        outbox: Outbox,
        server: Server,
        *,
        now_ms: Callable[[], int],
        largest_batch: int = LARGEST_BATCH,
        largest_body_bytes: int = LARGEST_BODY_BYTES,
    ) -> None:
        self._outbox = outbox
        self._server = server
        self._now_ms = now_ms
        self._batch = largest_batch
        self._body_bytes = largest_body_bytes

    def send_some(self) -> Progress | None:
        """Send the oldest waiting events in one request; None when nothing waits."""
        batch = _fitting(self._outbox.waiting(self._batch), self._body_bytes)
        if not batch:
            return None
        body = _HEAD + b",".join(event.message.encode() for event in batch) + _TAIL
        try:
            reply = self._server.post(EVENTS_PATH, body)
        except Unreachable as error:
            return self._failed(str(error))
        if reply.status == 413:
            return self._too_large(batch, reply)
        if reply.status != 200:
            hopeless = reply.answer is not None and reply.answer.error in {"unknown_device", "bad_signature"}
            return self._failed(str(reply), retry_after_s=reply.retry_after_s, hopeless=hopeless)
        try:
            receipt = BatchReceipt.model_validate_json(reply.body)
        except ValidationError:
            return self._failed("the answer is no batch receipt; is this the right server_url?")
        return self._settle(batch, receipt)

    def _settle(self, batch: Sequence[Waiting], receipt: BatchReceipt) -> Progress:
        if len(receipt.receipts) != len(batch):
            return self._failed(f"{len(receipt.receipts)} receipts came back for {len(batch)} events")
        settled: list[Settled] = []
        for event, one in zip(batch, receipt.receipts, strict=True):
            named = one.event_id is not None and str(one.event_id) == event.event_id
            if not named and (one.event_id is not None or one.status != "refused"):
                return self._failed(f"the receipt for event {event.event_id} names {one.event_id}")
            if one.status != "refused":
                settled.append(Settled(event.device_seq, "stored", one.model_dump_json(exclude_none=True)))
            elif one.refusal is None:
                return self._failed(f"event {event.event_id} was refused without a reason")
            else:
                settled.append(Settled(event.device_seq, "refused", one.refusal.model_dump_json()))
        self._outbox.settle(settled, now_ms=self._now_ms())
        stored = sum(one.state == "stored" for one in settled)
        return Progress(stored=stored, refused=len(settled) - stored)

    def _too_large(self, batch: Sequence[Waiting], reply: Reply) -> Progress:
        if len(batch) > 1:
            self._batch = (len(batch) + 1) // 2
            return self._failed(str(reply), smaller_next=True)
        if reply.answer is None:
            return self._failed(str(reply))
        # One event alone is too large: into the tray with it, or it would keep all later ones from leaving.
        reason = {"code": reply.answer.error, "zh": reply.answer.zh, "en": reply.answer.en}
        answer = json.dumps(reason, ensure_ascii=False)
        self._outbox.settle([Settled(batch[0].device_seq, "refused", answer)], now_ms=self._now_ms())
        return Progress(refused=1)

    def _failed(
        self,
        problem: str,
        *,
        retry_after_s: float | None = None,
        smaller_next: bool = False,
        hopeless: bool = False,
    ) -> Progress:
        self._outbox.note_error(problem, now_ms=self._now_ms())
        return Progress(
            problem=problem, retry_after_s=retry_after_s, smaller_next=smaller_next, hopeless=hopeless
        )


def send_all(
    uploader: Uploader,
    *,
    most_failures: int,
    sleep: Callable[[float], None],
    told: Callable[[Progress], None] = lambda _: None,
    chance: Callable[[], float] = random.random,
) -> Progress | None:
    """Send until nothing waits; returns None then, or the last failure.

    Gives up after `most_failures` in a row, or at once when only a person can help. `chance` gives 0 to 1.
    """
    failures = 0
    while (progress := uploader.send_some()) is not None:
        told(progress)
        if progress.problem is None:
            failures = 0
        elif progress.smaller_next:
            continue  # sizes halve, so this ends
        else:
            failures += 1
            if progress.hopeless or failures >= most_failures:
                return progress
            sleep(wait_s(failures, progress.retry_after_s, chance()))
    return None


def wait_s(failures: int, retry_after_s: float | None, chance: float) -> float:
    """Seconds before the next try: doubling up to 60 with jitter, so that stations do not return all at once.

    The server's own wish is kept where it is longer, up to the same 60 seconds.
    """
    backed_off = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 1, 20)) * (0.5 + chance / 2)
    return min(LONGEST_WAIT_S, max(backed_off, retry_after_s or 0.0))


def _fitting(events: Sequence[Waiting], largest_body_bytes: int) -> Sequence[Waiting]:
    """The longest beginning whose body stays within the limit; one event at least."""
    size = len(_HEAD) + len(_TAIL)
    for place, event in enumerate(events):
        size += len(event.message.encode()) + 1
        if size > largest_body_bytes and place:
            return events[:place]
    return events
