"""Commands that bring data in, and make a city to try things on."""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from cylinder_trace import load
from cylinder_trace.commands.arguments import Adding, moment
from cylinder_trace.settings import Settings
from cylinder_trace.simulator.city import Plan, simulate
from cylinder_trace.simulator.files import write
from cylinder_trace.stage import opened
from cylinder_trace.web.server import clock_ms


def add(command: Adding) -> None:
    """Add these commands."""
    loading = command("load", "read master data and events from JSON Lines", _load)
    loading.add_argument("--master", type=Path)
    loading.add_argument("--events", type=Path)
    simulating = command("simulate", "make a simulated city", _simulate)
    simulating.add_argument("--out", type=Path, required=True)
    simulating.add_argument("--seed", type=int, default=1)
    simulating.add_argument("--cylinders", type=int, default=2000)
    simulating.add_argument("--days", type=int, default=60)
    simulating.add_argument("--end", type=moment, default=datetime.fromisoformat("2026-11-01T00:00:00+08:00"))


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
