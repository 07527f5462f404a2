"""The stage of the demonstration: a real server, a real mail server, and the database between them."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import IO, Any

import requests
from tqdm import tqdm

from cylinder_trace import audit
from cylinder_trace.law.tables import load as load_law
from cylinder_trace.store.database import Database, open_database
from cylinder_trace.store.parties import ReferenceCache


class StepFailed(Exception):
    """A step of the demonstration did not do what it promises."""


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """A directory of our own, emptied: never one that holds anything but an earlier demonstration that has ended."""
    running = directory / "running"
    if directory.exists() and any(directory.iterdir()):
        if not (running.is_file() or (directory / "demo.sqlite3").is_file()):
            raise StepFailed(
                f"{directory} holds other things; name an empty directory: make demo DIRECTORY=..."
            )
        with running.open("w") as file:
            _lock(file, directory)
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with running.open("w") as file:
        _lock(file, directory)
        yield


def _lock(file: IO[str], directory: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StepFailed(
            f"another demonstration is running in {directory}; end it, or name another directory"
        ) from None


@contextmanager
def smtp_sink(mails: list[bytes]) -> Iterator[int]:
    """A real SMTP server on loopback that keeps what it is given in `mails`; gives its port."""
    from aiosmtpd.controller import Controller

    class Sink:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            mails.append(envelope.original_content)
            return "250 taken"

    port = free_port()
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def subject_of(mail: Message) -> str:
    """A mail's subject as people read it."""
    return str(make_header(decode_header(mail["Subject"])))


@contextmanager
def opened(url: str) -> Iterator[tuple[Database, ReferenceCache]]:
    """The database and its reference data, closed at the end."""
    database = open_database(url)
    try:
        yield database, ReferenceCache(load_law())
    finally:
        database.close()


@contextmanager
def serving(url: str, port: int, directory: Path) -> Iterator[int]:
    """The real server as a process of its own, ended with the block; its words are in server.log.

    Gives the id of its session, which its children share.
    """
    variables = environment(url, port) | {"CYLINDER_TRACE_SECRET_DIRECTORY": str(directory)}
    log = (directory / "server.log").open("wb")
    # In a session of its own, so that Ctrl-C reaches us alone and the server is asked to end exactly once.
    process = subprocess.Popen(
        [sys.executable, "-m", "cylinder_trace", "serve"],
        env=variables,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/sign-in", process)
        yield process.pid
    finally:
        stop(process)
        log.close()


def audited(database: Database, cache: ReferenceCache, said: Callable[[str], object]) -> tuple[int, str]:
    """Audit with a progress bar, each difference said as it is found; gives their number and how much was checked."""
    differences = 0
    checked: Counter[str] = Counter()
    with tqdm(unit=" checked", disable=None) as bar:

        def told(what: str, number: int) -> None:
            checked[what] += number
            bar.update(number)

        for difference in audit.run(database, cache, told):
            differences += 1
            said(difference)
    return differences, ", ".join(f"{number} {what}" for what, number in checked.items())


def environment(url: str, port: int) -> dict[str, str]:
    """The settings a process of the demonstration is started with."""
    changes = {
        "DATABASE_URL": url,
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "MAIL_FROM": "alerts@qp.example",
    }
    return os.environ | {f"CYLINDER_TRACE_{name}": value for name, value in changes.items()}


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(150):
        if process.poll() is not None:
            raise StepFailed(f"the server ended with {process.returncode}; see server.log")
        try:
            requests.get(address, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise StepFailed("the server did not answer within 30 s; see server.log")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process we started: asked first, killed after 15 s."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
