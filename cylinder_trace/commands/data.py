"""Commands that bring data in, and make a city to try things on."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from cylinder_trace import load
from cylinder_trace.commands.arguments import MOMENT_HELP, Adding, Unusable, moment, whole
from cylinder_trace.settings import Settings
from cylinder_trace.simulator.city import Plan, simulate
from cylinder_trace.simulator.files import write
from cylinder_trace.simulator.plan import FEWEST_DAYS
from cylinder_trace.stage import opened
from cylinder_trace.web.server import clock_ms

MOST_CYLINDERS = 10_000_000
"""More than any city has."""

_LOADING = """in:   --master: {"record": "site", "site_id": "ST01", "name": ..., "district": "310112", "type": ...} a line;
      --events: {"kind": "fill", "event_id": ..., "occurred_at": ..., "cylinder_code": ..., ...} a line, or
      {"received_at": ..., "event": {...}} for one that was received before
out:  how many were stored, were there already, and were refused (exit code 1), each with its line and the reason;
      what was loaded is judged by the next sweep of the worker, or by: cylinder-trace sweep
      loading the same file again changes nothing

example:  cylinder-trace load --master city/master.jsonl --events city/events.jsonl"""

_SIMULATING = """out:  master.jsonl and events.jsonl, for `load`; labels.jsonl (what was planted) and missed.jsonl (scans that
      nobody made), for `evaluate`; files of those names are replaced

example:  cylinder-trace simulate --out city --cylinders 500 --days 30 --seed 7"""


def add(command: Adding) -> None:
    """Add these commands."""
    loading = command("load", "read master data and events from JSON Lines into the ledger", _load, _LOADING)
    loading.add_argument("--master", type=Path, metavar="FILE", help="sites, firms, people: a record a line")
    loading.add_argument("--events", type=Path, metavar="FILE", help="an event a line")
    simulating = command(
        "simulate", "make a city with planted faults and lawful look-alikes", _simulate, _SIMULATING
    )
    simulating.add_argument("--out", type=Path, required=True, metavar="DIRECTORY", help="made when missing")
    simulating.add_argument(
        "--seed", type=whole(0, 2**63 - 1), default=1, metavar="N", help="the same city again (default 1)"
    )
    simulating.add_argument(
        "--cylinders", type=whole(1, MOST_CYLINDERS), default=2000, metavar="N",
        help="honest ones; those with faults come on top (default 2000)",
    )  # fmt: skip
    simulating.add_argument(
        "--days", type=whole(FEWEST_DAYS, 3660), default=60, metavar="N", help="its length (default 60)"
    )
    simulating.add_argument(
        "--end", type=moment, default=moment("2026-11-01"), metavar="MOMENT",
        help=f"its last moment (default 2026-11-01); {MOMENT_HELP}",
    )  # fmt: skip


def _load(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.master is None and arguments.events is None:
        raise Unusable("nothing to load; give --master, --events, or both")
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
