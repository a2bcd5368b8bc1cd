"""CSV in: encodings, delimiters, quoting, and rows that cannot be read."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_agent.extracts import files, model
from partner_agent.extracts.dialect import DELIMITERS
from partner_agent.extracts.errors import (
    DamagedExtractError,
    DelimiterError,
    DuplicateHeaderError,
    EmptyExtractError,
    ExtractError,
    ExtractNotFoundError,
    ExtractTooLargeError,
    NoHeaderError,
    NotTextError,
    OneColumnError,
)
from partner_agent.extracts.header import MAX_COLUMNS
from partner_agent.extracts.model import CELL_COST, ReadRow, chunks_of
from partner_agent.extracts.reader import open_extract

HEAD = "id,name,town\n"
ROWS = "1,Zoë Müller,Lewes\n2,Anaïs Brontë,Hove\n3,José Núñez,Rye\n"


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def _all(path: Path, chunk_rows: int = 50_000) -> tuple[list[list[str]], list[tuple[int, str]]]:
    rows, rejects = [], []
    for chunk in open_extract(path, chunk_rows=chunk_rows):
        rows += chunk.table.to_numpy().tolist()
        rejects += [(reject.row, reject.reason) for reject in chunk.rejects]
    return rows, rejects


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_encodings_give_the_same_text(tmp_path: Path, encoding: str) -> None:
    """With or without a byte order mark, the cells are the same."""
    rows, rejects = _all(_write(tmp_path / "e.csv", (HEAD + ROWS).encode(encoding)))
    assert rows[0] == ["1", "Zoë Müller", "Lewes"]
    assert len(rows) == 3
    assert not rejects


def test_more_columns_than_an_extract_has_are_refused(tmp_path: Path) -> None:
    """A first row of millions of headings would take memory for each."""
    wide = ",".join(f"c{at}" for at in range(MAX_COLUMNS + 1))
    with pytest.raises(ExtractTooLargeError, match="columns"):
        open_extract(_write(tmp_path / "w.csv", wide + "\n"))


@pytest.mark.parametrize("delimiter", list(DELIMITERS))
def test_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    """Comma, semicolon, tab and pipe need no telling, even with commas in the text."""
    text = (
        "id,name,town\n1,Ann,Hove\n".replace(",", delimiter) + f'2{delimiter}"a, b"{delimiter}x\n'
    )
    rows, _ = _all(_write(tmp_path / "d.csv", text))
    assert rows[1] == ["2", "a, b", "x"]


def test_gzip_and_quoted_line_breaks(tmp_path: Path) -> None:
    """A compressed file with a line break inside quotes reads as one row."""
    data = gzip.compress(b'id,addr\r\n1,"1 High St\r\nLewes"\r\n2,x\r\n')
    rows, rejects = _all(_write(tmp_path / "e.csv.gz", data))
    assert rows == [["1", "1 High St\r\nLewes"], ["2", "x"]]
    assert not rejects


def test_bad_rows_become_rejects_and_nothing_else_is_lost(tmp_path: Path) -> None:
    """Too few and too many cells, an open quote and a huge cell cost their own row only."""
    huge = "x" * 10_000_000
    text = f'a,b\n1,2\n3\n4,5,6\n7,8\n9,{huge}\n10,"open\n11,12\n\n13,14\n'
    rows, rejects = _all(_write(tmp_path / "b.csv", text))
    assert [row[0] for row in rows] == ["1", "7", "11", "13"]
    assert rejects == [
        (2, "row.field_count"),
        (3, "row.field_count"),
        (5, "row.field_too_long"),
        (6, "row.unclosed_quote"),
    ]


def test_ten_thousand_bad_rows_neither_abort_nor_pile_up(tmp_path: Path) -> None:
    """They arrive chunk by chunk, numbered, and the good row behind them is read."""
    path = _write(tmp_path / "t.csv", "a,b\n" + "bad\n" * 10_000 + "1,2\n")
    chunks = list(open_extract(path, chunk_rows=1_000))
    assert max(len(chunk.rejects) for chunk in chunks) == 1_000
    assert sum(len(chunk.rejects) for chunk in chunks) == 10_000
    assert chunks[-1].rows.tolist() == [10_001]
    assert chunks[1].first_row == 1_001


def test_a_chunk_ends_before_it_fills_the_memory() -> None:
    """By its characters, and by its cells where those are empty; no row is lost or told twice."""
    rows = [ReadRow(("x" * 400, "")), ReadRow(()), ReadRow(("y", ""), "row.field_count")] * 100
    whole = list(chunks_of(("a", "b"), rows, chunk_rows=50_000))
    small = list(chunks_of(("a", "b"), rows, 2_000, chunk_rows=50_000))
    assert len(whole) == 1
    assert len(small) > 20
    for found in (whole, small):
        assert [int(n) for each in found for n in each.rows] == list(range(1, 301, 3))
        assert [r.row for each in found for r in each.rejects] == list(range(3, 301, 3))
    blanks = [ReadRow(("",) * 100)] * 30
    columns = tuple(f"c{n}" for n in range(100))
    assert len(list(chunks_of(columns, blanks, 10 * 100 * CELL_COST, chunk_rows=50_000))) == 3


def test_an_extract_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a small file unpacks to is bounded in bytes, and all rows of any format in cells."""
    lines = b"id,x\n" + b"1,2\n" * 20_000
    monkeypatch.setattr(files, "UNPACKED_MOST", 60_000)
    with pytest.raises(ExtractTooLargeError, match="60,000 bytes"):
        list(open_extract(_write(tmp_path / "b.csv.gz", gzip.compress(lines))))
    endless = gzip.compress(b"id,x\n" + b"y" * 100_000)
    with pytest.raises(ExtractTooLargeError):
        list(open_extract(_write(tmp_path / "l.csv.gz", endless)))
    assert len(list(open_extract(_write(tmp_path / "b.csv", lines)))) == 1
    monkeypatch.setattr(model, "EXTRACT_MOST", 1_000 * (3 * CELL_COST + 2))
    for rows in ([ReadRow(("1", "2"))] * 1_001, [ReadRow(())] * 3_100):
        with pytest.raises(ExtractTooLargeError, match="rows and cells"):
            list(chunks_of(("a", "b"), rows, chunk_rows=100))
    assert len(list(chunks_of(("a", "b"), [ReadRow(("1", "2"))] * 1_000, chunk_rows=100))) == 10


