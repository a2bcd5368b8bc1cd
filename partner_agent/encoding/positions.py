"""What tokens stand for, hashed once for each feature and token and kept in arrays.

Each token has a slot, a row of a store. ``TokenPositions`` stores bit positions (clkhash's
``blakeHash``): 16-bit numbers cut from BLAKE2b under the feature's key, the block number as salt,
modulo the filter's length. A token that sets fewer bits uses the first ones, so one row serves
every number of bits. ``votes.FeatureVotes`` stores votes instead.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from partner_agent.encoding import kernels
from partner_agent.encoding.blake2 import hash_many, keyed_states

Texts: TypeAlias = tuple[NDArray[np.int64], NDArray[np.uint8]]
"""Texts one after the other: text ``i`` is ``data[offsets[i]:offsets[i + 1]]``."""

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

    def add(self, tokens: Texts) -> None:
        """Hash more tokens, none of them empty."""


class TokenSlots:
    """Finds the slots of one feature's tokens. Not for use by several threads at once.

    Args:
        store: hashes a token that is new.
        unpack: the tokens that 64-bit keys stand for (see ``kernels``).
    """

    def __init__(self, store: TokenStore, unpack: Callable[[NDArray[np.uint64]], Texts]) -> None:
        self._store = store
        self._unpack = unpack
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
            self._store.add((np.array([0, len(token)]), np.frombuffer(token, dtype=np.uint8)))
        return found

    def new_slots(self, tokens: Texts) -> NDArray[np.int32]:
        """Slots for tokens that hardly repeat: hashed anew, and not found again."""
        first = self._store.count
        self._store.add(tokens)
        return np.arange(first, self._store.count, dtype=np.int32)

    def packed_slots(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Slots that belong to packed tokens (see ``kernels``)."""
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
            if found:
                self._store.add(self._unpack(fresh[:found]))
        return slots

    def _grow_table(self) -> None:
        keys = np.zeros(self._table_keys.size * 4, dtype=np.uint64)
        slots = np.zeros(keys.size, dtype=np.int32)
        kernels.rehash(self._table_keys, self._table_slots, keys, slots)
        self._table_keys, self._table_slots = keys, slots


class TokenPositions:
    """Positions of the tokens of one feature, ``rows`` uint16 (tokens, most).

    Args:
        key: the feature's BLAKE2b key, 1 to 64 bytes.
        most: the most bits that one token can set.
        filter_bits: length of the Bloom filter, a power of two up to 65,536.
    """

    def __init__(self, key: bytes, most: int, filter_bits: int) -> None:
        self._blocks = -(-most // BLOCK_POSITIONS)
        self._states = keyed_states(key, [b"%d" % block for block in range(self._blocks)])
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
        self.rows: NDArray[np.uint16] = self._empty(_FIRST_ROWS)

    def add(self, tokens: Texts) -> None:
        """Hash more tokens, none of them empty."""
        offsets, data = tokens
        wanted = self._count + offsets.size - 1
        if wanted > len(self.rows):
            more = self._empty(max(wanted, 2 * len(self.rows)) - self._count)
            self.rows = np.concatenate([self.rows[: self._count], more])
        rows = self.rows[self._count : wanted]
        hash_many(self._states, offsets, data, rows.view(np.uint64))
        rows &= np.uint16(self._filter_bits - 1)  # the modulus is a power of two
        self._count = wanted

    def _empty(self, rows: int) -> NDArray[np.uint16]:
        return np.zeros((rows, self._blocks * BLOCK_POSITIONS), dtype=np.uint16)
