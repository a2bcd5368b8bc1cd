"""XLSX and Parquet in."""

import datetime as dt
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from partner_agent.extracts.errors import (
    DamagedExtractError,
    DuplicateHeaderError,
    EmptyExtractError,
    ExtractTooLargeError,
    FormatNotSupportedError,
    MergedHeaderError,
    OneColumnError,
    SheetNotFoundError,
)
from partner_agent.extracts.model import Reject
from partner_agent.extracts.reader import open_extract


def _book(path: Path, rows: Sequence[Any], merged: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Pupils"
    for row in rows:
        sheet.append(row)
    for area in merged:
        sheet.merge_cells(area)
    book.create_sheet("Other").append(["x", "y"])
    book.save(path)
    return path


def _all(path: Path, sheet: str | None = None) -> tuple[list[list[str]], list[Reject]]:
    rows: list[list[str]] = []
    rejects: list[Reject] = []
    for chunk in open_extract(path, sheet=sheet, chunk_rows=2):
        rows += chunk.table.to_numpy().tolist()
        rejects += chunk.rejects
    return rows, rejects


def test_typed_cells_become_the_text_of_a_csv_export(tmp_path: Path) -> None:
    """Dates are ISO, whole numbers have no fraction, booleans are words, blanks are blank."""
    rows = [
        ["id", "dob", "flag", "rate", "seen"],
        [1.0, dt.date(1990, 2, 3), True, 0.5, dt.datetime(2020, 1, 2, 3, 4)],  # noqa: DTZ001 - Excel has no zones
        [None, None, None, None, None],
        [12345678901, None, False, None, None],
    ]
    read, rejects = _all(_book(tmp_path / "b.xlsx", rows))
    assert read[0] == ["1", "1990-02-03", "TRUE", "0.5", "2020-01-02 03:04:00"]
    assert read[1] == ["12345678901", "", "FALSE", "", ""]
    assert not rejects


def test_a_workbook_is_read_whatever_its_name(tmp_path: Path) -> None:
    """Its first bytes say what it is; the console keeps files under a name of its own."""
    named = _book(tmp_path / "b.xlsx", [["id", "x"], [1, 2]])
    assert _all(named.rename(tmp_path / "extract"))[0] == [["1", "2"]]


def test_a_formula_without_a_value_is_a_reject(tmp_path: Path) -> None:
    """Its row number and column are given; other rows are read."""
    rows = [["id", "sum"], [1, 2], [3, "=A2+1"], [4, "plain"]]
    read, rejects = _all(_book(tmp_path / "f.xlsx", rows))
    assert [row[0] for row in read] == ["1", "4"]
    assert [(r.row, r.column, r.reason) for r in rejects] == [
        (2, "sum", "row.formula_without_value")
    ]


@pytest.mark.parametrize("cell", [b"A" * 1_048_576, b"</t><t>" * 149_796])
def test_a_row_that_fills_the_memory_is_refused(tmp_path: Path, cell: bytes) -> None:
    """A file of a few kilobytes with one row of many megabytes: one cell, or endless small ones."""
    plain = zipfile.ZipFile(_book(tmp_path / "plain.xlsx", [["id", "x"], [1, 2]]))
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in plain.namelist():
            data = plain.read(name)
            if name == "xl/worksheets/sheet1.xml":
                head, tail = data.split(b"</sheetData>")
                row = b'<row r="3"><c r="A3" t="inlineStr"><is><t>%s</t></is></c></row>'
                data = head + row % (cell * 10) + b"</sheetData>" + tail
            bomb.writestr(name, data)
    assert (tmp_path / "bomb.xlsx").stat().st_size < 100_000
    with pytest.raises(ExtractTooLargeError, match="a row of sheet"):
        open_extract(tmp_path / "bomb.xlsx")


def test_a_part_that_fills_the_memory_is_refused(tmp_path: Path) -> None:
    """Whatever it is called: the parser holds the whole of it."""
    for name in ("xl/styles.xml", "xl/workbook.xml"):
        path = _book(tmp_path / "plain.xlsx", [["id", "x"], [1, 2]])
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as bomb, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the name is there already: the last one counts
            bomb.writestr(name, b" " * 34_000_000)
        with pytest.raises(ExtractTooLargeError, match="a part of"):
            open_extract(path)


def test_merged_cells(tmp_path: Path) -> None:
    """Merged down, the value holds for each row; merged across, the row is rejected."""
    rows = [["id", "addr", "town"], [1, "1 High St", "Rye"], [2, None, "Rye"], [3, "x", None]]
    read, rejects = _all(_book(tmp_path / "m.xlsx", rows, ("B2:B3", "B4:C4")))
    assert read == [["1", "1 High St", "Rye"], ["2", "1 High St", "Rye"]]
    assert [(r.row, r.reason) for r in rejects] == [(3, "row.merged_cells")]


def test_sheets_are_chosen_by_name(tmp_path: Path) -> None:
    """The first sheet is read unless another is named; an unknown one is refused."""
    path = _book(tmp_path / "s.xlsx", [["id", "n"], [1, 2]])
    assert open_extract(path, sheet="Other").columns == ("x", "y")
    with pytest.raises(SheetNotFoundError, match="Pupils, Other"):
        open_extract(path, sheet="None")


def test_workbooks_that_are_refused(tmp_path: Path) -> None:
    """Merged, doubled or single headings, an empty sheet, a plain ZIP, damage, and old Excel."""
    with pytest.raises(MergedHeaderError):
        open_extract(_book(tmp_path / "1.xlsx", [["t", None], [1, 2]], ("A1:B1",)))
    with pytest.raises(DuplicateHeaderError):
        open_extract(_book(tmp_path / "2.xlsx", [["a", "a"], [1, 2]]))
    with pytest.raises(OneColumnError):
        open_extract(_book(tmp_path / "3.xlsx", [["title"], ["a", "b"], [1, 2]]))
    with pytest.raises(EmptyExtractError):
        open_extract(_book(tmp_path / "4.xlsx", []))
    plain = tmp_path / "5.xlsx"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("a.csv", "a,b\n")
    with pytest.raises(FormatNotSupportedError):
        open_extract(plain)
    cut = tmp_path / "6.xlsx"
    cut.write_bytes((tmp_path / "2.xlsx").read_bytes()[:500])
    with pytest.raises(DamagedExtractError):
        open_extract(cut)
    old = tmp_path / "7.xls"
    old.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100))
    with pytest.raises(FormatNotSupportedError, match="old Excel"):
        open_extract(old)


def test_parquet(tmp_path: Path) -> None:
    """Types become text as in XLSX, and nested columns are left out and named."""
    path = tmp_path / "p.parquet"
    table = pa.table(
        {
            "id": [1.0, None, 3.0],
            "dob": [dt.date(1990, 1, 2), None, None],
            "name": pa.array(["a", "b", "a"]).dictionary_encode(),
            "tags": [["x"], [], None],
        }
    )
    pq.write_table(table, path)
    extract = open_extract(path, chunk_rows=2)
    assert extract.columns == ("id", "dob", "name")
    assert extract.details == {"columns left out": "tags"}
    chunks = list(extract)
    assert [chunk.rows.tolist() for chunk in chunks] == [[1, 2], [3]]
    assert chunks[0].table.to_numpy().tolist() == [["1", "1990-01-02", "a"], ["", "", "b"]]


def test_parquet_that_is_refused(tmp_path: Path) -> None:
    """A cut file, and one without rows."""
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.string())}), path)
    with pytest.raises(EmptyExtractError):
        open_extract(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DamagedExtractError):
        open_extract(path)
