"""The door for people at a terminal: `cylinder-trace ...`."""

import argparse
import getpass
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path

from sqlalchemy.exc import ArgumentError, DBAPIError
from tqdm import tqdm

from cylinder_trace import bench, delivery, demo, load, replay, sweep
from cylinder_trace.contract.errors import ContractError
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.enrolment import enrol, write_key
from cylinder_trace.judging.reference import Reference
from cylinder_trace.law.tables import LawError
from cylinder_trace.law.tables import load as load_law
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.settings import Settings, UnknownSetting, load_settings
from cylinder_trace.simulator.city import Plan, simulate
from cylinder_trace.simulator.files import write
from cylinder_trace.stage import audited, opened
from cylinder_trace.store import ledger, notices, people
from cylinder_trace.store.database import upgrade
from cylinder_trace.web.server import clock_ms
from cylinder_trace.worker import Worker

SHORTEST_PASSWORD = 8


class Unusable(ValueError):
    """What was asked can not be done so; the message says what to give instead."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the process's exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    for chatty in ("alembic", "mail.log", "apscheduler"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        result: int = arguments.run(arguments, load_settings())
    except FileExistsError as error:
        print(f"cylinder-trace: {error.filename} is there already; name another file", file=sys.stderr)
        return 2
    except (Unusable, UnknownSetting, ContractError, people.AlreadyThere, OSError) as error:
        print(f"cylinder-trace: {error}", file=sys.stderr)
        return 2
    except ArgumentError as error:
        print(f"cylinder-trace: the database URL can not be read: {error}", file=sys.stderr)
        return 2
    except DBAPIError as error:
        print(f"cylinder-trace: {_database_trouble(error)}", file=sys.stderr)
        return 2
    return result


def _database_trouble(error: DBAPIError) -> str:
    said = str(error.orig).strip().splitlines()[0]
    if "no such table" in said or "does not exist" in said:
        return f"the database has no tables yet, or old ones ({said}); run: cylinder-trace db upgrade"
    return f"the database does not answer ({said}); see CYLINDER_TRACE_DATABASE_URL"


def _moment(text: str) -> datetime:
    """A moment given on the command line. Raises ValueError for one without an offset, which argparse tells."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no offset; give such as 2026-11-01T00:00:00+08:00")
    return moment


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cylinder-trace", description="气瓶追溯：台账、研判、预警 / ledger, judge, alerts"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, help_text: str, run: object) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text)
        sub.set_defaults(run=run)
        return sub

    database = command("db", "create or bring up to date the database", _db)
    database.add_argument("action", choices=["upgrade"])
    command("serve", "serve the pages and the API", _serve)
    command("worker", "sweep and deliver on a timetable", _worker)
    one = command("sweep", "judge everything that waits, once", _sweep)
    one.add_argument("--as-of", type=_moment, help="a moment with offset; now if absent")
    command("deliver", "send what is due, once", _deliver)
    loading = command("load", "read master data and events from JSON Lines", _load)
    loading.add_argument("--master", type=Path)
    loading.add_argument("--events", type=Path)
    simulating = command("simulate", "make a simulated city", _simulate)
    simulating.add_argument("--out", type=Path, required=True)
    simulating.add_argument("--seed", type=int, default=1)
    simulating.add_argument("--cylinders", type=int, default=2000)
    simulating.add_argument("--days", type=int, default=60)
    simulating.add_argument(
        "--end", type=_moment, default=datetime.fromisoformat("2026-11-01T00:00:00+08:00")
    )
    replaying = command("replay", "what would the rules have found? nothing is written", _replay)
    replaying.add_argument("--as-of", type=_moment)
    command("audit", "hash, tell and judge everything anew, and compare it with what is kept", _audit)
    devices = command("device", "enrol or revoke a scanning device", _device)
    devices.add_argument("action", choices=["add", "revoke"])
    devices.add_argument("device_id")
    devices.add_argument("--site")
    devices.add_argument(
        "--office",
        action="store_true",
        help="it may also register, license, inspect and correct for every site",
    )
    devices.add_argument("--key-file", type=Path, help="write the key here (mode 600) instead of printing it")
    users = command("user", "let a person sign in, or change the password", _user)
    users.add_argument("action", choices=["add"])
    users.add_argument("username")
    users.add_argument("--name", required=True)
    users.add_argument("--role", choices=sorted(people.ROLES), required=True)
    users.add_argument("--scope", default="", help="district adcode or site id; empty for the city")
    mails = command("recipient", "name an address for a district's alert mails", _recipient)
    mails.add_argument("action", choices=["add"])
    mails.add_argument("address")
    mails.add_argument(
        "--district", default=notices.EVERYWHERE, help="adcode; * (default) takes what no district does"
    )
    mails.add_argument("--name", default="")
    showing = command("demo", "the whole way once, on a simulated city", _demo)
    showing.add_argument("--once", action="store_true", help="check every step, print a summary, and end")
    showing.add_argument("--photos", type=Path, help="a folder of pictures to decode as well")
    showing.add_argument("--directory", type=Path, default=Path(".demo"))
    showing.add_argument("--cylinders", type=int, default=2000)
    command("bench", "measure judging and storing", _bench)
    return parser


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


