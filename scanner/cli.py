"""`cylinder-scan`: the station's commands. The clock, standard input and the process are met here only."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cylinder_trace.contract.code import NotACylinderCode, parse_code
from cylinder_trace.contract.verdict import FillCheckRequest
from scanner import numbering, said
from scanner.actions import Action, UnusableAction, as_scanned, read_code
from scanner.asking import ANSWER_WITHIN_S, NoVerdict, asked
from scanner.background import BackgroundUpload
from scanner.keys import DeviceKey, UnusableKey, read_key
from scanner.offline import NoSnapshot, fetched, opened
from scanner.options import details, parser
from scanner.outbox import Outbox, OutboxError, status
from scanner.recording import Recorder, line_of
from scanner.repeats import EqualReads, Repeats
from scanner.server import Server, Unreachable
from scanner.snapshot import SnapshotError
from scanner.upload import Progress, Uploader, send_all
from scanner.wedge import lines

DONE, UNDONE, UNUSABLE = 0, 1, 2
VERDICT_CODES = {"PASS": 0, "ASK": 3, "STOP": 4}
NO_VERDICT, LET_GO = 5, 6
_LAST_TRIES = 3
"""Failures in a row that the end of a scanning run waits for; what is left waits in the outbox."""

Scan = Callable[[str, dict[str, Any]], bool]
"""Text and facts to print -> whether it was recorded, or only printed as was asked."""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 not all done, 2 can not be done as asked."""
    arguments = parser().parse_args(argv)
    commands = {
        "images": _images,
        "camera": _camera,
        "usb": _usb,
        "upload": _upload,
        "status": _status,
        "check": _check,
        "snapshot": _snapshot,
        "bench": _bench,
    }
    try:
        return commands[arguments.command](arguments)
    except (UnusableKey, UnusableAction, OutboxError, NotACylinderCode) as error:
        print(f"cylinder-scan: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return UNDONE
    except BrokenPipeError:
        # Whoever read the lines is gone; the interpreter would complain once more while it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNDONE


def _bench(arguments: argparse.Namespace) -> int:
    from scanner import bench_decode

    return bench_decode.main([arguments.folder] if arguments.folder else [])


def _images(arguments: argparse.Namespace) -> int:
    from scanner.decode.cascade import PHOTO_MS, THOROUGH_MS, decode
    from scanner.decode.pictures import UnreadablePicture, load_grey

    done = True
    with _scanning(arguments) as scan:
        for path in _pictures(arguments.paths):
            began = time.perf_counter()
            try:
                picture = load_grey(path)
            except (UnreadablePicture, OSError) as error:
                _print({"file": str(path), "error": str(error)})
                continue
            found = decode(
                picture, deadline_ms=PHOTO_MS, accept=lambda reading: read_code(reading.text).code is not None
            )
            # Another look, so that a code that names no cylinder is shown with the reason rather than not at all.
            found = found or decode(picture, deadline_ms=THOROUGH_MS)
            facts = {"file": str(path), "ms": round((time.perf_counter() - began) * 1000, 1)}
            if not found:
                _print({**facts, "text": None, "code": None, "reason": "no code was found in the picture"})
            for reading in found:
                of_reading = {
                    "symbology": reading.symbology,
                    "decoder": reading.decoder,
                    "step": reading.step,
                }
                done &= scan(reading.text, {**facts, **of_reading})
    return DONE if done else UNDONE


def _camera(arguments: argparse.Namespace) -> int:
    from scanner.camera import CameraUnavailable, frames
    from scanner.decode.cascade import FAST_MS, decode

    equal, repeats, done = EqualReads(), Repeats(), True
    try:
        with _scanning(arguments) as scan:
            for frame, at_ms in frames(arguments.source, now_ms=_monotonic_ms):
                found = decode(
                    frame,
                    deadline_ms=FAST_MS,
                    accept=lambda reading: read_code(reading.text).code is not None,
                )
                by_text = {reading.text: reading for reading in found}
                for text in equal.confirmed(list(by_text), at_ms):
                    if repeats.is_repeat(read_code(text).code or text, at_ms, still_in_view=True):
                        continue
                    reading = by_text[text]
                    facts = {
                        "source": arguments.source,
                        "at_ms": at_ms,
                        "symbology": reading.symbology,
                        "decoder": reading.decoder,
                        "step": reading.step,
                    }
                    done &= scan(text, facts)
    except CameraUnavailable as error:
        print(f"cylinder-scan: {error}", file=sys.stderr)
        return UNUSABLE
    return DONE if done else UNDONE


def _usb(arguments: argparse.Namespace) -> int:
    repeats, done = Repeats(), True
    with _scanning(arguments) as scan:
        for line in lines(lambda: os.read(sys.stdin.fileno(), 65_536)):
            if line.text is None:
                raw = line.raw[:80].decode("ascii", "backslashreplace")
                _print({"text": None, "code": None, "raw": raw, "reason": line.refusal})
                continue
            code = read_code(line.text).code
            if code is not None and repeats.is_repeat(code, _monotonic_ms()):
                _print({"text": line.text, "code": code, "ignored": "scanned twice within 2 s"})
                continue
            done &= scan(line.text, {})
    return DONE if done else UNDONE


def _upload(arguments: argparse.Namespace) -> int:
    key = read_key(arguments.key)
    status(arguments.outbox)  # a name mistyped is no empty outbox
    with Outbox(arguments.outbox, device_id=key.device_id) as outbox:
        last = _drain(_uploader(key, outbox), outbox, most_failures=arguments.tries)
        return DONE if last is None else UNDONE


def _status(arguments: argparse.Namespace) -> int:
    found = status(arguments.outbox)
    print(
        json.dumps(said.status_facts(found), ensure_ascii=False)
        if arguments.as_json
        else said.status_text(found)
    )
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    key = read_key(arguments.key)
    code = parse_code(as_scanned(arguments.code)).text
    release = (arguments.reason, arguments.approved_by, arguments.outbox)
    if any(release) and not all(release):
        raise UnusableAction(
            "letting a fill go on needs --reason, --approved-by and --outbox; nothing was asked"
        )
    try:
        request = FillCheckRequest(
            cylinder_code=as_scanned(arguments.code),
            site_id=key.site_id,
            operator_id=arguments.operator,
            medium=arguments.medium,
            gun_id=arguments.gun,
        )
    except ValidationError as error:
        problems = "; ".join(
            f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors(include_url=False)
        )
        print(f"cylinder-scan: {problems}", file=sys.stderr)
        return UNUSABLE
    try:
        answer = asked(key, code, request, arguments.snapshot, arguments.max_age, now_ms=_now_ms)
    except (NoVerdict, SnapshotError) as error:
        print(f"无法判定，请勿充装。 / No verdict, do not fill: {error}", file=sys.stderr)
        return NO_VERDICT
    print(said.verdict_text(answer.verdict, answer.age_ms))
    if answer.verdict.decision == "PASS":
        return VERDICT_CODES["PASS"]
    if not all(release):
        print(said.HOW_TO_LET_GO, file=sys.stderr)
        return VERDICT_CODES[answer.verdict.decision]
    released = {
        "overrides": [reason.rule for reason in answer.verdict.reasons],
        "reason": arguments.reason,
        "approved_by": arguments.approved_by,
    }
    action = Action("override", key.site_id, key.device_id, arguments.operator, released)
    with _outbox(arguments.outbox, key) as outbox:
        event = Recorder(action, outbox, _now_ms).record(arguments.code)
    _print({"event": event})
    return LET_GO


def _snapshot(arguments: argparse.Namespace) -> int:
    key = read_key(arguments.key)
    server = Server(key, now_ms=_now_ms)

    def tell(entries: int) -> None:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"离线数据 / snapshot: {entries} 只 cylinders", end=end, file=sys.stderr, flush=True)

    try:
        with opened(key, arguments.snapshot) as file:
            fetched(server, file, tell)
    except (NoSnapshot, SnapshotError, Unreachable) as error:
        print(f"\n离线数据未更新 / The snapshot is not up to date: {error}", file=sys.stderr)
        return UNDONE
    finally:
        server.close()
    print("\n离线数据已更新 / The snapshot is up to date", file=sys.stderr)
    return DONE


