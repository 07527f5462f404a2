"""What is given on the command line, and what is said when it can not be used."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from cylinder_trace.law.calendar import SHANGHAI

T = TypeVar("T")

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Nothing that a ledger can be asked about lies outside; a typing error does."""

Adding = Callable[..., argparse.ArgumentParser]
"""Adds a command: its name, its help, and the function that runs it; gives the parser of its arguments.

`more` says below the arguments what goes in, what comes out, and an example.
"""

MOMENT_HELP = "2026-11-01 is its midnight in Shanghai, 2026-11-01T08:30:00+08:00 a moment"


class Unusable(ValueError):
    """What was asked can not be done so; the message says what to give instead."""


def moment(text: str) -> datetime:
    """A moment given on the command line; a plain date is its midnight in Shanghai. argparse tells what it raises."""
    try:
        day = date.fromisoformat(text)
        given = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    except ValueError:
        try:
            given = datetime.fromisoformat(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text} is no moment; {MOMENT_HELP}") from None
    if given.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no offset; {MOMENT_HELP}")
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise argparse.ArgumentTypeError(f"{text}: give a year from {FIRST_YEAR} to {LAST_YEAR}")
    return given


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number from `least` to `most`; argparse tells what it raises."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text}: give a whole number from {least} to {most:,}")
        return number

    return read


def read_as(what: str, path: Path, entries: Iterable[T]) -> Iterator[T]:
    """What a file holds; one that is made of something else is said to be none, by name. Raises Unusable."""
    try:
        yield from entries
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unusable(f"{path} is no {what} of cylinder-trace simulate ({said})") from error
