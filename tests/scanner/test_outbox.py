"""A scan that was acknowledged is on the disk, numbered without gaps, whatever happens to the process."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner.actions import Action, UnusableAction
from scanner.event_id import event_id
from scanner.keys import UnusableKey, read_key
from scanner.outbox import Outbox, OutboxBusy, OutboxForeign, status
from scanner.recording import Recorder
from tests.scanner.loopback import DEVICE, SITE, write_key


def scanner(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "scanner.cli", *map(str, arguments)]


def recording(tmp_path: Path) -> list[str]:
    key = write_key(tmp_path, "http://127.0.0.1:9", Ed25519PrivateKey.generate())
    options = ("--action", "observe", "--operator", "op-1", "--key", key)
    return scanner("usb", *options, "--outbox", tmp_path / "outbox.sqlite3")


def in_outbox(path: Path) -> dict[int, str]:
    with Outbox(path, device_id=DEVICE) as outbox:
        return {one.device_seq: one.event_id for one in outbox.waiting(100_000)}


def test_every_acknowledged_scan_survives_kill_9_and_numbers_have_no_gap(tmp_path: Path) -> None:
    acknowledged: dict[int, str] = {}
    for run, enough in enumerate((3, 40, 11)):
        process = subprocess.Popen(recording(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(b"RUN%d%06d\r" % (run, number) for number in range(2000)))
        process.stdin.flush()
        lines = [process.stdout.readline() for _ in range(enough)]
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read()  # not communicate(), which loses what readline has read ahead
        assert process.wait(10) == -signal.SIGKILL
        process.stdin.close()
        process.stdout.close()
        lines += [line for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
        for line in lines:
            event = json.loads(line)["event"]
            assert event["device_seq"] not in acknowledged
            acknowledged[event["device_seq"]] = event["event_id"]
    kept = in_outbox(tmp_path / "outbox.sqlite3")
    assert len(kept) < 6000, "the process ended before it was killed"
    assert acknowledged.items() <= kept.items()
    assert sorted(kept) == list(range(1, len(kept) + 1))


def test_a_second_process_on_one_outbox_is_refused_and_told_why(tmp_path: Path) -> None:
    command = recording(tmp_path)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdin.write(b"CYL000001\n")
        first.stdin.flush()
        first.stdout.readline()
        second = subprocess.run(command, input=b"CYL000002\n", capture_output=True, timeout=20, check=False)
        assert second.returncode == 2
        assert f"process {first.pid}".encode() in second.stderr
        assert second.stdout == b""
        assert status(tmp_path / "outbox.sqlite3").waiting == 1
        first.stdin.close()
        assert first.wait(10) == 0


def test_two_outboxes_of_one_file_in_one_process_are_refused_too(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o", device_id=DEVICE), pytest.raises(OutboxBusy, match="in use"):
        Outbox(tmp_path / "o", device_id=DEVICE)
    Outbox(tmp_path / "o", device_id=DEVICE).close()


def test_a_full_disk_is_said_before_anything_is_acknowledged(tmp_path: Path) -> None:
    limit = 200_000
    result = subprocess.run(
        recording(tmp_path),
        input=b"".join(b"CYL%06d\n" % number for number in range(300)),
        capture_output=True,
        timeout=30,
        check=False,
        # A file that may not grow fails a write just as a disk without space does.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    acknowledged = {
        line["event"]["device_seq"]: line["event"]["event_id"] for line in lines if "event" in line
    }
    refused = [line for line in lines if "error" in line]
    assert len(lines) == 300
    assert acknowledged
    assert refused
    assert "NOT recorded" in refused[0]["error"]
    assert result.returncode == 1
    kept = in_outbox(tmp_path / "outbox.sqlite3")
    assert acknowledged == kept
    assert sorted(kept) == list(range(1, len(kept) + 1))


def test_an_event_that_can_not_be_made_uses_no_number(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o", device_id=DEVICE) as outbox:
        recorder = Recorder(Action("observe", SITE, DEVICE, "op-1"), outbox, lambda: 1_000)
        with pytest.raises(ValueError, match="not a cylinder code"):
            recorder.record("?")
        assert recorder.record("CYL000001")["device_seq"] == 1


def test_the_outbox_of_another_device_is_refused(tmp_path: Path) -> None:
    Outbox(tmp_path / "o", device_id="other").close()
    with pytest.raises(OutboxForeign, match="belongs to device other"):
        Outbox(tmp_path / "o", device_id=DEVICE)


def test_a_file_that_is_no_outbox_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "o").write_bytes(b"my thesis" * 1000)
    with pytest.raises(OutboxForeign, match="not an outbox"):
        Outbox(tmp_path / "o", device_id=DEVICE)
    assert (tmp_path / "o").read_bytes() == b"my thesis" * 1000


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = write_key(tmp_path, "http://127.0.0.1:9", Ed25519PrivateKey.generate())
    assert read_key(path).device_id == DEVICE
    path.chmod(0o644)
    with pytest.raises(UnusableKey, match="chmod 600"):
        read_key(path)


def test_event_ids_are_version_7_and_sort_by_time() -> None:
    made = [event_id(ms) for ms in range(1_700_000_000_000, 1_700_000_000_500)]
    assert made == sorted(made)
    assert {(one.version, one.variant) for one in made} == {(7, UUID(int=1 << 63).variant)}
    assert made[7].int >> 80 == 1_700_000_000_007


@pytest.mark.parametrize(
    ("name", "details", "said"),
    [
        ("ship", {"medium": "lpg", "to_site": "depot-1"}, "medium"),
        ("ship", {}, "to_site"),
        ("fill", {"medium": "lpg"}, "gas_mass_kg"),
        ("inspect", {"result": "pass"}, "valid_until"),
        ("fill-check", {"result": "maybe"}, "result"),
    ],
)
def test_an_action_with_the_wrong_fields_is_refused_before_the_first_scan(
    name: str, details: dict[str, str], said: str
) -> None:
    with pytest.raises(UnusableAction, match=said):
        Action(name, SITE, DEVICE, "op-1", details)


@pytest.mark.parametrize(
    ("name", "details", "ends"),
    [
        ("ship", {"to_site": "x"}, (SITE, "x")),
        ("receive", {"from_site": "x"}, ("x", SITE)),
        ("deliver", {"to_site": "x"}, (SITE, "x")),
        ("return", {"from_site": "x"}, ("x", SITE)),
    ],
)
def test_one_end_of_a_movement_is_the_devices_own_site(
    name: str, details: dict[str, str], ends: tuple[str, str]
) -> None:
    event = Action(name, SITE, DEVICE, "op-1", details).event(
        "CYL000001", device_seq=1, now_ms=0, clock_offset_ms=-5
    )
    assert (event.from_site, event.to_site, event.clock_offset_ms) == (*ends, -5)
