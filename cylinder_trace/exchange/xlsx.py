"""Workbooks for Excel and WPS: one small room, so that every list that leaves the house looks and behaves alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any
from unicodedata import east_asian_width

import xlsxwriter

from cylinder_trace.law.answers import Names
from cylinder_trace.law.calendar import SHANGHAI

Cell = str | int | float | date | datetime | None

MOST_ROWS = 1_048_575
"""What a sheet holds below its header."""
_LONGEST_TEXT = 32_767
_LONGEST_TITLE = 31
_NO_TITLE = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_WIDEST, _NARROWEST = 60, 8
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EXACT = 2**53
_ALWAYS = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook knows no zones


class TooManyRows(ValueError):
    """More rows than a sheet holds."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its title, what its columns are called, and its rows, which may come as a stream.

    A number is a number to Excel, an aware datetime is shown in Shanghai's time, None is an empty cell.
    """

    title: str
    columns: Sequence[Names]
    rows: Iterable[Sequence[Cell]]


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """The bytes of an XLSX file. The same rows give the same bytes. Raises TooManyRows.

    Text is text: a cell that begins with `=`, `+`, `-` or `@` is no formula, nor becomes one when somebody edits it.
    """
    written = BytesIO()
    # Rows go to a file as they come: 100,000 of them take no more memory than one.
    with xlsxwriter.Workbook(written, {"constant_memory": True}) as book:
        book.set_properties({"created": _ALWAYS})
        looks = _Looks(book)
        titles: set[str] = set()
        for sheet in sheets:
            _write(book.add_worksheet(_title(sheet.title, titles)), sheet, looks)
    return written.getvalue()


class _Looks:
    """How cells look."""

    def __init__(self, book: Any) -> None:
        self.header = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "vcenter", "bottom": 1, "bg_color": "#E8EEF4"}
        )
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self.literal = book.add_format({"quote_prefix": True})


def _write(page: Any, sheet: Sheet, looks: _Looks) -> None:
    page.freeze_panes(1, 0)
    page.set_row(0, 32)
    widths = [max(_width(name.zh), _width(name.en)) for name in sheet.columns]
    for column, name in enumerate(sheet.columns):
        page.write_string(0, column, f"{name.zh}\n{name.en}", looks.header)
    last = 0
    for number, row in enumerate(sheet.rows, start=1):
        if number > MOST_ROWS:
            raise TooManyRows(f"{sheet.title}: a sheet holds {MOST_ROWS:,} rows; choose a shorter period")
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], _put(page, number, column, cell, looks))
        last = number
    for column, width in enumerate(widths):
        page.set_column(column, column, min(_WIDEST, max(_NARROWEST, width + 2)))
    if last:
        page.autofilter(0, 0, last, len(sheet.columns) - 1)


def _put(page: Any, row: int, column: int, cell: Cell, looks: _Looks) -> int:
    """Write one cell; gives how wide it is in characters."""
    if cell is None:
        return 0
    if isinstance(cell, datetime):
        page.write_datetime(row, column, cell.astimezone(SHANGHAI).replace(tzinfo=None), looks.moment)
        return 16
    if isinstance(cell, date):
        page.write_datetime(row, column, cell, looks.day)
        return 10
    # Excel keeps 15 digits of a number.
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < _EXACT:
        page.write_number(row, column, cell)
        return len(str(cell))
    text = str(cell)
    if len(text) > _LONGEST_TEXT:
        text = text[: _LONGEST_TEXT - 1] + "…"
    page.write_string(row, column, text, *([looks.literal] if text.startswith(_BEGINS_A_FORMULA) else []))
    return max(map(_width, text.splitlines()), default=0)


def _width(text: str) -> int:
    # What is wider than any column need not be counted to its end.
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text[: _WIDEST + 1])


def _title(asked: str, taken: set[str]) -> str:
    """A title as Excel takes it, and that no other sheet of the book has."""
    plain = asked.translate(_NO_TITLE).strip().strip("'") or "1"
    title, number = plain[:_LONGEST_TITLE], 1
    while title.lower() in taken:
        number += 1
        title = f"{plain[: _LONGEST_TITLE - 5]} ({number})"
    taken.add(title.lower())
    return title
