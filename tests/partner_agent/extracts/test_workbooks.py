"""XLSX and Parquet in."""

import datetime as dt
import re
import tracemalloc
import warnings
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from partner_agent.extracts import parquet, sheet_xml, xlsx
from partner_agent.extracts.errors import (
    DamagedExtractError,
    DuplicateHeaderError,
    EmptyExtractError,
    ExtractError,
    ExtractTooLargeError,
    FormatNotSupportedError,
    MergedHeaderError,
    OneColumnError,
    SheetNotFoundError,
)
from partner_agent.extracts.model import KEPT, MAX_FIELD, Reject, chunks_of
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


def _with_xml(folder: Path, rows: bytes, merged: bytes = b"") -> Path:
    """A workbook of two columns and one row, with more rows as somebody has written them."""
    plain = zipfile.ZipFile(_book(folder / "plain.xlsx", [["id", "x"], [1, 2]]))
    made = folder / "made.xlsx"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        for name in plain.namelist():
            data = plain.read(name)
            if name == "xl/worksheets/sheet1.xml":
                head, tail = data.split(b"</sheetData>")
                data = head + rows + b"</sheetData>" + merged + tail
            book.writestr(name, data)
    return made


@pytest.mark.parametrize("cell", [b"A" * 1_048_576, b"</t><t>" * 149_796])
def test_a_row_that_fills_the_memory_is_refused(tmp_path: Path, cell: bytes) -> None:
    """A file of a few kilobytes with one row of many megabytes: one cell, or endless small ones."""
    row = b'<row r="3"><c r="A3" t="inlineStr"><is><t>%s</t></is></c></row>' % (cell * 10)
    bomb = _with_xml(tmp_path, row)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(ExtractTooLargeError, match="a row of sheet"):
        open_extract(bomb)


def test_a_wide_row_is_cut_as_it_comes(tmp_path: Path) -> None:
    """A cell in the last column makes its row a reject, and no chunk holds 16,384 cells a row."""
    wide = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n) for n in range(3, 203))
    path = _with_xml(tmp_path, wide)
    tracemalloc.start()
    try:
        (chunk,) = open_extract(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [reject.reason for reject in chunk.rejects] == ["row.field_count"] * 200
    assert {len(reject.original) for reject in chunk.rejects} == {2}
    assert peak < 10_000_000  # 200 rows as they come take 26 million bytes


@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="2"><c r="A2"><v>9</v></c></row>',
        b'<row r="5"/><row r="4"><c r="A4"><v>9</v></c></row>',
        b'<row r="3"><c r="A3"><v>9</v></c><c r="A3"><v>8</v></c></row>',
        b'<row r="3"><c r="C3"><v>9</v></c><c r="B3"><v>8</v></c></row>',
        b'<row r="0"><c r="A3"><v>9</v></c></row>',
    ],
)
def test_rows_and_cells_out_of_their_order_are_refused(tmp_path: Path, rows: bytes) -> None:
    """Where they repeat or run backwards, none is left out without a word."""
    with pytest.raises(DamagedExtractError, match="twice or after a later one") as caught:
        _all(_with_xml(tmp_path, rows))
    assert "save it again" in caught.value.next_step


def test_rows_that_a_sheet_leaves_out_are_blank(tmp_path: Path) -> None:
    """Rows without a number follow the one before; so do cells."""
    rows = b'<row r="5"><c><v>3</v></c><c><v>4</v></c></row><row><c r="B6"><v>6</v></c></row>'
    (chunk,) = open_extract(_with_xml(tmp_path, rows))
    assert chunk.table.to_numpy().tolist() == [["1", "2"], ["3", "4"], ["", "6"]]
    assert chunk.rows.tolist() == [1, 4, 5]


@pytest.mark.parametrize("number", [b"1001", b"99999999999", b"&#57;999999", b"9e9"])
def test_a_row_past_the_last_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: bytes
) -> None:
    """The rows that are left out before it would be made, one after another."""
    for module in (sheet_xml, xlsx):
        monkeypatch.setattr(module, "ROWS_MOST", 1_000)
    row = b'<row r="%s"><c><v>1</v></c></row>'
    assert len(_all(_with_xml(tmp_path, row % b"1000"))[0]) == 2
    with pytest.raises(ExtractTooLargeError, match="more than 1,000 rows"):
        _all(_with_xml(tmp_path, row % number))


