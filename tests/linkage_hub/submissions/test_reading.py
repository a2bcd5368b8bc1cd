"""A submission that expands to more than it says is refused before it does."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from governance.exchange.arrow import batches_of
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.submissions import errors
from linkage_hub.submissions.reading import bytes_most, check_size, read_content
from tests.linkage_hub.submissions.test_content import HOME, hardened_rows, rows, table

TERABYTE = 2**40


def written(path: Path, records: list[dict[str, Any]], batches: int = 1) -> Path:
    """A file as an agent writes it."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(path, ARROW_SCHEMA, options=options) as writer:
        writer.write_table(table(records), max_chunksize=-(-len(records) // batches))
    return path


def accepted(path: Path, records: int = 60) -> pa.Table:
    """As the hub does it."""
    check_size(path, records, None)
    return read_content(path)


@pytest.mark.parametrize("batches", [1, 7])
def test_what_an_agent_writes_is_read(tmp_path: Path, batches: int) -> None:
    """In one batch or in several, with views or without."""
    for records in (rows(), hardened_rows()):
        found = accepted(written(tmp_path / "file.arrow", records, batches))
        assert found.equals(table(records))


def _first_buffer(path: Path) -> int:
    """Where the first compressed buffer of a file's first batch begins."""
    whole = pa.memory_map(str(path)).read_buffer()
    body: int = next(batches_of(whole)).body.address
    return body - int(whole.address)


def test_a_buffer_that_announces_a_terabyte_is_refused(tmp_path: Path) -> None:
    """Before a byte of memory is asked for."""
    path = written(tmp_path / "file.arrow", rows())
    data = bytearray(path.read_bytes())
    struct.pack_into("<q", data, _first_buffer(path), TERABYTE)
    path.write_bytes(bytes(data))
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(errors.TooMuchContent):
        check_size(path, 60, None)
    assert pa.default_memory_pool().max_memory() - before < bytes_most(60, None)


@pytest.mark.parametrize(
    ("announced", "refusal"),
    [(-2, errors.NotArrow), (1, errors.NotArrow), (TERABYTE // 2**21, errors.NotArrow)],
)
def test_a_buffer_gets_no_more_than_it_announces(
    tmp_path: Path, announced: int, refusal: type[errors.SubmissionError]
) -> None:
    """A size below zero, too small or somewhat too large is a damaged file."""
    path = written(tmp_path / "file.arrow", rows())
    data = bytearray(path.read_bytes())
    struct.pack_into("<q", data, _first_buffer(path), announced)
    path.write_bytes(bytes(data))
    with pytest.raises(refusal):
        accepted(path)


def test_zeros_that_compress_to_nothing_are_refused(tmp_path: Path) -> None:
    """A few kilobytes that would be hundreds of megabytes: of tokens, or of records."""
    records = rows()
    records[0]["households"] = [{**HOME, "kin": [bytes(16)] * 2_000_000, "first_month": 24_300}]
    path = written(tmp_path / "tokens.arrow", records)
    assert path.stat().st_size < 200_000
    with pytest.raises(errors.TooMuchContent):
        check_size(path, 60, None)
    path = written(tmp_path / "records.arrow", rows(1) * 100_000)
    with pytest.raises(errors.CountMismatch):
        check_size(path, 60, None)


def _footer_again(data: bytearray, first: int, second: int) -> None:
    """Let the footer name the first batch twice."""
    at = data.rindex(struct.pack("<q", second))
    struct.pack_into("<q", data, at, first)


def _no_schema(data: bytearray, _first: int, _second: int) -> None:
    data[8:200] = bytes(192)


def _cut(data: bytearray, _first: int, second: int) -> None:
    del data[second + 64 :]


@pytest.mark.parametrize("change", [_footer_again, _no_schema, _cut])
def test_other_messages_than_the_footers_are_refused(
    tmp_path: Path, change: Callable[[bytearray, int, int], None]
) -> None:
    """What was looked at is what is read, in every way that the file can be read."""
    path = written(tmp_path / "file.arrow", rows(), 2)
    data = bytearray(path.read_bytes())
    starts = [at for at in range(0, len(data), 8) if data[at : at + 4] == b"\xff\xff\xff\xff"]
    change(data, starts[1], starts[2])
    path.write_bytes(bytes(data))
    with pytest.raises(errors.NotArrow):
        accepted(path)


def test_every_damaged_byte_ends_in_a_reason(tmp_path: Path) -> None:
    """Whatever is wrong with a file's head, no error without a reason comes out."""
    path = written(tmp_path / "file.arrow", rows(4))
    data = path.read_bytes()
    for at in range(0, len(data), 5):
        changed = bytearray(data)
        changed[at] ^= 0xA5
        path.write_bytes(bytes(changed))
        try:
            accepted(path, 4)
        except errors.SubmissionError:
            continue
