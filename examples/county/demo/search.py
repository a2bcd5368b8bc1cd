"""Searching files for strings that must not be there, in every form a program might write them.

Arrow files are compressed and so are looked into column by column; everything else is searched as
bytes. Each string is sought as it is, in lower and upper case, in UTF-16, percent-encoded, as
hexadecimal, and as base64 at each of its three alignments.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pyarrow as pa

_OVERLAP = 4_096  # bytes; longer than any form of any string
_CHUNK = 16 * 1024 * 1024  # bytes
_SHORTEST = 4  # characters; a shorter string would be found by chance


def forms(text: str) -> set[bytes]:
    """Every form in which a string is sought."""
    found: set[bytes] = set()
    for variant in {text, text.lower(), text.upper(), text.title(), text.replace(" ", "")}:
        raw = variant.encode()
        found |= {raw, variant.encode("utf-16-le"), raw.hex().encode()}
        found |= {quote(variant).encode(), quote_plus(variant).encode()}
        found |= set(_base64_forms(raw))
    return {form for form in found if len(form) >= _SHORTEST}


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    for shift in range(3):
        # The characters at either end also depend on the neighbours, so they are left off.
        encoded = base64.b64encode(b"\0" * shift + raw)
        inner = encoded[(0, 2, 3)[shift] : len(encoded) // 4 * 4 - 4]
        if len(inner) >= 2 * _SHORTEST:
            yield inner


def find(strings: Iterable[str], roots: Iterable[Path]) -> list[tuple[Path, str]]:
    """Which strings occur in which files below the roots."""
    origin = {form: text for text in strings for form in forms(text)}
    pattern = re.compile(b"|".join(map(re.escape, sorted(origin, key=len, reverse=True))))
    return [
        (path, origin[form])
        for path in _files(roots)
        for form in {match for part in _parts(path) for match in pattern.findall(part)}
    ]


def _files(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        yield from ([root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file()))


def _parts(path: Path) -> Iterator[bytes]:
    yield from _raw(path)
    with path.open("rb") as file:
        if file.read(6) != b"ARROW1":
            return
    with pa.ipc.open_file(path) as reader:
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            for column in batch.columns:
                yield from (bytes(part) for part in column.buffers() if part is not None)


def _raw(path: Path) -> Iterator[bytes]:
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield tail + chunk
            tail = chunk[-_OVERLAP:]
