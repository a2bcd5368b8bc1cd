"""A submission's file from disk to a table, with nothing expanded before it is known how far.

Rules, in order: the file is what Arrow's file format begins with; its messages, read one after the
other as a stream, are the agreed schema and record batches, no dictionary; the batches announce as
many records as the manifest; their buffers together announce no more bytes than so many records may
take. Only then is a buffer decompressed, and from the very messages that were looked at: the
footer, which could name others, is not used. Whatever a buffer announces is all that it gets: the
decompressor fails where more would come out.

A compressed buffer begins with its size as 8 bytes, little-endian, -1 for one that is not
compressed after all (Arrow columnar format, "Compressed buffers"). Messages are FlatBuffers, of
which a few fields are read here (Message.fbs).
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from governance.agreements.encoding import Hardening
from governance.exchange.submission import ARROW_SCHEMA, ENCODING_BYTES, HANDLE_BYTES
from linkage_hub.submissions.errors import CountMismatch, NotArrow, TooMuchContent

MAGIC: Final = b"ARROW1\0\0"
BESIDE_ENCODINGS: Final = 4_096
"""Bytes that homes, mentions, indicators and offsets may take, on average, of one record; measured
300 to 450 with an encoding of profile ``clk`` in it (county of 60,000 persons)."""
_ALWAYS: Final = 1024 * 1024  # bytes of a file with few records
_RECORD_BATCH: Final = 3  # MessageHeader
_NOT_COMPRESSED: Final = -1


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
            length, expanded = _announced(message)
        except (struct.error, IndexError, OverflowError):
            raise NotArrow("the file is not Arrow, or is damaged") from None
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
        if whole.slice(0, len(MAGIC)).to_pybytes() != MAGIC:
            raise NotArrow("the file is not Arrow, or is damaged")
        messages = pa.ipc.MessageReader.open_stream(pa.BufferReader(whole.slice(len(MAGIC))))
        if not pa.ipc.read_schema(messages.read_next_message()).equals(ARROW_SCHEMA):
            raise NotArrow("the file does not have the agreed columns")
        while True:
            try:
                message = messages.read_next_message()
            except StopIteration:
                return
            if message.type != "record batch":
                raise NotArrow("the file holds something else than records")
            yield message
    except (pa.ArrowException, OSError, ValueError, StopIteration):
        raise NotArrow("the file is not Arrow, or is damaged") from None


def _announced(message: Any) -> tuple[int, int]:
    """Records of a record batch, and bytes of its buffers once they are expanded."""
    head, body = memoryview(message.metadata), memoryview(message.body or b"")
    (root,) = struct.unpack_from("<I", head, 0)
    if head[_field(head, root, 1)] != _RECORD_BATCH:
        raise IndexError
    batch = _follow(head, _field(head, root, 2))
    (records,) = struct.unpack_from("<q", head, _field(head, batch, 0))
    buffers = _follow(head, _field(head, batch, 2))
    compressed = _field(head, batch, 3, needed=False) > 0
    (count,) = struct.unpack_from("<I", head, buffers)
    size = 0
    for number in range(count):
        start, length = struct.unpack_from("<qq", head, buffers + 4 + 16 * number)
        if start < 0 or length < 0 or start + length > len(body):
            raise IndexError
        size += _expanded(body, start, length) if compressed and length else length
    if records < 0:
        raise IndexError
    return records, size


def _expanded(body: memoryview, start: int, length: int) -> int:
    (announced,) = struct.unpack_from("<q", body, start)
    if announced == _NOT_COMPRESSED:
        return length
    if announced < 0:
        raise IndexError
    return int(announced)


def _field(data: memoryview, table: int, number: int, *, needed: bool = True) -> int:
    """Where a field of a FlatBuffers table is; 0 where it may be absent and is."""
    (back,) = struct.unpack_from("<i", data, table)
    (size,) = struct.unpack_from("<H", data, table - back)
    place = 4 + 2 * number
    offset = struct.unpack_from("<H", data, table - back + place)[0] if place < size else 0
    if not offset and needed:
        raise IndexError
    return table + offset if offset else 0


def _follow(data: memoryview, place: int) -> int:
    (offset,) = struct.unpack_from("<I", data, place)
    return place + int(offset)
