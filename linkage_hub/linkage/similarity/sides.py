"""Records made ready to be compared: sketches of telling bits, rows sorted by the bits they set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.similarity.kernels import chosen_bits, ones_within

Matrix = NDArray[np.uint8]
Words = NDArray[np.uint64]
Indices = NDArray[np.int64]

SAMPLE_ROWS = 4_096  # records that say how often each bit is set
WORD_BYTES, WORD_BITS = 8, 64


@dataclass(frozen=True, slots=True)
class Side:
    """Records in ascending order of bits set.

    Attributes:
        rows: uint64 (n, words).
        sketch: the most telling bits of each row, uint64 (n, at most words).
        ones: bits set, int64 (n,), ascending.
        numbers: which record each row is, int64 (n,).
    """

    rows: Words
    sketch: Words
    ones: Indices
    numbers: Indices

    def part(self, start: int, stop: int) -> "Side":
        """Some consecutive rows, not copied."""
        return Side(
            self.rows[start:stop],
            self.sketch[start:stop],
            self.ones[start:stop],
            self.numbers[start:stop],
        )

    def rest(self, words: int) -> Indices:
        """Bits set outside the first words of the sketch, int64 (n,)."""
        return self.ones - count_ones(self.sketch, words)


def as_words(matrix: Matrix) -> Words:
    """Rows of bytes (n, width) as 64-bit words, zeros added to a width that is not of words."""
    spare = -matrix.shape[1] % WORD_BYTES
    padded = np.pad(matrix, ((0, 0), (0, spare))) if spare else np.ascontiguousarray(matrix)
    return padded.view(np.uint64)


def count_ones(rows: Words, words: int | None = None) -> Indices:
    """Bits set in the first words of each row, in all when None, int64 (n,)."""
    out = np.empty(len(rows), dtype=np.int64)
    ones_within(rows, rows.shape[1] if words is None else words, out)
    return out


def bit_order(matrices: Sequence[Matrix]) -> Indices:
    """Bits by how much each tells, most first: p(1 - p) for a bit that is set in a share p."""
    total = sum(len(each) for each in matrices)
    step = max(1, total // SAMPLE_ROWS)
    sample = as_words(np.concatenate([each[::step] for each in matrices]))
    bits = np.unpackbits(sample.view(np.uint8), axis=1, bitorder="little")
    share = bits.mean(axis=0) if len(bits) else np.zeros(bits.shape[1])
    return np.argsort(-share * (1 - share), kind="stable").astype(np.int64)


def sketches(rows: Words, order: Indices, words: int) -> Words:
    """The first ``64 * words`` bits of an order, of every row, uint64 (n, words)."""
    out = np.empty((len(rows), words), dtype=np.uint64)
    chosen_bits(rows, order, out)
    return out


def prepare(matrix: Matrix, order: Indices, words: int) -> Side:
    """A side of a join from encodings (n, width), with sketches of so many words."""
    rows = as_words(matrix)
    ones = count_ones(rows)
    by_ones = np.argsort(ones, kind="stable")
    rows = rows[by_ones]
    return Side(rows, sketches(rows, order, words), ones[by_ones], by_ones.astype(np.int64))
