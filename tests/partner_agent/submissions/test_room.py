"""An extract that takes more memory than there is, is refused before any of it is encoded."""

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from partner_agent.extracts.reader import open_extract
from partner_agent.submissions.errors import TooLittleMemoryError
from partner_agent.submissions.room import BYTES_A_ROW, Room, free_memory

ROWS = 2_000


def csv_file(path: Path) -> Path:
    """An extract of rows of about one length."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["ID", "NAME", "NOTE"])
        writer.writerows([f"R{n:06}", f"Quix{n % 7}", "é" if n % 3 else ""] for n in range(ROWS))
    return path


def expected(path: Path) -> int:
    """What a file says of its rows once some were read."""
    extract = open_extract(path, chunk_rows=100)
    return extract.rows_expected(next(iter(extract)))


def test_rows_are_expected_as_far_as_a_file_tells(tmp_path: Path) -> None:
    """Parquet says it, plain CSV by its size, about; of what is compressed nothing is known."""
    plain = csv_file(tmp_path / "plain.csv")
    assert expected(plain) == pytest.approx(ROWS, rel=0.1)
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert expected(packed) == 0
    table = pa.table({"ID": [str(n) for n in range(ROWS)], "NAME": ["quix"] * ROWS})
    pq.write_table(table, tmp_path / "table.parquet")
    assert expected(tmp_path / "table.parquet") == ROWS


def test_more_rows_than_there_is_memory_for_are_refused() -> None:
    """The message says how much is needed, how much is free, and what to do."""
    room = Room(2 << 30)
    room.check((2 << 30) // BYTES_A_ROW)
    with pytest.raises(TooLittleMemoryError) as caught:
        room.check(10_000_000)
    assert "10,000,000 rows need" in caught.value.message
    assert "2.0 GiB of this machine are free" in caught.value.message
    assert "more memory" in caught.value.next_step
    Room(None).check(10**12)  # a system that does not say


def test_this_system_says_what_is_free() -> None:
    """Where the kernel tells, it is a share of what there is."""
    free = free_memory()
    assert free is None or 0 < free < 1 << 50
