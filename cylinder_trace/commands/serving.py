"""Commands that keep the ledger at work: the database, the server, the worker, a sweep or a delivery at once."""

import argparse
import os
import secrets
import socket

from tqdm import tqdm

from cylinder_trace import delivery, sweep
from cylinder_trace.commands.arguments import MOMENT_HELP, Adding, Unusable, moment
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.enrolment import kept_server_key
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.mail import Channels
from cylinder_trace.settings import Settings
from cylinder_trace.stage import opened
from cylinder_trace.store import cylinders
from cylinder_trace.store.database import upgrade
from cylinder_trace.web.server import clock_ms
from cylinder_trace.worker import Worker


def add(command: Adding) -> None:
    """Add these commands."""
    database = command("db", "create or bring up to date the database", _db)
    database.add_argument("action", choices=["upgrade"])
    command("serve", "serve the pages and the API", _serve)
    command("worker", "sweep and deliver on a timetable", _worker)
    one = command("sweep", "judge everything that waits, once", _sweep)
    one.add_argument(
        "--as-of",
        type=moment,
        metavar="MOMENT",
        help=f"judge as if it were then: what runs out by time alone has, if it has by then; now if absent; {MOMENT_HELP}",
    )
    command("deliver", "send what is due, once", _deliver)


def _db(_arguments: argparse.Namespace, settings: Settings) -> int:
    upgrade(settings.database_url)
    print("the database is up to date")
    return 0


def _serve(_arguments: argparse.Namespace, settings: Settings) -> int:
    from granian import Granian
    from granian.constants import Interfaces

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Unusable(
                f"{settings.host}:{settings.port} can not be served on ({error.strerror});"
                " CYLINDER_TRACE_PORT chooses another port"
            ) from None
    upgrade(settings.database_url)
    os.environ.setdefault("CYLINDER_TRACE_SECRET_KEY", _kept_secret(settings))
    print(f"serving {settings.public_url}")
    Granian(
        "cylinder_trace.web.wsgi:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
    ).serve()
    return 0


def _kept_secret(settings: Settings) -> str:
    """A secret that survives restarts, made on first use and readable by nobody else."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.secret_directory / ".cylinder-trace-secret"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text()


def _channels(settings: Settings) -> Channels:
    return Channels(settings, lambda: kept_server_key(settings))


def _worker(_arguments: argparse.Namespace, settings: Settings) -> int:
    upgrade(settings.database_url)
    with opened(settings.database_url) as (database, cache):
        Worker(database, cache, _channels(settings), settings, clock_ms).run()
    return 0


def _sweep(arguments: argparse.Namespace, settings: Settings) -> int:
    now_ms = epoch_ms(arguments.as_of) if arguments.as_of else clock_ms()
    with opened(settings.database_url) as (database, cache), tqdm(unit=" judged", disable=None) as bar:
        try:
            looked = sweep.run(
                database, cache, now_ms, lambda _what, number: bar.update(number), gathered_ms=HOUR_MS
            )
        finally:
            # Stations fetch what changed since they last did, by the clock, whatever moment was judged for.
            if arguments.as_of:
                with database.writing() as connection:
                    cylinders.judged_at(connection, now_ms, clock_ms())
    print(", ".join(f"{number} {what}" for what, number in looked.items()))
    return 0


def _deliver(_arguments: argparse.Namespace, settings: Settings) -> int:
    with opened(settings.database_url) as (database, cache), tqdm(unit=" mails", disable=None) as bar:
        tally = delivery.run(
            database,
            cache,
            _channels(settings),
            clock_ms(),
            lambda _what, number: bar.update(number),
        )
    print(", ".join(f"{number} {what}" for what, number in tally.items()))
    return 0