def test_endless_rows_and_ranges_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that all say that they are the first, and merged ranges of more rows than there are."""
    ranges = (
        b'<mergeCells><mergeCell ref="A2:A99999999"/></mergeCells>',
        b"<mergeCells>%s</mergeCells>"
        % b"".join(b'<mergeCell ref="A%d:A1048576"/>' % n for n in range(2, 5)),
    )
    for merged in ranges:
        with pytest.raises(ExtractTooLargeError, match="more than 1,048,576 rows"):
            open_extract(_with_xml(tmp_path, b"", merged))
    monkeypatch.setattr(sheet_xml, "ROWS_MOST", 1_000)
    monkeypatch.setattr(sheet_xml, "_BLOCK", 700)
    open_extract(_with_xml(tmp_path, b'<row r="1"/>' * 998))  # beside the headings and one row
    with pytest.raises(ExtractTooLargeError, match="rows, which is the most"):
        open_extract(_with_xml(tmp_path, b'<row r="1"/>' * 999))


@pytest.mark.parametrize(
    ("rows", "behind"),
    [
        (b'<row r="3"><c r="A3"><v>%s</v></c></row>' % (b"1<!-- <row > -->" * 400), b""),
        (b'<row r="3"><c r="A3"><v>%s</v></c></row>' % (b"1<![CDATA[<row >]]>" * 400), b""),
        (b'<row r="3"><c r="A3"><v>%s</v></c></row>' % (b"1<?a <row > ?>" * 400), b""),
        (b'<row r="3"><c r="A3"><v>%s</v></c></row>' % (b'1<row xmlns="urn:a"/>' * 400), b""),
        (b'<row r="3"/><a>123456</a>' * 400, b""),
        (b"", b"<a/><b/>" * 800),
    ],
)
def test_what_only_looks_like_a_row_begins_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: bytes, behind: bytes
) -> None:
    """A row goes on through comments, CDATA, instructions and other namespaces, and is measured.

    So is what stands outside rows, all together: the parser lets go of rows alone.
    """
    monkeypatch.setattr(sheet_xml, "ROW_MOST", 3_000)
    monkeypatch.setattr(sheet_xml, "_BLOCK", 700)
    open_extract(_with_xml(tmp_path, b'<row r="3"><c r="A3"><v>1</v></c></row>', b""))
    with pytest.raises(ExtractTooLargeError, match="or what stands outside its rows"):
        open_extract(_with_xml(tmp_path, rows, behind))


def test_a_row_in_a_row_is_refused(tmp_path: Path) -> None:
    """The outer one would be held as long as rows go on in it."""
    row = b'<row r="3"><c r="A3"><v>1</v></c><row r="4"/></row>'
    with pytest.raises(DamagedExtractError, match="a row in a row") as caught:
        open_extract(_with_xml(tmp_path, row))
    assert "save it again" in caught.value.next_step


@pytest.mark.parametrize(
    ("encoding", "prefix", "ref"),
    [
        ("utf-8", "", 'ref="A3:B3"'),
        ("utf-8", "a-b:", "ref = 'A3:B3'"),
        ("utf-8", "é:", 'ref="A3:&#66;3"'),
        ("utf-16", "", 'ref="A3:B3"'),
        ("iso-8859-1", "é:", 'ref="A3:B3"'),
    ],
)
def test_no_way_of_writing_hides_merged_cells_and_formulas(
    tmp_path: Path, encoding: str, prefix: str, ref: str
) -> None:
    """Character set, prefix, quotes and references: whoever reads the rows reads these too."""
    plain = _book(tmp_path / "a.xlsx", [["id", "x"], [1, 2], [3, 4], [5, "=A2"]])
    with zipfile.ZipFile(plain) as book:
        text = book.read("xl/worksheets/sheet1.xml").decode()
    text = text.replace("</sheetData>", f"</sheetData><mergeCells><mergeCell {ref}/></mergeCells>")
    if prefix:
        text = re.sub(r"<(/?)(?=\w)", rf"<\1{prefix}", text)
        text = text.replace("xmlns=", f"xmlns:{prefix[:-1]}=")
    text = f'<?xml version="1.0" encoding="{encoding}"?>{text}'
    path = _with_part(plain, "xl/worksheets/sheet1.xml", text, encoding)
    read, rejects = _all(path)
    assert read == [["1", "2"]]
    assert [each.reason for each in rejects] == ["row.merged_cells", "row.formula_without_value"]


def test_a_cell_that_is_too_long_makes_its_row_a_reject(tmp_path: Path) -> None:
    """As in CSV and Parquet; what is kept of it for the rejects file is short."""
    cell = b"A" * (MAX_FIELD + 1)
    row = b'<row r="3"><c r="A3" t="inlineStr"><is><t>%s</t></is></c></row>' % cell
    read, (reject,) = _all(_with_xml(tmp_path, row))
    assert read == [["1", "2"]]
    assert (reject.column, reject.reason) == ("id", "row.field_too_long")
    assert max(map(len, reject.original)) == KEPT


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


def test_a_huge_value_that_every_row_repeats_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file holds it once, whether its column is one of categories or not."""
    rows, huge = 600, "x" * 100_000
    plain = pa.array([huge] * rows)
    path = tmp_path / "huge.parquet"
    table = pa.table({"id": range(rows), "a": plain, "b": plain.dictionary_encode()})
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 20_000
    del table, plain
    monkeypatch.setattr(parquet, "chunks_of", partial(chunks_of, most=1_000_000))
    whole = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(whole)
    pa.set_memory_pool(counted)
    try:
        held = [len(chunk.table) for chunk in open_extract(path)]
    finally:
        pa.set_memory_pool(whole)
    assert held == [5] * (rows // 5)
    assert counted.max_memory() < 10_000_000  # its cells are 120 million bytes


def test_parquet_text_that_is_none_is_damage(tmp_path: Path) -> None:
    """Old exports hold other character sets under the name of UTF-8; no value is told."""
    offsets, data = pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0])), pa.py_buffer(b"\xff")
    path = tmp_path / "old.parquet"
    pq.write_table(pa.table({"id": [1], "x": pa.StringArray.from_buffers(1, offsets, data)}), path)
    with pytest.raises(DamagedExtractError, match="UnicodeDecodeError"):
        list(open_extract(path))


