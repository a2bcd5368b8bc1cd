"""What the leaves say in clear, in columns: a million of them are searched in milliseconds.

Rules: a row for each entry, admitted or not, in the log's order; what is found is a place and
nothing more, and whoever shows it proves it (``search.py``). 61 bytes an entry.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np

from governance.canonical import parse_time
from governance.ledger.events import EventType, Leaf
from governance.ledger.merkle import HASH_BYTES

_KINDS: Final = {kind: code for code, kind in enumerate(EventType)}
_ID_BYTES: Final = 16
_TIME: Final = np.dtype("<i8")  # seconds since the epoch
_AUTHOR: Final = np.dtype("<u4")


@dataclass
class Columns:
    """Type, author, time, id and leaf hash of every entry.

    Attributes:
        authors: thumbprints, by the number that stands for them.
    """

    size: int = 0
    authors: dict[str, int] = field(default_factory=dict)
    _kinds: bytearray = field(default_factory=bytearray)
    _authors: bytearray = field(default_factory=bytearray)
    _times: bytearray = field(default_factory=bytearray)
    _ids: bytearray = field(default_factory=bytearray)
    _hashes: bytearray = field(default_factory=bytearray)

    def append(self, leaf: Leaf, digest: bytes) -> None:
        """Add the next entry's row.

        Args:
            leaf: what it says.
            digest: RFC 9162 hash of its bytes.
        """
        author = self.authors.setdefault(leaf.author, len(self.authors))
        time = int(parse_time(leaf.time).timestamp())
        self._kinds.append(_KINDS[leaf.type])
        self._authors += author.to_bytes(_AUTHOR.itemsize, "little")
        self._times += time.to_bytes(_TIME.itemsize, "little", signed=True)
        self._ids += bytes.fromhex(leaf.id)
        self._hashes += digest
        self.size += 1

    def with_id(self, id_: str) -> list[int]:
        """Places of an event id: one in an honest log, or none."""
        return _places(self._ids, bytes.fromhex(id_))

    def with_hash(self, digest: bytes) -> list[int]:
        """Places of a leaf hash."""
        return _places(self._hashes, digest)

    def id(self, index: int) -> str:
        """The id of an entry."""
        return self._ids[index * _ID_BYTES : (index + 1) * _ID_BYTES].hex()

    def digest(self, index: int) -> bytes:
        """The leaf hash of an entry."""
        return bytes(self._hashes[index * HASH_BYTES : (index + 1) * HASH_BYTES])

    def matching(
        self,
        kinds: frozenset[EventType] | None = None,
        authors: frozenset[str] | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        places: list[int] | None = None,
        most: int | None = None,
    ) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """Places that fit every condition that is given, the newest first, int64, shape (n,).

        Args:
            kinds: types of event.
            authors: thumbprints of who wrote it.
            since: the first moment of time.
            before: the first moment after it.
            places: of these only.
            most: of so many first entries only.
        """
        fits = np.ones(self.size, dtype=bool)
        fits[most if most is not None else self.size :] = False
        if kinds is not None:
            fits &= _among(np.frombuffer(self._kinds, np.uint8), [_KINDS[kind] for kind in kinds])
        if authors is not None:
            numbers = [self.authors[author] for author in authors if author in self.authors]
            fits &= _among(np.frombuffer(self._authors, _AUTHOR), numbers)
        times = np.frombuffer(self._times, _TIME)
        if since is not None:
            fits &= times >= int(since.timestamp())
        if before is not None:
            fits &= times < int(before.timestamp())
        if places is not None:
            among = np.zeros(self.size, dtype=bool)
            among[places] = True
            fits &= among
        return np.flatnonzero(fits)[::-1]


def _among(column: "np.ndarray[Any, Any]", values: list[int]) -> "np.ndarray[Any, Any]":
    """Where a column has one of a few values; much faster than ``numpy.isin`` for them."""
    found = np.zeros(len(column), dtype=bool)
    for value in values:
        found |= column == value
    return found


def _places(column: bytearray, value: bytes) -> list[int]:
    """Rows of a column of values of one length that hold a value."""
    found, at = [], column.find(value)
    while at >= 0:
        row, beside = divmod(at, len(value))
        if not beside:
            found.append(row)
        at = column.find(value, at + 1)
    return found
