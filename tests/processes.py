"""Real processes of ours for tests: started with their settings, watched through what they say, ended by their own id."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from cylinder_trace.settings import PREFIX
from tests.conftest import CHECKOUT

LONGEST_WAIT_S = 60.0
"""A bound against hanging for ever, far above what anything here takes."""


class Process:
    """`python -m <arguments>` in a process group of its own; what it says is in `log`."""

    def __init__(self, log: Path, *arguments: str, **settings: object) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        ours = {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items()}
        self.log = log
        command = [sys.executable, "-m", *arguments]
        if shutil.which("setpriv"):
            # Also when this session is killed and can not clean up, a worker must not stay and look for its database.
            command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=inherited | ours,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # So that a server is killed with the process that really serves, as the system's own kill does.
                start_new_session=True,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """End it and its children as a power cut would; one that has ended already is left alone."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(LONGEST_WAIT_S)

    def asked_to_end(self) -> int:
        """Send SIGTERM; gives the exit code."""
        self.terminate()
        return self.exit_code()

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def exit_code(self) -> int:
        """Wait for its end."""
        return self._process.wait(LONGEST_WAIT_S)

    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def said(self) -> str:
        """All that it printed so far."""
        return self.log.read_text("utf-8")

    def wait_to_say(self, words: str, times: int = 1) -> None:
        """Wait until it has said this so many times."""
        until(lambda: self.said().count(words) >= times, f"{words!r} in {self.log.name}", self)


def until(is_so: Callable[[], object], what: str, *processes: Process) -> None:
    """Wait until something is so; fails after `LONGEST_WAIT_S`, or when one of these has ended, with what they said."""
    deadline_s = time.monotonic() + LONGEST_WAIT_S
    while not is_so():
        if time.monotonic() > deadline_s or not all(one.runs() for one in processes):
            said = "\n".join(f"--- {one.log.name}\n{one.said()[-4000:]}" for one in processes)
            raise AssertionError(f"waited in vain for {what}\n{said}")
        time.sleep(0.05)
