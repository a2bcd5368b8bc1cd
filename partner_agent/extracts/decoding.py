"""Which character encoding an extract has.

In order: a byte order mark; UTF-16 without one, seen from where its zero bytes stand; UTF-8 where
the whole file is UTF-8, or nearly; else charset-normalizer on the lines that are not ASCII, among
the encodings that partners' systems write, Windows-1252 first among equals.

A line that does not decode becomes a reject later: its bytes arrive as lone surrogates.
"""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from partner_agent.extracts.errors import NotTextError
from partner_agent.extracts.files import open_bytes

SAMPLE = 1_048_576  # bytes of non-ASCII lines looked at to tell an encoding
_HEAD = 65_536  # bytes in which binary content shows
_BLOCK = 1_048_576  # bytes read at once
_UTF8_SHARE = 0.9  # non-ASCII lines that must be UTF-8 for a file with bad lines to be UTF-8
_BINARY_SHARE = 0.01  # control characters past which content is not text
_ZERO_SHARE = 0.3  # UTF-16 of Latin text: nearly every other byte is zero

_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1256",
    "iso8859_2",
    "iso8859_5",
    "iso8859_9",
    "iso8859_15",
    "cp850",
    "cp852",
    "cp866",
    "mac_roman",
    "koi8_r",
    "gb18030",
    "big5",
    "shift_jis",
)
_CHAOS_TOLERANCE = 0.1  # of charset-normalizer's mess ratio, within which Windows-1252 is preferred
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")


@dataclass
class _Tally:
    """What one pass over the lines found."""

    utf8_lines: int = 0
    other_lines: int = 0
    sample: bytes = b""


def detect_encoding(path: Path) -> str:
    """The name of a Python codec; reads the file once at most, in constant memory.

    Raises:
        NotTextError: the content is binary.
    """
    with open_bytes(path) as stream:
        head = stream.read(_HEAD)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        wide = _utf16(head)
        if wide:
            return wide
        if len(_CONTROLS.findall(head)) > _BINARY_SHARE * len(head):
            raise NotTextError(
                f"{path.name} is not text, XLSX or Parquet",
                next_step="export the extract again as CSV in UTF-8, as XLSX or as Parquet",
            )
        return _from_lines(_tally(head, stream))


def _utf16(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > _ZERO_SHARE * half and even < odd / 10:
        return "utf-16-le"
    if even > _ZERO_SHARE * half and odd < even / 10:
        return "utf-16-be"
    return ""


def _tally(head: bytes, stream: BinaryIO) -> _Tally:
    found = _Tally()
    rest = b""
    block = head
    while block:
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > _BLOCK:  # one endless line: look at it in parts
            lines, rest = [*lines, rest], b""
        _count(lines, found)
        block = stream.read(_BLOCK)
    _count([rest], found)
    return found


def _count(lines: list[bytes], found: _Tally) -> None:
    for line in lines:
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            found.other_lines += 1
            if len(found.sample) < SAMPLE:
                found.sample += line[: SAMPLE // 16] + b"\n"
        else:
            found.utf8_lines += 1


def _from_lines(found: _Tally) -> str:
    total = found.utf8_lines + found.other_lines
    if found.utf8_lines >= _UTF8_SHARE * total:
        return "utf-8"
    matches = from_bytes(found.sample, cp_isolation=list(_CANDIDATES), threshold=0.5)
    best = matches.best()
    if best is None:
        return "cp1252"
    for match in matches:
        if match.encoding == "cp1252" and match.chaos <= best.chaos + _CHAOS_TOLERANCE:
            return "cp1252"
    return best.encoding
