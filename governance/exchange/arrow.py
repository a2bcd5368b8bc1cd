"""Arrow files of others, looked at before anything in them is expanded.

Rules, in order: the file is what Arrow's file format begins with; its messages, read one after the
other as a stream, are one schema and record batches, no dictionary. The footer, which could name
other messages, is not used. Whatever a buffer announces is all that it gets: the decompressor fails
where more would come out.

A compressed buffer begins with its size as 8 bytes, little-endian, -1 for one that is not
compressed after all (Arrow columnar format, "Compressed buffers"). Messages are FlatBuffers, of
which a few fields are read here (Message.fbs).
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from governance.errors import FormatError

_MAGIC: Final = b"ARROW1\0\0"
_RECORD_BATCH: Final = 3  # MessageHeader
_NOT_COMPRESSED: Final = -1


def read_schema(data: pa.Buffer) -> pa.Schema:
    """The schema of an Arrow file.

    Raises:
        FormatError: it is none.
    """
    return _open(data)[0]


def batches_of(data: pa.Buffer) -> Iterator[Any]:
    """The messages of a file's record batches; nothing of them is decompressed.

    Raises:
        FormatError: the file is not Arrow, damaged, or holds something else.
    """
    messages = _open(data)[1]
    while True:
        try:
            message = messages.read_next_message()
        except StopIteration:
            return
        except (pa.ArrowException, OSError, ValueError):
            raise FormatError("the file is not Arrow, or is damaged") from None
        if message.type != "record batch":
            raise FormatError("the file holds something else than records")
        yield message


def announced(message: Any) -> tuple[int, int]:
    """Records of a record batch, and bytes of its buffers once they are expanded.

    Raises:
        FormatError: it does not say.
    """
    try:
        return _announced(message)
    except (struct.error, IndexError, OverflowError):
        raise FormatError("the file is not Arrow, or is damaged") from None


def _open(data: pa.Buffer) -> tuple[pa.Schema, Any]:
    try:
        if data.slice(0, len(_MAGIC)).to_pybytes() != _MAGIC:
            raise FormatError("the file is not Arrow, or is damaged")
        messages = pa.ipc.MessageReader.open_stream(pa.BufferReader(data.slice(len(_MAGIC))))
        return pa.ipc.read_schema(messages.read_next_message()), messages
    except (pa.ArrowException, OSError, ValueError, StopIteration):
        raise FormatError("the file is not Arrow, or is damaged") from None


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
