"""The whole way once, as a stranger would run it."""

import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path


def test_the_demonstration_goes_from_a_printed_label_to_a_mail_in_the_inbox(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    command = [
        sys.executable,
        "-m",
        "cylinder_trace",
        "demo",
        "--once",
        "--cylinders",
        "200",
        "--directory",
        str(place),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓" in done.stdout
    mails = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (place / "inbox").glob("*.eml")
    ]
    overdue = next(mail for mail in mails if "超期未检充装" in mail["Subject"])
    text = overdue.get_body(("plain",))
    page = overdue.get_body(("html",))
    assert text is not None
    assert page is not None
    for part in (text.get_content(), page.get_content()):
        assert "超期未检充装" in part
        assert "特种设备安全法" in part
        assert "/alerts/" in part
    assert "http://www" not in page.get_content()
