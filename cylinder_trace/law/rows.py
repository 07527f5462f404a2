"""One row of a law table, how a file of rows is read, and how rows are asked for by day."""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from cylinder_trace.law.errors import DoubledRow, IncompleteRow, MalformedRow, NoLawForThat, UnreadableTable

Grade = Literal["A", "B", "C"]
"""A: read in the regulation's own text; B: read in a secondary source; C: common practice, not confirmed."""

Value = int | float | str | tuple[str, ...]
Key = tuple[object, ...]

_EVERY_ROW = {
    "value": "what the law sets",
    "unit": 'what the value counts, such as "months" or "kg"',
    "valid_from": "the day from which it holds, such as 2022-10-01",
    "source": "the act or standard and its article, or who set the value",
    "grade": '"A" read in its own text, "B" in a secondary source, "C" common practice',
    "confirmed": "true or false; false for grade C and where sources conflict",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "day": (date,),
    "texts": (list,),
    "flag": (bool,),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in its file. `columns` holds what the table has beyond the columns every row has.

    `confirmed` False must be shown as 未经核实 wherever the row is used. `note` says what a reader should know.
    """

    table: str
    number: int
    value: Value
    unit: str
    valid_from: date
    source: str
    grade: Grade
    confirmed: bool
    note: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def where(self) -> str:
        """File and row number, as a person would look it up."""
        return f"{self.table}.toml, row {self.number}"

    @property
    def amount(self) -> float:
        """The value of a row whose table holds numbers."""
        if isinstance(self.value, int | float):
            return self.value
        raise TypeError(f"{self.where} holds {self.value!r}, which is no number")

    def text(self, column: str) -> str:
        """A column of text that this row's table demands."""
        return str(self.columns[column])


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table's rows must have: `key` and `more` columns, and the type of each and of the value."""

    table: str
    value: Literal["number", "text", "texts"]
    key: Mapping[str, str]
    more: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return f"{self.table}.toml"


def read_rows(directory: Traversable | Path, shape: Shape) -> list[Row]:
    """The rows of one file in their order. Raises UnreadableTable, IncompleteRow or MalformedRow."""
    try:
        document = tomllib.loads((directory / shape.file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableTable(shape.file, str(error)) from error
    entries = document.get("row")
    if set(document) != {"row"} or not isinstance(entries, list) or not entries:
        raise UnreadableTable(shape.file, "it must hold rows and nothing else")
    return [_row(shape, number, entry) for number, entry in enumerate(entries, start=1)]


def _row(shape: Shape, number: int, entry: Any) -> Row:
    if not isinstance(entry, dict):
        raise MalformedRow(shape.file, number, "row", "it is no table of columns")
    own = {**shape.key, **shape.more}
    for column, what in {**_EVERY_ROW, **{name: f"a {kind}" for name, kind in own.items()}}.items():
        if entry.get(column) in (None, "", []):
            raise IncompleteRow(shape.file, number, column, what)
    kinds = {"value": shape.value, "unit": "text", "valid_from": "day", "source": "text", "grade": "text"}
    kinds |= {"confirmed": "flag", "note": "text", **own, **shape.optional}
    for column, content in entry.items():
        if column not in kinds:
            raise MalformedRow(shape.file, number, column, f"unknown; known are {', '.join(kinds)}")
        if not _is_a(kinds[column], content):
            raise MalformedRow(shape.file, number, column, f"{content!r} is not a {kinds[column]}")
    if entry["grade"] not in {"A", "B", "C"}:
        raise MalformedRow(shape.file, number, "grade", f"{entry['grade']!r} is not A, B or C")
    if entry["grade"] == "C" and entry["confirmed"]:
        raise MalformedRow(
            shape.file, number, "confirmed", "grade C is not confirmed; name the source and regrade"
        )
    value = entry["value"]
    return Row(
        table=shape.table,
        number=number,
        value=tuple(value) if isinstance(value, list) else value,
        unit=entry["unit"],
        valid_from=entry["valid_from"],
        source=entry["source"],
        grade=entry["grade"],
        confirmed=entry["confirmed"],
        note=entry.get("note"),
        columns=MappingProxyType(
            {name: entry[name] for name in (*own, *shape.optional) if name in entry},
        ),
    )


def _is_a(kind: str, content: Any) -> bool:
    # In Python a flag is a number and a moment is a day; in a law table they are not.
    if isinstance(content, bool | datetime):
        return kind == "flag" and isinstance(content, bool)
    if kind == "texts" and isinstance(content, list):
        return all(isinstance(item, str) for item in content)
    return isinstance(content, _TYPES[kind])


class Dated:
    """Rows by key and day: a row holds from its `valid_from` until the day before the next row of its key."""

    def __init__(self, file: str, keyed: Iterable[tuple[Key, Row]]) -> None:
        """Raises DoubledRow where two rows share a key and a day."""
        self._file = file
        self._rows: dict[Key, list[Row]] = {}
        for key, row in sorted(keyed, key=lambda pair: pair[1].valid_from):
            history = self._rows.setdefault(key, [])
            if history and history[-1].valid_from == row.valid_from:
                raise DoubledRow(f"{row.table}.toml", row.number, history[-1].where, key)
            history.append(row)
        self._from = {key: [row.valid_from for row in history] for key, history in self._rows.items()}

    def find(self, key: Key, on: date) -> Row | None:
        """The row in force on that day; None where there is none."""
        place = bisect_right(self._from.get(key, ()), on)
        return self._rows[key][place - 1] if place else None

    def get(self, key: Key, on: date) -> Row:
        """The row in force on that day. Raises NoLawForThat."""
        row = self.find(key, on)
        if row is None:
            raise NoLawForThat(self._file, " / ".join(map(str, key)), on, self._known(key))
        return row

    def latest(self, key: Key) -> Row:
        """The row of the latest `valid_from`, for what does not depend on a day. Raises NoLawForThat."""
        if key not in self._rows:
            raise NoLawForThat(self._file, " / ".join(map(str, key)), None, self._known(key))
        return self._rows[key][-1]

    def keys(self) -> Iterator[Key]:
        """Every key, in the order of its first row."""
        return iter(self._rows)

    def _known(self, key: Key) -> str:
        if key in self._rows:
            return f"the first holds from {self._rows[key][0].valid_from.isoformat()}"
        alike = sorted(" / ".join(map(str, known)) for known in self._rows if known[0] == key[0])
        others = sorted({str(known[0]) for known in self._rows})
        return "known are " + ", ".join(alike or others)