def _worker(_arguments: argparse.Namespace, settings: Settings) -> int:
    upgrade(settings.database_url)
    with opened(settings.database_url) as (database, cache):
        Worker(database, cache, SmtpChannel(settings), settings, clock_ms).run()
    return 0


def _sweep(arguments: argparse.Namespace, settings: Settings) -> int:
    now_ms = epoch_ms(arguments.as_of) if arguments.as_of else clock_ms()
    with opened(settings.database_url) as (database, cache), tqdm(unit=" judged", disable=None) as bar:
        looked = sweep.run(database, cache, now_ms, lambda _what, number: bar.update(number))
    print(", ".join(f"{number} {what}" for what, number in looked.items()))
    return 0


def _deliver(_arguments: argparse.Namespace, settings: Settings) -> int:
    with opened(settings.database_url) as (database, cache), tqdm(unit=" mails", disable=None) as bar:
        tally = delivery.run(
            database,
            cache,
            SmtpChannel(settings),
            clock_ms(),
            lambda _what, number: bar.update(number),
        )
    print(", ".join(f"{number} {what}" for what, number in tally.items()))
    return 0


def _load(arguments: argparse.Namespace, settings: Settings) -> int:
    with opened(settings.database_url) as (database, _), tqdm(unit=" lines", disable=None) as bar:
        report = load.run(
            database,
            arguments.master,
            arguments.events,
            clock_ms(),
            bar.update,
        )
    print(", ".join(f"{number} {what}" for what, number in report.counts.items()))
    for line in report.refused[:20]:
        print(line, file=sys.stderr)
    return 1 if report.refused else 0


def _simulate(arguments: argparse.Namespace, _settings: Settings) -> int:
    city = simulate(
        Plan(seed=arguments.seed, cylinders=arguments.cylinders, days=arguments.days, end=arguments.end)
    )
    write(city, arguments.out)
    print(
        f"{len(city.records)} records, {len(city.arrivals)} events, {len(city.labels)} labels in {arguments.out}"
    )
    return 0


def _replay(arguments: argparse.Namespace, settings: Settings) -> int:
    as_of_ms = epoch_ms(arguments.as_of) if arguments.as_of else clock_ms()
    with opened(settings.database_url) as (database, cache), tqdm(unit=" cylinders", disable=None) as bar:
        found = replay.run(database, cache, as_of_ms, bar.update)
        with database.reading() as connection:
            waiting = ledger.counts(connection)["pending"]
    if waiting:
        print(
            f"cylinder-trace: note: {waiting} events wait to be judged; run: cylinder-trace sweep",
            file=sys.stderr,
        )
    by_rule: dict[str, set[str]] = {}
    for finding in found:
        by_rule.setdefault(finding.rule, set()).add(finding.fingerprint)
    for rule, fingerprints in sorted(by_rule.items()):
        print(f"{rule:24} {len(fingerprints):6}")
    return 0


