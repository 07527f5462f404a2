"""Every event that waits gets to the server, whatever the server and the network do, and none is dropped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scanner.actions import Action
from scanner.keys import read_key
from scanner.outbox import Outbox, status
from scanner.recording import Recorder
from scanner.server import Server
from scanner.upload import Progress, Uploader, send_all, wait_s
from tests.scanner.loopback import (
    DEVICE,
    SERVER_TIME_MS,
    SITE,
    Loopback,
    Reaction,
    Request,
    answer,
    receipts,
    serving,
)

HOUR_MS = 3_600_000


class Station:
    """An outbox with scans in it, and the means to upload them to a loopback server."""

    def __init__(self, loopback: Loopback, outbox: Outbox, now_ms: Callable[[], int]) -> None:
        self.loopback, self.outbox, self.now_ms = loopback, outbox, now_ms
        self.slept: list[float] = []

    def scan(self, count: int) -> list[str]:
        action = Action("observe", SITE, DEVICE, "op-1")
        recorder = Recorder(action, self.outbox, self.now_ms)
        return [recorder.record(f"CYL{number:06}")["event_id"] for number in range(count)]

    def upload(self, most_failures: int = 4, **limits: int) -> Progress | None:
        server = Server(
            read_key(self.loopback.key_path),
            now_ms=self.now_ms,
            clock_offset_ms=self.outbox.clock_offset_ms,
            heard_offset=self.outbox.note_clock_offset,
        )
        uploader = Uploader(self.outbox, server, now_ms=self.now_ms, **limits)
        try:
            return send_all(
                uploader, most_failures=most_failures, sleep=self.slept.append, chance=lambda: 1.0
            )
        finally:
            server.close()
            assert not self.loopback.bad_signatures


@contextmanager
def station(tmp_path: Path, react: Reaction, clock_ms: int = SERVER_TIME_MS) -> Iterator[Station]:
    with (
        serving(tmp_path, react) as loopback,
        Outbox(tmp_path / "outbox.sqlite3", device_id=DEVICE) as outbox,
    ):
        yield Station(loopback, outbox, lambda: clock_ms)


def test_stored_and_duplicate_both_settle_an_event(tmp_path: Path) -> None:
    kinds = iter(["stored", "duplicate"])
    with station(tmp_path, lambda request: receipts(request, next(kinds))) as one:
        made = one.scan(1500)
        assert one.upload() is None
        sent = [event["event_id"] for request in one.loopback.requests for event in request.events]
        assert sent == made
        assert [len(request.events) for request in one.loopback.requests] == [1000, 500]
        assert len({request.nonce for request in one.loopback.requests}) == 2
        found = status(one.outbox.path)
        assert (found.waiting, found.stored, found.last_upload_ms) == (0, 1500, SERVER_TIME_MS)


def test_a_refused_event_is_in_the_tray_with_the_servers_reason(tmp_path: Path) -> None:
    refusal = {"code": "conflict", "zh": "内容不同", "en": "other content"}
    with station(tmp_path, lambda request: receipts(request, "refused", refusal=refusal)) as one:
        made = one.scan(1)
        assert one.upload() is None
        found = status(one.outbox.path)
        assert (found.waiting, found.stored, found.refused) == (0, 0, 1)
        (refused,) = found.tray
        assert (refused.event_id, refused.reason, refused.zh) == (made[0], "conflict", "内容不同")


def test_an_outage_and_a_cut_connection_are_waited_out(tmp_path: Path) -> None:
    trouble = iter([answer(500, "broken"), None, answer(503, "busy", {"Retry-After": "7"})])
    with station(
        tmp_path, lambda request: next(trouble, None) if len(one.loopback.requests) < 4 else receipts(request)
    ) as one:
        one.scan(3)
        assert one.upload() is None
        assert one.slept == [0.5, 1.0, 7.0]
        assert status(one.outbox.path).stored == 3


def test_a_server_that_asks_for_no_wait_is_still_backed_off_from(tmp_path: Path) -> None:
    with station(tmp_path, lambda _: answer(503, "busy", {"Retry-After": "0"})) as one:
        one.scan(1)
        assert one.upload(most_failures=3) is not None
        assert one.slept == [0.5, 1.0]


def test_an_answer_lost_on_the_way_sends_the_same_events_again(tmp_path: Path) -> None:
    def react(request: Request) -> tuple[int, dict[str, object], dict[str, str]] | None:
        return None if len(one.loopback.requests) == 1 else receipts(request, "duplicate")

    with station(tmp_path, react) as one:
        one.scan(2)
        assert one.upload() is None
        first, second = one.loopback.requests
        assert first.events == second.events
        assert status(one.outbox.path).stored == 2


def test_a_lasting_outage_keeps_every_event_and_says_why(tmp_path: Path) -> None:
    with station(tmp_path, lambda _: answer(500, "broken")) as one:
        one.scan(3)
        last = one.upload(most_failures=3)
        assert last is not None
        found = status(one.outbox.path)
        assert found.waiting == 3
        assert found.last_error is not None
        assert "broken" in found.last_error


def test_an_unknown_device_is_not_tried_again_in_vain(tmp_path: Path) -> None:
    with station(tmp_path, lambda _: answer(401, "unknown_device")) as one:
        one.scan(1)
        last = one.upload()
        assert last is not None
        assert last.hopeless
        assert len(one.loopback.requests) == 1
        assert status(one.outbox.path).waiting == 1


def test_a_wrong_clock_is_put_right_by_the_servers_answer(tmp_path: Path) -> None:
    def react(request: Request) -> tuple[int, dict[str, object], dict[str, str]]:
        wrong = abs(request.created - SERVER_TIME_MS // 1000) > 300
        return answer(401, "clock") if wrong else receipts(request)

    with station(tmp_path, react, clock_ms=SERVER_TIME_MS + HOUR_MS) as one:
        one.scan(1)
        assert one.upload() is None
        assert one.slept == []
        assert [request.created for request in one.loopback.requests] == [
            SERVER_TIME_MS // 1000 + 3600,
            SERVER_TIME_MS // 1000,
        ]
        one.scan(1)
        assert one.upload() is None
        assert "clock_offset_ms" not in one.loopback.requests[0].events[0]
        assert one.loopback.requests[2].events[0]["clock_offset_ms"] == HOUR_MS
        assert len(one.loopback.requests) == 3


def test_a_clock_that_stays_wrong_does_not_loop(tmp_path: Path) -> None:
    with station(tmp_path, lambda _: answer(401, "clock")) as one:
        one.scan(1)
        assert one.upload(most_failures=2) is not None
        assert len(one.loopback.requests) == 4


def test_a_batch_that_is_too_large_is_halved_until_it_fits(tmp_path: Path) -> None:
    def react(request: Request) -> tuple[int, dict[str, object], dict[str, str]]:
        return answer(413, "too_large") if len(request.events) > 3 else receipts(request)

    with station(tmp_path, react) as one:
        made = one.scan(11)
        assert one.upload() is None
        taken = [request for request in one.loopback.requests if len(request.events) <= 3]
        assert [event["event_id"] for request in taken for event in request.events] == made
        assert [len(request.events) for request in one.loopback.requests] == [11, 6, 3, 3, 3, 2]
        assert one.slept == []


def test_one_event_too_large_alone_goes_to_the_tray_and_the_others_pass(tmp_path: Path) -> None:
    def react(request: Request) -> tuple[int, dict[str, object], dict[str, str]]:
        poison = any(event["cylinder_code"] == "CYL000001" for event in request.events)
        return answer(413, "too_large") if poison else receipts(request)

    with station(tmp_path, react) as one:
        one.scan(3)
        assert one.upload() is None
        found = status(one.outbox.path)
        assert (found.waiting, found.stored, found.refused) == (0, 2, 1)
        assert found.tray[0].reason == "too_large"


def test_no_body_exceeds_the_limit(tmp_path: Path) -> None:
    with station(tmp_path, receipts) as one:
        one.scan(10)
        size = len(one.outbox.waiting(1)[0].message)
        assert one.upload(largest_body_bytes=size * 4) is None
        assert [len(request.events) for request in one.loopback.requests] == [3, 3, 3, 1]


def test_receipts_for_other_events_settle_nothing(tmp_path: Path) -> None:
    def react(request: Request) -> tuple[int, dict[str, object], dict[str, str]]:
        swapped = Request(request.path, request.events[::-1], {}, 0, None)
        return receipts(swapped)

    with station(tmp_path, react) as one:
        one.scan(2)
        assert one.upload(most_failures=1) is not None
        assert status(one.outbox.path).waiting == 2


@pytest.mark.parametrize(
    ("failures", "wish", "chance", "seconds"),
    [(1, None, 1.0, 0.5), (4, None, 0.0, 2.0), (99, None, 1.0, 60.0), (1, 900.0, 1.0, 60.0)],
)
def test_waiting_doubles_with_jitter_up_to_a_minute(
    failures: int, wish: float | None, chance: float, seconds: float
) -> None:
    assert wait_s(failures, wish, chance) == seconds
