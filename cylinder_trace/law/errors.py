"""What can be wrong with the law tables, or with a question put to them.

Errors::

    LawError
    ├── UnreadableTable     a file is missing or is no TOML table of rows
    ├── IncompleteRow       a row lacks a column every row must have
    ├── MalformedRow        a column holds what it can not hold, or is not known
    ├── DoubledRow          two rows answer the same question from the same day
    └── NoLawForThat        no row answers the question for that day
"""

from datetime import date


class LawError(Exception):
    """The root of this room's errors."""


class UnreadableTable(LawError):
    """A file is missing or is no TOML table of rows."""

    def __init__(self, file: str, reason: str) -> None:
        self.file = file
        super().__init__(f"{file}: {reason}. Restore the file, or write its rows as [[row]] tables.")


class IncompleteRow(LawError):
    """A row lacks a column. `number` counts the file's rows from 1."""

    def __init__(self, file: str, number: int, column: str, what_to_add: str) -> None:
        self.file, self.number, self.column = file, number, column
        super().__init__(f"{file}, row {number}: {column} is missing. Add {column}: {what_to_add}.")


class MalformedRow(LawError):
    """A column holds what it can not hold, or is not known to this table."""

    def __init__(self, file: str, number: int, column: str, reason: str) -> None:
        self.file, self.number, self.column = file, number, column
        super().__init__(f"{file}, row {number}, {column}: {reason}.")


class DoubledRow(LawError):
    """Two rows answer the same question from the same day."""

    def __init__(self, file: str, number: int, other: str, key: tuple[object, ...]) -> None:
        self.file, self.number = file, number
        super().__init__(
            f"{file}, row {number}: {_spoken(key)} is already answered by {other}."
            " Give the later one the day from which it holds, or remove one."
        )


class NoLawForThat(LawError):
    """No row answers the question for that day; `on` is None where the answer does not depend on a day."""

    def __init__(self, file: str, subject: str, on: date | None, known: str) -> None:
        self.file, self.subject, self.on = file, subject, on
        when = f" on {on.isoformat()}" if on else ""
        super().__init__(
            f"{file} has no row for {subject}{when}; {known}. Ask for one of these, or add a row."
        )


def _spoken(key: tuple[object, ...]) -> str:
    return " / ".join(str(part) for part in key)
