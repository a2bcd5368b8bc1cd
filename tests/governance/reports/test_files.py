"""A report as workbook and CSV: every figure, and no text that a spreadsheet works out."""

import csv
import io

import pytest
from openpyxl import load_workbook

from governance.reports.files import as_csv, as_workbook, plain
from governance.reports.models import Part, Table
from governance.reports.page import NOTE
from tests.governance.reports.world import LIST, MARKED, REPORT


def test_csv_has_one_line_a_figure() -> None:
    """An estimate with its ends; what has no figure is empty, and what is hidden says so."""
    rows = list(csv.DictReader(io.StringIO(as_csv(REPORT).decode())))
    assert len(rows) == 2 * 5 + 1
    said = {(row["table"], row["row"], row["column"]): row for row in rows}
    progress = said["counts", "1", "progress"]
    assert (progress["line"], progress["value"], progress["low"], progress["high"]) == (
        MARKED, "0.27", "0.251", "0.286",
    )  # fmt: skip
    assert said["counts", "2", "families"]["value"] == "not shown"
    assert said["counts", "2", "progress"]["value"] == ""
    assert said["counts", "2", "times"]["value"] == "-0.25"
    assert said["counts", "2", "times"]["line"].startswith("'=cmd")
    assert said["put-forward", "1", "why"]["value"] == "'+1 need"


def test_a_workbook_has_a_sheet_a_table() -> None:
    """Numbers are numbers in their form; texts stand on the first sheet; nothing is a formula."""
    book = load_workbook(io.BytesIO(as_workbook(REPORT)))
    assert book.sheetnames == ["about", "counts", "put-forward"]
    cells = [cell for sheet in book for row in sheet.rows for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    front = [cell.value for row in book["about"].rows for cell in row]
    assert {"Needs <of> families", "Made elsewhere.", NOTE, 1_234, "Two of them."} <= set(front)
    head, first, second = list(book["counts"].rows)[-3:]
    assert [cell.value for cell in head] == [
        "need", "families", "share", "progress", "progress, low", "progress, high", "times",
        "apart", "apart, low", "apart, high",
    ]  # fmt: skip
    assert [cell.value for cell in first] == [
        MARKED, 1_234, 0.274, 0.27, 0.251, 0.286, 1.5, 0.08, -0.02, 0.18,
    ]  # fmt: skip
    assert [cell.number_format for cell in first][1:4] == ["#,##0", "0%", "0%"]
    assert [cell.value for cell in second][1:6] == ["not shown", 1, None, None, None]
    assert str(book["counts"].HeaderFooter.oddFooter.left.text) == NOTE


def test_sheets_with_long_names_stay_apart() -> None:
    """A workbook's names have 31 characters, and each is there once."""
    ids = [f"distance-{'x' * 30}-{end}" for end in "abc"]
    parts = tuple(
        Part(id=each, heading="D", tables=(LIST.model_copy(update={"id": each}),)) for each in ids
    )
    book = load_workbook(io.BytesIO(as_workbook(REPORT.model_copy(update={"parts": parts}))))
    assert len({name.casefold() for name in book.sheetnames}) == 4
    assert all(len(name) <= 31 for name in book.sheetnames)


def test_a_table_without_rows_is_a_sheet_with_headings() -> None:
    """And nothing fails."""
    empty = Table(id="none", title="None", headings=("family", "why"), rows=())
    parts = (Part(id="none", heading="None", tables=(empty,)),)
    book = load_workbook(io.BytesIO(as_workbook(REPORT.model_copy(update={"parts": parts}))))
    assert [cell.value for cell in list(book["none"].rows)[-1]] == ["family", "why"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\n=1", "\x01=1"])
def test_nothing_is_taken_for_a_formula(text: str) -> None:
    """What begins like one begins with a quote; what a workbook may not hold goes first."""
    assert plain(text) == "'" + text.replace("\x01", "")
    assert (plain("a=1"), plain(-1)) == ("a=1", -1)