def test_groups_of_rows_that_are_larger_than_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the file's own footer has it, before a row is read."""
    path = tmp_path / "g.parquet"
    pq.write_table(pa.table({"id": range(1_000), "x": range(1_000)}), path)
    monkeypatch.setattr(parquet, "_GROUP_MOST", 1_000)
    with pytest.raises(ExtractTooLargeError, match="a group of rows"):
        open_extract(path)


def test_parquet_that_is_refused(tmp_path: Path) -> None:
    """A cut file, and one without rows."""
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.string())}), path)
    with pytest.raises(EmptyExtractError):
        open_extract(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DamagedExtractError):
        open_extract(path)


SHEET = (
    "<!DOCTYPE worksheet [{entities}]>"
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>{heading}</t></is></c></row>'
    '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row></sheetData></worksheet>'
)


def _with_part(path: Path, name: str, content: str, encoding: str = "utf-8") -> Path:
    """A workbook in which one part is another."""
    if not path.exists():
        _book(path, [["id", "x"], [1, 2]])
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in (parts | {name: content.encode(encoding)}).items():
            archive.writestr(each, data)
    return path


def test_a_workbook_brings_nothing_in_from_outside(tmp_path: Path) -> None:
    """Neither a file of this computer as an entity, nor one that grows without end."""
    secret = tmp_path / "secret"
    secret.write_text("canary")
    outside = f'<!ENTITY a SYSTEM "{secret.as_uri()}">'
    growing = "".join(f'<!ENTITY e{at + 1} "{f"&e{at};" * 10}">' for at in range(9))
    bomb = f'<!ENTITY e0 "{"x" * 100}">{growing}'
    for entities, heading in ((outside, "&a;"), (bomb, "&e9;")):
        content = SHEET.format(entities=entities, heading=heading)
        path = _with_part(tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml", content)
        with pytest.raises(ExtractError) as refusal:
            open_extract(path)
        assert "canary" not in str(refusal.value)


def test_a_workbook_of_too_many_parts_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any of them is expanded."""
    path = _book(tmp_path / "a.xlsx", [["id", "x"], [1, 2]])
    monkeypatch.setattr(xlsx, "_MAX_PARTS", 5)
    with pytest.raises(ExtractTooLargeError, match="parts"):
        open_extract(path)
