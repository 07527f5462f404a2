"""`cylinder-scan` as an operator runs it: real processes, pictures, films and a server on loopback."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from scanner.camera import LatestFrame
from scanner.cli import main
from scanner.outbox import status
from tests.scanner.loopback import DEVICE, SITE, Request, answer, receipts, serving, write_key

CODE = "331310012345678"
VERDICT = {
    "decision": "PASS",
    "cylinder_code": CODE,
    "reasons": [],
    "judged_at": "2026-03-01T08:00:00.000+00:00",
}
REASON = {
    "rule": "fill_overdue",
    "title_zh": "超期充装",
    "title_en": "Overdue",
    "fact_zh": "检验有效期至2025-12-31",
    "fact_en": "valid until 2025-12-31",
    "remedy_zh": "送检",
    "remedy_en": "send to inspection",
    "law": ["特种设备安全法 art. 49"],
}


def run(*arguments: object, typed: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, JSON lines on standard output, and standard error."""
    command = [sys.executable, "-m", "scanner.cli", *map(str, arguments)]
    result = subprocess.run(command, input=typed, capture_output=True, timeout=30, check=False)
    return (
        result.returncode,
        [json.loads(line) for line in result.stdout.splitlines()],
        result.stderr.decode(),
    )


def label(text: str) -> NDArray[np.uint8]:
    """A QR label, dark on light, (height, width) uint8."""
    rows = [[0 if dark else 255 for dark in row] for row in segno.make(text, micro=False).matrix]
    return np.pad(np.kron(np.array(rows, np.uint8), np.ones((6, 6), np.uint8)), 40, constant_values=255)


