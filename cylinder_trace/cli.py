"""The door for people at a terminal: `cylinder-trace ...`."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, DBAPIError

from cylinder_trace import demo
from cylinder_trace.bench import fill_checks, graph, mail_rate, report
from cylinder_trace.commands import contacting, data, drawing, enrolling, history, sending, serving, trial
from cylinder_trace.commands.arguments import Unusable, whole
from cylinder_trace.contract.errors import ContractError
from cylinder_trace.enrolment import UnusableServerKey
from cylinder_trace.settings import PREFIX, Settings, UnknownSetting, load_settings
from cylinder_trace.store import people


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
        result: int = arguments.run(arguments, _settings())
    except BrokenPipeError:
        # Whoever read the lines is gone; the interpreter would complain once more while it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except FileExistsError as error:
        print(f"cylinder-trace: {error.filename} is there already; name another file", file=sys.stderr)
        return 2
    except (
        Unusable,
        UnknownSetting,
        ContractError,
        people.AlreadyThere,
        UnusableServerKey,
        OSError,
    ) as error:
        print(f"cylinder-trace: {error}", file=sys.stderr)
        return 2
    except ArgumentError as error:
        print(f"cylinder-trace: the database URL can not be read: {error}", file=sys.stderr)
        return 2
    except DBAPIError as error:
        print(f"cylinder-trace: {_database_trouble(error)}", file=sys.stderr)
        return 2
    return result


def _settings() -> Settings:
    """The settings in force. Raises Unusable naming each variable that can not be read."""
    try:
        return load_settings()
    except ValidationError as error:
        problems = (
            f"{PREFIX}{str(one['loc'][0]).upper()}={one['input']}: {one['msg']}"
            for one in error.errors(include_url=False)
        )
        raise Unusable("; ".join(problems)) from None


def _database_trouble(error: DBAPIError) -> str:
    said = str(error.orig).strip().splitlines()[0]
    if "no such table" in said or "does not exist" in said:
        return f"the database has no tables yet, or old ones ({said}); run: cylinder-trace db upgrade"
    return f"the database does not answer ({said}); see CYLINDER_TRACE_DATABASE_URL"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cylinder-trace", description="气瓶追溯：台账、研判、预警 / ledger, judge, alerts"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, help_text: str, run: object, more: str = "") -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=help_text,
            description=help_text,
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    for subject in (serving, data, history, trial, drawing, enrolling, contacting, sending):
        subject.add(command)
    showing = command("demo", "the whole way once, on a simulated city", _demo)
    showing.add_argument("--once", action="store_true", help="check every step, print a summary, and end")
    showing.add_argument("--photos", type=Path, help="a folder of pictures to decode as well")
    showing.add_argument(
        "--directory", type=Path, default=Path(".demo"), help="where everything is made (default .demo)"
    )
    showing.add_argument(
        "--cylinders", type=whole(1, data.MOST_CYLINDERS), default=2000, metavar="N", help="default 2000"
    )
    benching = command("bench", "measure judging, replaying and sweeping", _bench)
    benching.add_argument("--quick", action="store_true", help="on a tenth of the events")
    return parser


def _bench(arguments: argparse.Namespace, _settings: Settings) -> int:
    return report.main(quick=arguments.quick, more=[graph.main, mail_rate.main, fill_checks.main])


def _demo(arguments: argparse.Namespace, _settings: Settings) -> int:
    return demo.main(
        arguments.directory,
        arguments.cylinders,
        arguments.photos,
        once=arguments.once,
        started=time.monotonic(),
    )
