"""Records made ready to be compared: bits reordered, rows sorted by the bits they set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.similarity.kernels import ones_from, permuted

Matrix = NDArray[np.uint8]
Words = NDArray[np.uint64]
Indices = NDArray[np.int64]

SAMPLE_ROWS = 20_000  # records that say how often each bit is set
WORD_BYTES, WORD_BITS = 8, 64


@dataclass(frozen=True, slots=True)
class Side:
    """Records in ascending order of bits set.

    Attributes:
        rows: uint64 (n, words), bits in the order of ``bit_order``.
        ones: bits set, int64 (n,), ascending.
        numbers: which record each row is, int64 (n,).
    """

    rows: Words
    ones: Indices
    numbers: Indices

    def part(self, start: int, stop: int) -> "Side":
        """Some consecutive rows, not copied."""
        return Side(self.rows[start:stop], self.ones[start:stop], self.numbers[start:stop])


def as_words(matrix: Matrix) -> Words:
    """Rows of bytes (n, width) as 64-bit words, zeros added to a width that is not of words."""
    spare = -matrix.shape[1] % WORD_BYTES
    padded = np.pad(matrix, ((0, 0), (0, spare))) if spare else np.ascontiguousarray(matrix)
    return padded.view(np.uint64)


def count_ones(rows: Words, start: int = 0) -> Indices:
    """Bits set in each row from a word on, int64 (n,)."""
    out = np.empty(len(rows), dtype=np.int64)
    ones_from(rows, start, out)
    return out


def bit_order(matrices: Sequence[Matrix]) -> Indices:
    """Bits by how much each tells, most first: p(1 - p) for a bit that is set in a share p."""
    total = sum(len(each) for each in matrices)
    step = max(1, total // SAMPLE_ROWS)
    sample = as_words(np.concatenate([each[::step] for each in matrices]))
    bits = np.unpackbits(sample.view(np.uint8), axis=1, bitorder="little")
    share = bits.mean(axis=0) if len(bits) else np.zeros(bits.shape[1])
    return np.argsort(-share * (1 - share), kind="stable").astype(np.int64)


def prepare(matrix: Matrix, order: Indices) -> Side:
    """A side of a join from encodings (n, width)."""
    words = as_words(matrix)
    rows = np.zeros_like(words)
    permuted(words, order, rows)
    ones = count_ones(rows)
    by_ones = np.argsort(ones, kind="stable")
    return Side(rows[by_ones], ones[by_ones], by_ones.astype(np.int64))