def test_a_row_of_endless_cells_is_cut_before_it_is_kept(tmp_path: Path) -> None:
    """A file of a few kilobytes can hold thousands of them."""
    data = gzip.compress(b"id,x\n1,2\n" + (b"," * 200_000 + b"9\n") * 3)
    path = _write(tmp_path / "e.csv.gz", data)
    assert len(data) < 10_000
    (chunk,) = open_extract(path)
    assert [reject.reason for reject in chunk.rejects] == ["row.field_count"] * 3
    assert {len(reject.original) for reject in chunk.rejects} == {MAX_COLUMNS}


def test_a_row_outside_the_encoding_is_rejected(tmp_path: Path) -> None:
    """One stray byte in a UTF-8 file costs its own row, and does not change the encoding."""
    data = (HEAD + ROWS * 20).encode() + b"9,\xff\xfe,x\n"
    rows, rejects = _all(_write(tmp_path / "u.csv", data))
    assert rejects == [(61, "row.undecodable")]
    assert rows[0][1] == "Zoë Müller"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyExtractError),
        (b"\n \n", EmptyExtractError),
        (b"\xef\xbb\xbf", EmptyExtractError),
        (b"names\nx\ny\n", OneColumnError),
        (b"a^b^c\n1^2^3\n", OneColumnError),
        (b"a,b\n" + b"1;2\n" * 50, DelimiterError),
        (b"a,b,a\n1,2,3\n", DuplicateHeaderError),
        (b"Canary,12/03/1990,BN1 1AA\nSmith,01/02/1980,BN1 2AB\n", NoHeaderError),
        (bytes(range(32)) * 200, NotTextError),
        (gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:40], DamagedExtractError),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, content: bytes, error: type[ExtractError]
) -> None:
    """Each has its own error with a reason, a next step, and no value in its message."""
    path = _write(tmp_path / "x.csv", content)
    with pytest.raises(error) as caught:
        _all(path)
    assert caught.value.next_step
    assert "Canary" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file and a folder are refused alike."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ExtractNotFoundError):
            open_extract(path)


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3).filter(any), min_size=1, max_size=20))
def test_what_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """Reading is the inverse of Python's writer, for any text."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    path = _write(tmp_path_factory.mktemp("csv") / "w.csv", buffer.getvalue())
    read, rejects = _all(path, chunk_rows=3)
    assert read == rows
    assert not rejects
