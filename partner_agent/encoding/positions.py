"""What tokens stand for, hashed once for each feature and token and kept in arrays.

Each token has a slot, a row of a store. ``TokenPositions`` stores bit positions (clkhash's
``blakeHash``): 16-bit numbers cut from BLAKE2b under the feature's key, the block number as salt,
modulo the filter's length. A token that sets fewer bits uses the first ones, so one row serves
every number of bits. ``votes.FeatureVotes`` stores votes instead.
"""

from hashlib import blake2b
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from partner_agent.encoding import kernels

BLOCK_POSITIONS: Final = 32  # 16-bit numbers in one BLAKE2b digest
CACHE_BYTES: Final = 16 * 1024 * 1024  # positions kept for each feature between chunks
_FRESH: Final = 1 << 14  # new tokens hashed at a time
_FIRST_CELLS: Final = 1 << 12
_FIRST_ROWS: Final = 256


class TokenStore(Protocol):
    """Rows of hashed tokens; a token's slot is the number of its row."""

    @property
    def count(self) -> int:
        """Rows so far: the slot of the next token."""

    def add(self, token: bytes) -> None:
        """Hash one more token."""


class TokenSlots:
    """Finds the slots of one feature's tokens. Not for use by several threads at once.

    Args:
        store: hashes a token that is new.
        n: length of packed n-grams.
        positional: whether packed n-grams carry their place.
    """

    def __init__(self, store: TokenStore, *, n: int, positional: bool) -> None:
        self._store = store
        self._n = n
        self._positional = positional
        self.clear()

    def clear(self) -> None:
        """Forget every token."""
        self._slots: dict[bytes, int] = {}
        self._table_keys = np.zeros(_FIRST_CELLS, dtype=np.uint64)
        self._table_slots = np.zeros(_FIRST_CELLS, dtype=np.int32)
        self._packed = 0

    def slot(self, token: bytes) -> int:
        """Slot that belongs to a token."""
        found = self._slots.get(token)
        if found is None:
            found = self._slots[token] = self._store.count
            self._store.add(token)
        return found

    def packed_slots(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Slots that belong to packed n-grams (see ``kernels``)."""
        slots = np.empty(keys.size, dtype=np.int32)
        fresh = np.empty(_FRESH, dtype=np.uint64)
        done = 0
        while done < keys.size:
            if self._packed * 2 >= self._table_keys.size:
                self._grow_table()
            done, found = kernels.find_slots(
                keys,
                done,
                self._table_keys,
                self._table_slots,
                self._packed,
                self._store.count,
                slots,
                fresh,
            )
            self._packed += found
            for key in fresh[:found].tolist():
                self._store.add(self._unpack(key))
        return slots

    def _grow_table(self) -> None:
        keys = np.zeros(self._table_keys.size * 4, dtype=np.uint64)
        slots = np.zeros(keys.size, dtype=np.int32)
        kernels.rehash(self._table_keys, self._table_slots, keys, slots)
        self._table_keys, self._table_slots = keys, slots

    def _unpack(self, key: int) -> bytes:
        bits = kernels.CHARACTER_BITS
        gram = bytes((key >> (bits * at)) & 127 for at in range(self._n - 1, -1, -1))
        if not self._positional:
            return gram
        place = (key & ~(1 << 63)) >> kernels.PLACE_SHIFT
        return b"%d %s" % (place, gram)


class TokenPositions:
    """Positions of the tokens of one feature, ``rows`` uint16 (tokens, most).

    Args:
        key: the feature's BLAKE2b key, 1 to 64 bytes.
        most: the most bits that one token can set.
        filter_bits: length of the Bloom filter, a power of two up to 65,536.
    """

    def __init__(self, key: bytes, most: int, filter_bits: int) -> None:
        self._key = key
        self._blocks = -(-most // BLOCK_POSITIONS)
        self._filter_bits = filter_bits
        self._most_rows = max(1, CACHE_BYTES // (self._blocks * BLOCK_POSITIONS * 2))
        self.clear()

    @property
    def count(self) -> int:
        """Tokens so far."""
        return self._count

    @property
    def full(self) -> bool:
        """Whether more is kept than the cache may hold."""
        return self._count > self._most_rows

    def clear(self) -> None:
        """Forget every token."""
        self._count = 0
        self.rows: NDArray[np.uint16] = np.zeros(
            (_FIRST_ROWS, self._blocks * BLOCK_POSITIONS), dtype=np.uint16
        )

    def add(self, token: bytes) -> None:
        """Hash one more token."""
        if self._count == len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        digests = b"".join(
            blake2b(token, key=self._key, salt=b"%d" % block).digest()
            for block in range(self._blocks)
        )
        self.rows[self._count] = np.frombuffer(digests, dtype="<u2") % self._filter_bits
        self._count += 1
