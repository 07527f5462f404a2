"""Commands that look back: what the rules would have found, how well they find, and whether the record is whole."""

import argparse
import json
import sys
from datetime import date
from math import isfinite, nan
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cylinder_trace import replay
from cylinder_trace.commands.arguments import MOMENT_HELP, Adding, Unusable, moment, read_as, whole
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.difference import Period
from cylinder_trace.evaluate import evaluate
from cylinder_trace.hindsight import hindsight
from cylinder_trace.judging import rulebook
from cylinder_trace.judging.rules import LEDGER_RULES, RULES
from cylinder_trace.judging.scan import local_day
from cylinder_trace.law.tables import LawError, load
from cylinder_trace.score_table import LEGEND, table
from cylinder_trace.settings import Settings
from cylinder_trace.simulator import files
from cylinder_trace.stage import audited, opened
from cylinder_trace.store import ledger
from cylinder_trace.web.server import clock_ms

_REPLAYING = """in:   the ledger of CYLINDER_TRACE_DATABASE_URL, and what is changed with --set
out:  for each rule what is found, what of it is alerted already (same), what is not (new), and alerts that would not
      be there (gone); then samples

example:  cylinder-trace replay --from 2026-10-01 --to 2026-11-01 --rules long_dwell --set long_dwell.household_days=90"""

_EVALUATING = """in:   events.jsonl, labels.jsonl, master.jsonl and missed.jsonl, as `cylinder-trace simulate` writes them
out:  a line for each kind that was planted or found, then the totals; the database is not touched

example:  cylinder-trace evaluate --events city/events.jsonl --labels city/labels.jsonl"""


def add(command: Adding) -> None:
    """Add these commands."""
    replaying = command("replay", "what would the rules have found? nothing is written", _replay, _REPLAYING)
    replaying.add_argument(
        "--from", dest="from_", type=moment, metavar="MOMENT", help=f"facts from then on; {MOMENT_HELP}"
    )
    replaying.add_argument(
        "--to", type=moment, metavar="MOMENT", help="facts before then: 2026-11-01 ends with October"
    )
    replaying.add_argument("--rules", help="names with commas between; all rules if absent")
    replaying.add_argument(
        "--set", dest="changes", action="append", default=[], metavar="THRESHOLD=VALUE",
        help="try another threshold, such as long_dwell.household_days=90; may be given again",
    )  # fmt: skip
    replaying.add_argument(
        "--as-of", type=moment, metavar="MOMENT",
        help="judge as if it were then: what runs out by time alone has, if it has by then; all that is on record"
        " counts, whenever it came; now if absent",
    )  # fmt: skip
    replaying.add_argument(
        "--sample",
        type=whole(0, 1000),
        default=5,
        metavar="N",
        help="findings shown of each kind of difference",
    )
    replaying.add_argument("--json", type=Path, metavar="OUT", help="write counts by day and samples there")
    evaluating = command(
        "evaluate",
        "how well the judge finds what was planted in a simulated city",
        _evaluate,
        f"{_EVALUATING}\n\n{LEGEND}",
    )
    evaluating.add_argument("--events", type=Path, required=True, help="events.jsonl of a simulated city")
    evaluating.add_argument("--labels", type=Path, required=True, help="its labels.jsonl")
    evaluating.add_argument(
        "--master", type=Path, help="its master.jsonl; the one beside the events if absent"
    )
    evaluating.add_argument(
        "--hindsight", action="store_true", help="judge everything at once from memory, for quick trials"
    )
    evaluating.add_argument("--json", type=Path, metavar="OUT", help="write the score there")
    command("rules", "the rules in force, as a table in Markdown", _rulebook)
    command("audit", "hash, tell and judge everything anew, and compare it with what is kept", _audit)


def _rulebook(_arguments: argparse.Namespace, _settings: Settings) -> int:
    today = date.fromordinal(local_day(clock_ms()))
    print(rulebook.table(load(), today))
    return 0


