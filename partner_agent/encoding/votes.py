"""Votes of tokens: keyed random bits, as many for each view as its majorities have voters' places.

A token's votes in a view are SHAKE-256 (FIPS 202) of the view's key, padded with zeros to a whole
block of the sponge, the feature's number and the token: a keyed sponge, as KMAC (NIST SP 800-185)
is, with messages that need no framing since the number has a fixed length. The stream is cut into
``k`` runs of ``bits`` bits, one for each majority; votes are bits in the order in which they
stand in bytes, the least significant first.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from partner_agent.encoding.positions import Texts

KEY_BYTES: Final = 32
RATE_BYTES: Final = 136  # block of SHAKE-256, FIPS 202 table 3
CACHE_BYTES: Final = 128 * 1024 * 1024  # votes kept between chunks, all features and views
_FIRST_ROWS: Final = 1024


class VoteStore:
    """Votes of every feature's tokens in every view, ``rows`` uint64 (tokens, views, words).

    Args:
        keys: one of 32 bytes for each view.
        votes: bits for each token and view, a multiple of 64.
    """

    def __init__(self, keys: Sequence[bytes], votes: int) -> None:
        self._views = [hashlib.shake_256(key.ljust(RATE_BYTES, b"\0")) for key in keys]
        self._bytes = votes // 8
        self._most_rows = max(1, CACHE_BYTES // (self._bytes * len(keys)))
        self.clear()

    @property
    def full(self) -> bool:
        """Whether more is kept than the cache may hold."""
        return self.count > self._most_rows

    def clear(self) -> None:
        """Forget every token."""
        self.count = 0
        self.rows: NDArray[np.uint64] = self._empty(_FIRST_ROWS)

    def add(self, message: bytes) -> None:
        """Draw the votes of one more token."""
        if self.count == len(self.rows):
            self.rows = np.concatenate([self.rows, self._empty(len(self.rows))])
        stream = b"".join(self._votes(view, message) for view in self._views)
        self.rows[self.count] = np.frombuffer(stream, dtype="<u8").reshape(self.rows.shape[1:])
        self.count += 1

    def ties(self) -> NDArray[np.uint64]:
        """Keyed bits that break ties, uint64 (views, words); no token has their message."""
        streams = [self._votes(view, b"\xff\xfftie") for view in self._views]
        return np.stack([np.frombuffer(each, dtype="<u8") for each in streams])

    def _votes(self, view: Any, message: bytes) -> bytes:
        sponge = view.copy()
        sponge.update(message)
        votes: bytes = sponge.digest(self._bytes)
        return votes

    def _empty(self, rows: int) -> NDArray[np.uint64]:
        return np.zeros((rows, len(self._views), self._bytes // 8), dtype=np.uint64)


class FeatureVotes:
    """The part of a store that hashes one feature's tokens."""

    def __init__(self, store: VoteStore, feature: int) -> None:
        self._store = store
        self._prefix = feature.to_bytes(2, "big")

    @property
    def count(self) -> int:
        """Tokens of all features so far."""
        return self._store.count

    def add(self, tokens: Texts) -> None:
        """Draw the votes of more tokens."""
        offsets, data = tokens
        text = data.tobytes()
        for start, stop in pairwise(offsets.tolist()):
            self._store.add(self._prefix + text[start:stop])