@contextmanager
def _scanning(arguments: argparse.Namespace) -> Iterator[Scan]:
    """Opens what an action needs, and gives what to do with each code."""
    if arguments.action is None and not arguments.upload:
        if given := details(arguments):
            raise UnusableAction(
                f"{', '.join(given)} given without --action; say what is done with the cylinder"
            )
        yield lambda text, facts: _scan(text, facts, None, None)
        return
    missing = [name for name in ("action", "key", "outbox", "operator") if getattr(arguments, name) is None]
    if missing:
        raise UnusableAction("recording also needs " + ", ".join(f"--{name}" for name in missing))
    key = read_key(arguments.key)
    action = Action(arguments.action, key.site_id, key.device_id, arguments.operator, details(arguments))
    with ExitStack() as open_things:
        outbox = open_things.enter_context(_outbox(arguments.outbox, key))
        recorder = Recorder(action, outbox, _now_ms)
        if not arguments.upload:
            yield lambda text, facts: _scan(text, facts, recorder, None)
            return
        uploader = _uploader(key, outbox)
        background = BackgroundUpload(uploader)
        try:
            yield lambda text, facts: _scan(text, facts, recorder, background)
        finally:
            background.stop()
        _drain(uploader, outbox, most_failures=_LAST_TRIES)


