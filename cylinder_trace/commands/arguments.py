"""What is given on the command line, and what is said when it can not be used."""

import argparse
from collections.abc import Callable
from datetime import datetime

Adding = Callable[[str, str, object], argparse.ArgumentParser]
"""Adds a command: its name, its help, and the function that runs it; gives the parser of its arguments."""


class Unusable(ValueError):
    """What was asked can not be done so; the message says what to give instead."""


def moment(text: str) -> datetime:
    """A moment given on the command line. Raises ValueError for one without an offset, which argparse tells."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no offset; give such as 2026-11-01T00:00:00+08:00")
    return moment
