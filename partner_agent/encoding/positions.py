"""Bit positions of tokens, hashed once for each feature and token and kept in arrays.

A token's positions are 16-bit numbers cut from BLAKE2b under the feature's key, the block number
as salt, modulo the filter's length (clkhash's ``blakeHash``). A token that sets fewer bits uses
the first ones, so one row of the array serves every number of bits.
"""

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from partner_agent.encoding import kernels

BLOCK_POSITIONS: Final = 32  # 16-bit numbers in one BLAKE2b digest
CACHE_BYTES: Final = 16 * 1024 * 1024  # positions kept for each feature between chunks
_FRESH: Final = 1 << 14  # new tokens hashed at a time
_FIRST_CELLS: Final = 1 << 12


class TokenPositions:
    """Positions of the tokens of one feature. Not for use by several threads at once.

    Args:
        key: the feature's BLAKE2b key, 1 to 64 bytes.
        most: the most bits that one token can set.
        filter_bits: length of the Bloom filter, a power of two up to 65,536.
        n: length of packed n-grams.
        positional: whether packed n-grams carry their place.
    """

    def __init__(
        self, key: bytes, most: int, filter_bits: int, *, n: int = 1, positional: bool = False
    ) -> None:
        self._key = key
        self._blocks = -(-most // BLOCK_POSITIONS)
        self._filter_bits = filter_bits
        self._n = n
        self._positional = positional
        self._most_slots = max(1, CACHE_BYTES // (self._blocks * BLOCK_POSITIONS * 2))
        self.clear()

    def clear(self) -> None:
        """Forget every token."""
        self._slots: dict[bytes, int] = {}
        self._table_keys = np.zeros(_FIRST_CELLS, dtype=np.uint64)
        self._table_slots = np.zeros(_FIRST_CELLS, dtype=np.int32)
        self._packed = 0
        self._count = 0
        self.positions: NDArray[np.uint16] = np.zeros(
            (256, self._blocks * BLOCK_POSITIONS), dtype=np.uint16
        )

    def trim(self) -> None:
        """Forget every token when more are kept than the cache may hold."""
        if self._count > self._most_slots:
            self.clear()

    def slot(self, token: bytes) -> int:
        """Row of ``positions`` that belongs to a token."""
        found = self._slots.get(token)
        if found is None:
            found = self._slots[token] = self._add(token)
        return found

    def packed_slots(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Rows of ``positions`` that belong to packed n-grams (see ``kernels``)."""
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
                self._count,
                slots,
                fresh,
            )
            self._packed += found
            for key in fresh[:found].tolist():
                self._add(self._unpack(key))
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

    def _add(self, token: bytes) -> int:
        slot = self._count
        if slot == len(self.positions):
            self.positions = np.concatenate([self.positions, np.zeros_like(self.positions)])
        digests = b"".join(
            blake2b(token, key=self._key, salt=b"%d" % block).digest()
            for block in range(self._blocks)
        )
        self.positions[slot] = np.frombuffer(digests, dtype="<u2") % self._filter_bits
        self._count = slot + 1
        return slot