def _scan(
    text: str, facts: dict[str, Any], recorder: Recorder | None, background: BackgroundUpload | None
) -> bool:
    line = line_of(text, facts, recorder)
    _print(line)
    if background is not None and "event" in line:
        background.tell()
    return "error" not in line


def _outbox(path: Path, key: DeviceKey) -> Outbox:
    server = Server(key, now_ms=_now_ms, answer_timeout_s=ANSWER_WITHIN_S)
    try:
        return numbering.opened(
            path, key, server, lambda said: print(f"cylinder-scan: {said}", file=sys.stderr)
        )
    finally:
        server.close()


def _uploader(key: DeviceKey, outbox: Outbox) -> Uploader:
    server = Server(
        key,
        now_ms=_now_ms,
        clock_offset_ms=outbox.clock_offset_ms,
        heard_offset=outbox.note_clock_offset,
    )
    return Uploader(outbox, server, now_ms=_now_ms)


def _drain(uploader: Uploader, outbox: Outbox, *, most_failures: int) -> Progress | None:
    """Sends what waits, with a progress line on standard error, so that standard output stays JSON."""
    total = outbox.count_waiting()
    stored = refused = 0

    def tell(progress: Progress) -> None:
        nonlocal stored, refused
        stored += progress.stored
        refused += progress.refused
        trouble = f"  {progress.problem}" if progress.problem else ""
        end = "\r" if sys.stderr.isatty() and not trouble else "\n"
        print(
            f"上传 / upload: {stored} 已入账 stored, {refused} 被退回 refused, 共 of {total}{trouble}",
            end=end,
            file=sys.stderr,
            flush=True,
        )

    last = send_all(uploader, most_failures=most_failures, sleep=time.sleep, told=tell)
    print(
        f"\n上传结束 / upload ended: {outbox.count_waiting()} 条待上传 waiting", file=sys.stderr, flush=True
    )
    return last


def _pictures(paths: list[Path]) -> Iterator[Path]:
    """The files given, and those in the folders given, by name; hidden files are none."""
    for path in paths:
        if path.is_dir():
            yield from sorted(
                one
                for one in path.rglob("*")
                if one.is_file() and not one.name.startswith(".") and one.suffix.lower() in PICTURE_SUFFIXES
            )
        else:
            yield path


PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def _print(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