def film(path: Path, pictures: list[NDArray[np.uint8]]) -> Path:
    """An MJPG film of 640x480 at 25 frames a second, each picture in the middle of a grey frame."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (640, 480))
    for picture in pictures:
        frame = np.full((480, 640), 200, np.uint8)
        height, width = picture.shape
        frame[60 : 60 + height, 100 : 100 + width] = picture
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


@pytest.fixture
def device(tmp_path: Path) -> list[object]:
    """Options that record into an outbox, with a key whose server does not exist."""
    key = write_key(tmp_path, "http://127.0.0.1:9", Ed25519PrivateKey.generate())
    return ["--key", key, "--outbox", tmp_path / "outbox.sqlite3", "--operator", "op-1"]


def test_images_reads_a_folder_and_says_what_it_could_not_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), label(f"https://example.com/q?code={CODE}"))
    cv2.imwrite(str(tmp_path / "b.png"), label("hello"))
    cv2.imwrite(str(tmp_path / "c.png"), np.full((80, 80), 128, np.uint8))
    (tmp_path / "d.jpg").write_bytes(b"no picture")
    exit_code, found, _ = run("images", tmp_path, tmp_path / "missing.png")
    assert exit_code == 0
    good, other, empty, broken, missing = found
    assert (good["code"], good["symbology"], good["scheme"]) == (CODE, "QR", "registration")
    assert {"file", "text", "decoder", "step", "ms"} <= good.keys()
    assert (other["text"], other["code"]) == ("hello", None)
    assert "6 to 40" in other["reason"]
    assert empty["text"] is None
    assert "not a picture" in broken["error"]
    assert "missing.png" in missing["error"]


def test_images_records_an_event_for_each_code(tmp_path: Path, device: list[object]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), label(CODE))
    action = ["--action", "fill", "--medium", "lpg", "--gas-mass-kg", "14.5"]
    exit_code, (line,), _ = run("images", tmp_path / "a.png", *action, *device)
    assert exit_code == 0
    event = line["event"]
    assert (event["kind"], event["medium"], event["gas_mass_kg"]) == ("fill", "lpg", 14.5)
    assert (event["site_id"], event["device_id"], event["operator_id"]) == (SITE, DEVICE, "op-1")
    assert status(tmp_path / "outbox.sqlite3").waiting == 1


def test_usb_reads_full_width_cr_lf_tab_and_aim_and_drops_the_doubled_scan() -> None:
    typed = f"]Q1{CODE}\r\n３３１３１００９９９９９９９\t{CODE}\rnonsense\n".encode() + b"\xff\xfe\nCYL0"
    exit_code, found, _ = run("usb", typed=typed)
    assert exit_code == 0
    aim, wide, doubled, nonsense, bad, cut = found
    assert aim["code"] == CODE
    assert wide["code"] == "33131009999999"
    assert doubled["ignored"]
    assert nonsense["code"] is None
    assert "not UTF-8" in bad["reason"]
    assert "stopped" in cut["reason"]


def test_usb_uploads_while_scanning_and_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path, receipts) as server:
        device = ["--key", server.key_path, "--outbox", tmp_path / "o", "--operator", "op-1"]
        ship = ["--action", "ship", "--to-site", "depot-1", "--waybill", "w-7", "--upload"]
        for run_no in range(2):
            typed = b"".join(b"CYL%d%05d\n" % (run_no, number) for number in range(20))
            assert run("usb", *ship, *device, typed=typed)[0] == 0
        assert not server.bad_signatures
        sent = [event for request in server.requests for event in request.events]
    assert [event["device_seq"] for event in sent] == list(range(1, 41))
    assert {event["waybill"] for event in sent} == {"w-7"}
    assert status(tmp_path / "o").stored == 40


def test_scanning_without_a_network_succeeds_and_upload_sends_it_later(
    tmp_path: Path, device: list[object]
) -> None:
    assert run("usb", "--action", "observe", *device, typed=b"CYL000001\nCYL000002\n")[0] == 0
    refusal = {"code": "conflict", "zh": "内容不同", "en": "other content"}
    with serving(tmp_path, lambda request: receipts(request, "refused", refusal=refusal)) as server:
        exit_code, _, said = run("upload", "--key", server.key_path, "--outbox", tmp_path / "outbox.sqlite3")
    assert exit_code == 0
    assert "2 被退回" in said
    exit_code, (found,), _ = run("status", "--outbox", tmp_path / "outbox.sqlite3", "--json")
    assert (exit_code, found["waiting"], found["refused"]) == (0, 0, 2)
    assert found["tray"][0]["reason"] == refusal


def test_status_is_told_in_chinese_and_english(
    tmp_path: Path, device: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    run("usb", "--action", "observe", *device, typed=b"CYL000001\n")
    assert run("upload", *device[:4], "--tries", 1)[0] == 1
    assert main(["status", "--outbox", str(tmp_path / "outbox.sqlite3")]) == 0
    said = capsys.readouterr().out
    assert "待上传 1 条" in said
    assert "waiting 1" in said
    assert "does not answer" in said


def test_camera_accepts_a_code_after_two_equal_frames_and_says_it_once(
    tmp_path: Path, device: list[object]
) -> None:
    blank = np.full((60, 60), 200, np.uint8)
    source = film(tmp_path / "a.avi", [blank] * 3 + [label(CODE)] * 60 + [blank] * 3 + [label("CYL000777")])
    exit_code, found, _ = run("camera", "--source", source, "--action", "observe", *device)
    assert exit_code == 0
    (line,) = found
    assert line["event"]["cylinder_code"] == CODE
    assert line["at_ms"] == 160


def test_a_camera_that_is_not_there_is_said_plainly() -> None:
    exit_code, found, said = run("camera", "--source", "/nowhere.avi")
    assert (exit_code, found) == (2, [])
    assert "can not be opened" in said


@pytest.mark.parametrize(
    ("decision", "exit_code", "said"), [("PASS", 0, "可以充装"), ("ASK", 3, "核实"), ("STOP", 4, "禁止充装")]
)
def test_check_tells_the_verdict_by_text_and_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], decision: str, exit_code: int, said: str
) -> None:
    reasons = [] if decision == "PASS" else [REASON]

    def react(request: Request) -> tuple[int, dict[str, Any], dict[str, str]]:
        assert request.path == "/api/v1/fill-checks"
        assert request.message["site_id"] == SITE
        return 200, {**VERDICT, "decision": decision, "reasons": reasons}, {}

    with serving(tmp_path, react) as server:
        found = main(["check", CODE, "--key", str(server.key_path), "--operator", "op-1", "--medium", "lpg"])
        assert not server.bad_signatures
    printed = capsys.readouterr().out
    assert found == exit_code
    assert said in printed
    assert decision in printed
    assert ("送检" in printed) == bool(reasons)


def test_check_without_a_verdict_says_do_not_fill(tmp_path: Path, device: list[object]) -> None:
    question = ["--operator", "op-1", "--medium", "lpg"]
    exit_code, _, said = run("check", CODE, *device[:2], *question)
    assert exit_code == 5
    assert "请勿充装" in said
    with serving(tmp_path, lambda _: answer(401, "unknown_device")) as server:
        exit_code, _, said = run("check", CODE, "--key", server.key_path, *question)
    assert exit_code == 5
    assert "unknown_device" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["upload", "--outbox", "x", "--tries", "-1"], "-1: give a whole number from 1 up"),
        (
            ["check", "CT01", "--operator", "op", "--medium", "lpg", "--max-age", "nan"],
            "nan: give hours from 0",
        ),
        (
            ["check", "CT01", "--operator", "op", "--medium", "lpg", "--max-age", "-1"],
            "-1: give hours from 0",
        ),
    ],
)
def test_a_number_that_means_nothing_is_refused(words: list[str], said: str, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main([*words, "--key", "x"])
    assert said in capsys.readouterr().err


def test_an_action_without_what_it_needs_is_refused_before_scanning(device: list[object]) -> None:
    exit_code, found, said = run("usb", "--action", "ship", *device, typed=b"CYL000001\n")
    assert (exit_code, found) == (2, [])
    assert "to_site" in said
    exit_code, _, said = run("usb", "--action", "observe", typed=b"CYL000001\n")
    assert exit_code == 2
    assert "--key, --outbox, --operator" in said


def test_a_slow_reader_of_a_live_source_gets_the_newest_frame_and_then_the_end(tmp_path: Path) -> None:
    shades = [np.full((200, 200), shade, np.uint8) for shade in range(0, 250, 10)]
    latest = LatestFrame(str(film(tmp_path / "a.avi", shades)))
    try:
        latest._thread.join(timeout=10)
        newest = latest.take()
        assert newest is not None
        assert abs(int(newest[160, 200]) - 240) < 5
        assert latest.take() is None
    finally:
        latest.close()


def test_a_reader_that_goes_away_ends_the_scanner_quietly(device: list[object]) -> None:
    command = [sys.executable, "-m", "scanner.cli", "usb", "--action", "observe", *map(str, device)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(b"CYL000001\nCYL000002\n")
        process.stdin.close()
        assert process.wait(10) == 1
        said = process.stderr.read().decode().splitlines()
        assert [line for line in said if "新发件箱" not in line] == []


def test_uploading_from_an_outbox_that_is_not_there_is_said_and_makes_none(
    tmp_path: Path, device: list[object]
) -> None:
    exit_code, _, said = run("upload", *device[:2], "--outbox", tmp_path / "mistyped")
    assert exit_code == 2
    assert "no outbox" in said
    assert not (tmp_path / "mistyped").exists()
