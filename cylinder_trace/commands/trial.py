"""The command that runs a trial of rules which was asked for on the pages."""

import argparse
import os

from cylinder_trace import trying
from cylinder_trace.commands.arguments import Adding
from cylinder_trace.settings import Settings
from cylinder_trace.stage import opened
from cylinder_trace.web.server import clock_ms

_TRIAL = """in:   the id of a trial that was asked for at /trials or /api/v1/trials, which run this by themselves
out:  its result in the database; exit code 1 where it was stopped, failed, or does not run any more"""


def add(command: Adding) -> None:
    """Add this command."""
    trial = command("trial", "run a trial of rules that was asked for", _trial, _TRIAL)
    trial.add_argument("trial_id", help="its id")


def _trial(arguments: argparse.Namespace, settings: Settings) -> int:
    os.nice(10)
    with opened(settings.database_url) as (database, _):
        # It writes nothing but its own row, and is in the middle of reading: nothing has to be put away.
        return 0 if trying.run(database, arguments.trial_id, clock_ms, lambda: os._exit(1)) else 1
