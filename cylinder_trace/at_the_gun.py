"""The station's part of the demonstration: the real `cylinder-scan` commands, with the server and without it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from cylinder_trace.stage import StepFailed

_SAID_BY = {0: "PASS", 3: "ASK", 4: "STOP", 5: "no verdict", 6: "let go"}
"""What the exit codes of `cylinder-scan check` say."""


class Gun:
    """The gun `demo-gun` and the courier `demo-courier`, with their keys and outboxes in one directory."""

    def __init__(self, directory: Path, operator: str) -> None:
        self._directory = directory
        self._operator = operator
        self._snapshot = str(directory / "gun.snapshot.sqlite3")

    def ask(self, expected: Mapping[str, str], *, offline: bool = False) -> str:
        """May these be filled? Raises StepFailed unless the verdicts are those that are expected."""
        for code, decision in expected.items():
            done = self._check(code, *(("--snapshot", self._snapshot) if offline else ()))
            print(indented(done.stdout))
            said = _SAID_BY.get(done.returncode)
            if said != decision or offline != ("离线结论" in done.stdout):
                raise StepFailed(f"the verdict on {code} was {said}: {done.stdout} {done.stderr}")
        return ", ".join(f"{code} {decision}" for code, decision in expected.items())

    def let_go(self, code: str) -> str:
        """A person lets a fill go on against the verdict; it waits in the outbox."""
        who = ("--reason", "检验报告在手，待补录", "--approved-by", "值班站长")
        done = self._check(code, "--snapshot", self._snapshot, *who, *self._outbox("gun"))
        if _SAID_BY.get(done.returncode) != "let go":
            raise StepFailed(f"{code} was not let go: {done.stdout} {done.stderr}")
        return "人工放行 let go by 值班站长, kept until there is a network"

    def fetch(self) -> str:
        """Fetch the signed verdicts for the hours without a network."""
        return self._done("snapshot", "--snapshot", self._snapshot, by="gun").stderr.strip().splitlines()[-1]

    def fill(self, pictures: Path) -> None:
        """Check, fill and check again what the labels in a folder name."""
        fill = ("fill", "--medium", "lpg", "--gas-mass-kg", "14.5")
        for action in (("fill-check", "--result", "pass"), fill, ("post-check", "--result", "pass")):
            self._record(pictures, "gun", self._operator, *action)

    def carry(self, pictures: Path, *action: str) -> None:
        """The courier scans what the labels in a folder name."""
        self._record(pictures, "courier", "courier-1", *action)

    def upload(self) -> None:
        """Send what waits."""
        self._done("upload", *self._outbox("gun"), by="gun")

    def scan(self, *arguments: str, by: str | None = None) -> "subprocess.CompletedProcess[str]":
        """One command of the station's, with its key where it is said by whom."""
        command = [sys.executable, "-m", "scanner", *arguments]
        if by is not None:
            command += ["--key", str(self._directory / f"demo-{by}.key.json")]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

    def _check(self, code: str, *more: str) -> "subprocess.CompletedProcess[str]":
        return self.scan("check", code, "--operator", self._operator, "--medium", "lpg", *more, by="gun")

    def _record(self, pictures: Path, by: str, operator: str, *action: str) -> None:
        who = ("--operator", operator, "--upload", *self._outbox(by))
        self._done("images", str(pictures), *who, "--action", *action, by=by)

    def _done(self, *arguments: str, by: str) -> "subprocess.CompletedProcess[str]":
        done = self.scan(*arguments, by=by)
        if done.returncode:
            raise StepFailed(f"cylinder-scan {' '.join(arguments)}: {done.stdout} {done.stderr}")
        return done

    def _outbox(self, by: str) -> tuple[str, str]:
        return "--outbox", str(self._directory / f"{by}.outbox.sqlite3")


def indented(text: str) -> str:
    """What a command printed, as it is shown within a step."""
    return "\n".join(f"    {line}" for line in text.splitlines())
