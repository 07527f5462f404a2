"""Commands for a draw: anybody repeats it from what was published, without a database."""

import argparse
import json
from pathlib import Path
from typing import Any

from cylinder_trace.commands.arguments import Adding, Unusable
from cylinder_trace.judging.handling.draw import ALGORITHM, UnusableBallot, ballot_of, draw, seed_of
from cylinder_trace.settings import Settings

_DRAWING = """in:   a draw as it was published (JSON), or its ballot alone; no database is asked
out:  the stations in the order in which they are drawn, each with its inspectors; exit code 1 where the published
      list is another, or the ballot is not the one that was announced

example:  cylinder-trace draw --input draw.json
          cylinder-trace draw --input ballot.json --public-value "2026-12-01 上证指数收盘 3924.27\""""


def add(command: Adding) -> None:
    """Add these commands."""
    drawing = command("draw", "repeat a draw of stations and inspectors", _draw, _DRAWING)
    drawing.add_argument("--input", type=Path, required=True, metavar="FILE", help="the draw as published")
    seeds = drawing.add_mutually_exclusive_group()
    seeds.add_argument("--seed", help="the seed; the published one if absent")
    seeds.add_argument("--public-value", metavar="TEXT", help="the value whose SHA-256 is the seed")


def _draw(arguments: argparse.Namespace, _settings: Settings) -> int:
    published = _read(arguments.input)
    try:
        ballot = ballot_of(published.get("ballot", published))
    except UnusableBallot as error:
        raise Unusable(f"{arguments.input}: {error}") from None
    value = arguments.public_value
    seed = arguments.seed or (seed_of(value) if value is not None else published.get("seed"))
    if not isinstance(seed, str) or not seed:
        raise Unusable(f"{arguments.input} names no seed; give --seed or --public-value")
    if published.get("algorithm", ALGORITHM) != ALGORITHM:
        raise Unusable(f"{arguments.input} was drawn by {published['algorithm']}; this is {ALGORITHM}")
    drawn = draw(ballot, seed)
    print(f"# {ALGORITHM}  seed {seed}  ballot {ballot.sha256}")
    for number, one in enumerate(drawn, start=1):
        print(f"{number:3}  {one.station}  {' '.join(one.inspectors)}{'' if one.by_lot else '  (always)'}")
    return 0 if _agrees(published, ballot.sha256, seed, [one.as_json() for one in drawn]) else 1


def _agrees(published: dict[str, Any], sha256: str, seed: str, drawn: list[dict[str, Any]]) -> bool:
    wrong = []
    if published.get("ballot_sha256", sha256) != sha256:
        wrong.append("the ballot is not the one whose SHA-256 was published")
    if published.get("seed", seed) != seed:
        wrong.append("the seed is not the published one")
    if (value := published.get("public_value")) is not None and seed_of(value) != seed:
        wrong.append("the published value does not make this seed")
    if published.get("result", drawn) != drawn:
        wrong.append("the published list is another")
    for line in wrong:
        print(f"# DIFFERS: {line}")
    if not wrong and "result" in published:
        print("# the published list is the same")
    return not wrong


def _read(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text("utf-8"))
    except ValueError:
        raise Unusable(f"{path} is no JSON") from None
    if not isinstance(read, dict):
        raise Unusable(f"{path} is no draw as it is published")
    return read