def _replay(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.from_ and arguments.to and arguments.from_ >= arguments.to:
        raise Unusable("--from is not before --to: no moment lies between them")
    question = replay.Question(
        as_of_ms=epoch_ms(arguments.as_of) if arguments.as_of else clock_ms(),
        rules=_rules(arguments.rules),
        period=Period(*(epoch_ms(one) if one else None for one in (arguments.from_, arguments.to))),
        thresholds=dict(_change(one) for one in arguments.changes),
        sample=arguments.sample,
    )
    with opened(settings.database_url) as (database, _), tqdm(unit=" cylinders", disable=None) as bar:

        def told(what: str, number: int) -> None:
            if what == "to tell":
                bar.reset(number)
            elif what == "cylinders":
                bar.update(number)

        try:
            difference = replay.run(database, question, told)
        except LawError as error:
            raise Unusable(str(error)) from None
        with database.reading() as connection:
            waiting = ledger.counts(connection)["pending"]
    if waiting:
        note = f"{waiting} events wait to be judged; run: cylinder-trace sweep"
        print(f"cylinder-trace: note: {note}", file=sys.stderr)
    report = difference.report(settings.public_url)
    _show(report)
    if arguments.json:
        asked = {
            "rules": sorted(question.rules),
            "thresholds": dict(question.thresholds),
            "from_ms": question.period.from_ms,
            "to_ms": question.period.to_ms,
            "as_of_ms": question.as_of_ms,
        }
        text = json.dumps({"asked": asked, "rules": report}, ensure_ascii=False, indent=1)
        arguments.json.write_text(text + "\n", "utf-8")
    return 0


def _evaluate(arguments: argparse.Namespace, _settings: Settings) -> int:
    master = arguments.master or arguments.events.with_name(files.MASTER)
    judging = hindsight if arguments.hindsight else evaluate
    with tqdm(unit=" events", disable=None, total=files.count(arguments.events)) as bar:
        score = judging(
            read_as("master.jsonl", master, files.records_of(master)),
            read_as("events.jsonl", arguments.events, files.arrivals_of(arguments.events)),
            read_as("labels.jsonl", arguments.labels, files.labels_of(arguments.labels)),
            files.missed_of(arguments.events.with_name(files.MISSED)),
            told=bar.update,
        )
    for line in table(score):
        print(line)
    print(f"\n{LEGEND}")
    if arguments.json:
        text = json.dumps(score.as_json(), ensure_ascii=False, indent=1)
        arguments.json.write_text(text + "\n", "utf-8")
    return 0


def _rules(names: str | None) -> frozenset[str]:
    if names is None:
        return frozenset(LEDGER_RULES)
    asked = frozenset(one.strip() for one in names.split(",") if one.strip())
    if not asked or asked - LEDGER_RULES.keys():
        unknown = ", ".join(sorted(asked - LEDGER_RULES.keys())) or "''"
        raise Unusable(f"there is no rule {unknown}; known are {', '.join(sorted(LEDGER_RULES))}")
    return asked


def _change(text: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = nan
    if not isfinite(number) or number < 0:
        raise Unusable(
            f"--set {text}: give a threshold and a number from 0 up, such as overfill.mass_tolerance_kg=0.5"
        )
    return key.strip(), number


def _show(report: dict[str, Any]) -> None:
    print(f"{'rule':24} {'found':>8} {'same':>8} {'new':>8} {'gone':>8}")
    for rule, row in report.items():
        numbers = " ".join(f"{row[name]:>8}" for name in ("found", "same", "new", "gone"))
        print(f"{rule:24} {numbers}  {RULES[rule].words.title[0]}")
    for rule, row in report.items():
        for one in row["sample"]:
            if one["is"] != "same":
                where = one.get("cylinder") or one.get("alert") or one.get("subject")
                print(f"  {one['is']:4} {rule} {one.get('day', '')} {where}")


def _audit(_arguments: argparse.Namespace, settings: Settings) -> int:
    with opened(settings.database_url) as (database, cache):
        differences, checked = audited(database, cache, print)
    print(f"{checked}: {differences} differences")
    return 1 if differences else 0
