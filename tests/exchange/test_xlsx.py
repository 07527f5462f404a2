"""A workbook as Excel would read it."""

import tracemalloc
from datetime import UTC, date, datetime
from io import BytesIO
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from cylinder_trace.exchange import xlsx
from cylinder_trace.exchange.xlsx import Sheet, TooManyRows, workbook
from cylinder_trace.law.answers import Names

COLUMNS = (Names("编号", "No."), Names("说明", "Note"))


def test_a_workbook_has_its_headings_in_both_languages_frozen_above_its_rows() -> None:
    book = load_workbook(BytesIO(workbook([Sheet("预警", COLUMNS, [("CT1", "超期未检充装"), (2, 0.5)])])))
    page = book["预警"]
    rows = list(page.iter_rows(values_only=True))
    assert rows == [("编号\nNo.", "说明\nNote"), ("CT1", "超期未检充装"), (2, 0.5)]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:B3"
    assert page.column_dimensions["B"].width > page.column_dimensions["A"].width


@pytest.mark.parametrize("text", ["=1+1", "+86 21", "-3", "@cmd", "\t=1", '=HYPERLINK("x")'])
def test_a_cell_that_begins_like_a_formula_is_text(text: str) -> None:
    page = load_workbook(BytesIO(workbook([Sheet("一", COLUMNS, [(text, "")])])))["一"]
    assert page["A2"].value == text
    assert page["A2"].data_type == "s"
    assert page["A2"].quotePrefix  # and stays text when somebody edits it


def test_moments_are_shown_in_shanghai_and_days_are_days() -> None:
    late = datetime(2026, 10, 31, 17, 30, tzinfo=UTC)
    page = load_workbook(BytesIO(workbook([Sheet("一", COLUMNS, [(late, date(2026, 11, 1))])])))["一"]
    assert page["A2"].value == datetime(2026, 11, 1, 1, 30)  # noqa: DTZ001 - a workbook knows no zones
    assert page["B2"].value.date() == date(2026, 11, 1)


def test_a_long_number_keeps_all_its_digits_and_a_missing_one_is_an_empty_cell() -> None:
    page = load_workbook(BytesIO(workbook([Sheet("一", COLUMNS, [(10**18 + 1, None)])])))["一"]
    assert (page["A2"].value, page["B2"].value) == ("1000000000000000001", None)


def test_what_excel_can_not_hold_is_cut_or_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "长" * 40_000
    book = load_workbook(
        BytesIO(workbook([Sheet("a/b[c]" * 9, COLUMNS, [(long, "\x07")]), Sheet("", COLUMNS, [])]))
    )
    assert all(len(title) <= 31 and not set(title) & set("[]:*?/\\") for title in book.sheetnames)
    assert len(book.worksheets[0]["A2"].value) == 32_767
    monkeypatch.setattr(xlsx, "MOST_ROWS", 2)
    with pytest.raises(TooManyRows, match="shorter period"):
        workbook([Sheet("一", COLUMNS, [("x", "y")] * 3)])


def test_two_sheets_of_one_name_are_both_there() -> None:
    book = load_workbook(BytesIO(workbook([Sheet("Same", COLUMNS, []), Sheet("same", COLUMNS, [])])))
    assert book.sheetnames == ["Same", "same (2)"]


def test_the_same_rows_give_the_same_bytes() -> None:
    sheets = [Sheet("一", COLUMNS, [("x", 1)])]
    assert workbook(sheets) == workbook(sheets)


def test_a_hundred_thousand_rows_are_streamed() -> None:
    rows = ((f"CT{number:06d}", number) for number in range(100_000))
    tracemalloc.start()
    try:
        made = workbook([Sheet("一", COLUMNS, rows)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30_000_000
    with ZipFile(BytesIO(made)) as parts:
        assert parts.read("xl/worksheets/sheet1.xml").count(b"<row ") == 100_001
