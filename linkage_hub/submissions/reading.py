"""A submission's file from disk to a table, with nothing expanded before it is known how far.

Rules, in order: its messages are the agreed schema and record batches
(``governance.exchange.arrow``); the batches announce as many records as the manifest; their buffers
together announce no more bytes than so many records may take. Only then is a buffer decompressed,
and from the very messages that were looked at; a footer that names others is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from governance.agreements.encoding import Hardening
from governance.errors import FormatError
from governance.exchange.arrow import announced, batches_of, read_schema
from governance.exchange.submission import ENCODING_BYTES, HANDLE_BYTES
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.submissions.errors import CountMismatch, NotArrow, TooMuchContent

BESIDE_ENCODINGS: Final = 4_096
"""Bytes that homes, mentions, indicators and offsets may take, on average, of one record; measured
300 to 450 with an encoding of profile ``clk`` in it, by source of ``benchmarks.scale``."""
_ALWAYS: Final = 1024 * 1024  # bytes of a file with few records


def bytes_most(records: int, hardening: Hardening | None) -> int:
    """Bytes that so many records may have once they are expanded."""
    views = len(hardening.views) if hardening else 0
    return _ALWAYS + records * (HANDLE_BYTES + (1 + views) * ENCODING_BYTES + BESIDE_ENCODINGS)


def check_size(path: Path, records: int, hardening: Hardening | None) -> None:
    """Check how much a file would expand to, before any of it is.

    Args:
        path: the file.
        records: that the manifest says it holds.
        hardening: of the agreement; None for profile ``clk``.

    Raises:
        NotArrow: it is not Arrow with the agreed columns.
        CountMismatch: it announces another number of records.
        TooMuchContent: it announces more bytes than so many records may take.
    """
    found, size, most = 0, 0, bytes_most(records, hardening)
    for message in _batches(path):
        try:
            length, expanded = announced(message)
        except FormatError as error:
            raise NotArrow(error.message) from None
        found, size = found + length, size + expanded
        if found > records:
            break
        if size > most:
            raise TooMuchContent(
                f"the file would expand to more than {most} bytes, which is more than {records} "
                "records may take",
                next_step="prepare the extract again",
            )
    if found != records:
        many = "more" if found > records else f"{found}"
        raise CountMismatch(f"the file holds {many} records, the manifest says {records}")


def read_content(path: Path) -> pa.Table:
    """The whole file as a table with the agreed columns; its size was checked before.

    Raises:
        NotArrow: anything else, also a file whose footer names other records than its messages.
    """
    try:
        batches = [pa.ipc.read_record_batch(each, ARROW_SCHEMA) for each in _batches(path)]
        table = pa.Table.from_batches(batches, schema=ARROW_SCHEMA)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError):
        raise NotArrow("the file is not Arrow, or is damaged") from None
    if not read_handles(path).equals(table.column("handle")):
        raise NotArrow("the file's footer is not that of its records")
    return table


def read_handles(path: Path) -> pa.ChunkedArray:
    """The handles alone, by the file's footer.

    Raises:
        NotArrow: the footer is damaged, or names more batches than the file has.
    """
    options = pa.ipc.IpcReadOptions(included_fields=[0])
    there = sum(1 for _ in _batches(path))
    try:
        with pa.ipc.open_file(pa.memory_map(str(path)), options=options) as reader:
            if reader.num_record_batches != there:
                raise NotArrow("the file's footer is not that of its records")
            return reader.read_all().column("handle")
    except (pa.ArrowException, OSError, ValueError, KeyError):
        raise NotArrow("the file is not Arrow, or is damaged") from None


def _batches(path: Path) -> Iterator[Any]:
    """The messages of a file's record batches; nothing of them is decompressed."""
    try:
        whole = pa.memory_map(str(path)).read_buffer()
        if not read_schema(whole).equals(ARROW_SCHEMA):
            raise NotArrow("the file does not have the agreed columns")
        yield from batches_of(whole)
    except FormatError as error:
        raise NotArrow(error.message) from None
    except (pa.ArrowException, OSError, ValueError):
        raise NotArrow("the file is not Arrow, or is damaged") from None