def _audit(_arguments: argparse.Namespace, settings: Settings) -> int:
    with opened(settings.database_url) as (database, cache):
        differences, checked = audited(database, cache, print)
    print(f"{checked}: {differences} differences")
    return 1 if differences else 0


def _device(arguments: argparse.Namespace, settings: Settings) -> int:
    with opened(settings.database_url) as (database, cache), database.writing() as connection:
        if arguments.action == "revoke":
            if not people.revoke(connection, arguments.device_id, clock_ms()):
                print(f"no enrolled device {arguments.device_id}", file=sys.stderr)
                return 1
            print(f"{arguments.device_id} is revoked")
            return 0
        if not arguments.site:
            raise Unusable("device add needs --site: the site it scans at")
        _warn_of_unknown_site(cache.read(connection), arguments.site)
        key = enrol(
            connection,
            arguments.device_id,
            arguments.site,
            settings.public_url,
            clock_ms(),
            is_office=arguments.office,
        )
        if arguments.key_file is not None:
            # Before the enrolment is committed: a device whose key was never written could not be enrolled again.
            write_key(key, arguments.key_file)
    if arguments.key_file is None:
        print(key.model_dump_json(indent=2))
    else:
        print(f"key file {arguments.key_file}; it is not kept anywhere else")
    return 0


def _user(arguments: argparse.Namespace, settings: Settings) -> int:
    kind = people.ROLES[arguments.role]
    scope = _district(arguments.scope) if kind == "district" else arguments.scope
    if (kind == "city") == bool(scope):
        wanted = {"city": "no --scope", "district": "--scope ADCODE", "station": "--scope SITE"}[kind]
        raise Unusable(f"the role {arguments.role} takes {wanted}")
    password = os.environ.get("NEW_PASSWORD") or getpass.getpass("password: ")
    if len(password) < SHORTEST_PASSWORD:
        raise Unusable(f"a password has at least {SHORTEST_PASSWORD} characters")
    with opened(settings.database_url) as (database, cache), database.writing() as connection:
        if kind == "station":
            _warn_of_unknown_site(cache.read(connection), scope)
        people.put_account(connection, arguments.username, password, arguments.name, arguments.role, scope)
    print(f"{arguments.username} may sign in as {arguments.role}")
    return 0


def _recipient(arguments: argparse.Namespace, settings: Settings) -> int:
    if "@" not in parseaddr(arguments.address)[1] or not arguments.address.isascii():
        raise Unusable(f"{arguments.address} is no mail address; give such as team@example.cn")
    everywhere = arguments.district == notices.EVERYWHERE
    district = arguments.district if everywhere else _district(arguments.district)
    with opened(settings.database_url) as (database, _), database.writing() as connection:
        notices.put_recipient(connection, arguments.address, district, arguments.name)
    print(
        f"{arguments.address} gets the alerts of {'every district that has nobody' if everywhere else district}"
    )
    return 0


def _district(adcode: str) -> str:
    """The code that answers for a district today. Raises Unusable."""
    try:
        return load_law().district(adcode).adcode if adcode else ""
    except LawError:
        known = ", ".join(f"{one.adcode} {one.zh}" for one in load_law().districts())
        raise Unusable(f"{adcode} is no district; known are {known}") from None


def _warn_of_unknown_site(reference: Reference, site_id: str) -> None:
    if site_id not in reference.sites:
        print(f"cylinder-trace: note: {site_id} is not in the register of sites yet", file=sys.stderr)


def _bench(_arguments: argparse.Namespace, _settings: Settings) -> int:
    return bench.main()


def _demo(arguments: argparse.Namespace, _settings: Settings) -> int:
    return demo.main(
        arguments.directory,
        arguments.cylinders,
        arguments.photos,
        once=arguments.once,
        started=time.monotonic(),
    )
