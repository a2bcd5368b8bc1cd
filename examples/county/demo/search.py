"""Searching files for strings that must not be there, in every form a program might write them.

Arrow files are compressed and so are looked into column by column; everything else is searched as
bytes. Each string is sought as it is, in lower and upper case, in UTF-16, percent-encoded, as
hexadecimal, and as base64 at each of its three alignments.
"""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import numpy as np
import pyarrow as pa

_OVERLAP = 4_096  # bytes; longer than any form of any string
_CHUNK = 16 * 1024 * 1024  # bytes
_SHORTEST = 6  # bytes; a shorter form would be found by chance


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
        if len(inner) >= _SHORTEST:
            yield inner


def find(strings: Iterable[str], roots: Iterable[Path]) -> list[tuple[Path, str]]:
    """Which strings occur in which files below the roots."""
    index = _Index(strings)
    return [
        (path, text)
        for path in _files(roots)
        for text in sorted({hit for part in _parts(path) for hit in index.hits(part)})
    ]


class _Index:
    """Every form of every string, by its first bytes.

    A place can begin a form only if each pair of its next bytes begins, continues and continues
    further some form; three table look-ups over the whole text leave few places to compare.
    """

    def __init__(self, strings: Iterable[str]) -> None:
        self._forms: dict[bytes, list[tuple[bytes, str]]] = {}
        self._tables = [np.zeros(1 << 16, dtype=bool) for _ in range(_SHORTEST // 2)]
        for text in strings:
            for form in forms(text):
                self._forms.setdefault(form[:_SHORTEST], []).append((form, text))
                for at, table in enumerate(self._tables):
                    table[form[2 * at] << 8 | form[2 * at + 1]] = True

    def hits(self, data: bytes) -> set[str]:
        """Strings that occur in some form."""
        if len(data) < _SHORTEST:
            return set()
        text = np.frombuffer(data, dtype=np.uint8).astype(np.uint16)
        pairs = text[:-1] << 8 | text[1:]
        end = len(pairs) - _SHORTEST + 2
        likely = np.ones(end, dtype=bool)
        for at, table in enumerate(self._tables):
            likely &= table[pairs[2 * at : 2 * at + end]]
        return {
            text
            for place in np.flatnonzero(likely).tolist()
            for form, text in self._forms.get(data[place : place + _SHORTEST], ())
            if data.startswith(form, place)
        }


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
