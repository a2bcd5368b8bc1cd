"""What the encodings of a pair say beyond their Dice similarity.

Profile ``clk`` (one view): the number of bits set tells how much a record holds, so a record
without an address is compared with what it could have given; and a bit that few records set
says more than one that many set. Both go into a log-likelihood ratio over bits after Fellegi
and Sunter (1969), each bit with its own frequency, and beside it stand Dice, Dice corrected
for chance, rarity and both cardinalities. Bits are not independent, so none of these is a
probability: ``fitting`` learns without truth what they are worth. Over many sources it is given
the ratio alone until agents have answered: a model that weighs six kinds of evidence by labels
that it made itself drifts from the best of them, and the further the more strangers there are
(docs/adr/0011-persons.md).

Profile ``hardened`` (several views): half the bits are set whatever a record holds, so nothing but
the share of equal bits says anything. The evidence is one number, the share over all views beyond
that of strangers, in standard deviations, as a logarithm: it rises steeply where noise ends and
hardly among pairs that no stranger reaches, who are matches or relatives
(docs/adr/0011-persons.md).
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import (
    Encodings,
    Floats,
    Indices,
    Matrix,
    PairBlock,
    combine,
)

KEPT = 0.85  # share of one record's bits that the same person's other record sets
RAREST = 1e-3  # frequency of a bit below which it is not trusted to be rarer
BYTE = 256
LEAST_RATIO = 0.0  # log-likelihood ratio: a match is likelier than a stranger
HALF, NOISE = 0.5, 1.0 / 64.0  # equal bits of strangers, 1,024 coins: mean and deviation
LEAST_VIEWS = 0.6  # share of equal bits over all views; of strangers .5, and noise
AT_ONCE = 500_000  # pairs whose evidence is worked out at once
Single = NDArray[np.float32]
_BITS = np.unpackbits(np.arange(BYTE, dtype=np.uint8)[:, None], axis=1)  # of each byte


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of candidate pairs.

    Attributes:
        start: a first score, higher for likelier pairs, float32 (m,).
        features: float32 (m, d), of order one.
        least: a first score that strangers do not pass; where nothing does, nothing is a match.
        sure: a first score from which a best candidate is probably a match, where one is known.
    """

    start: Single
    features: Single
    least: float = -np.inf
    sure: float = np.inf

    def where(self, wanted: NDArray[np.bool_] | Indices) -> "Evidence":
        """The pairs that a mask or numbers pick."""
        return Evidence(self.start[wanted], self.features[wanted], self.least, self.sure)


@dataclass(frozen=True, slots=True)
class Filters:
    """One dataset's full encodings, and what every pair of datasets asks of them.

    Attributes:
        rows: uint8 (n, width).
        ones: bits that each record sets, int64 (n,).
        share: of the records that set each bit, 0 to 1, float64 (8 * width,).
    """

    rows: Matrix
    ones: Indices
    share: Floats

    @classmethod
    def of(cls, encodings: Encodings) -> "Filters":
        """Of the first view of a dataset, uint8 (v, n, width)."""
        rows = np.ascontiguousarray(encodings[0])
        counts = np.zeros((rows.shape[1], BYTE), dtype=np.int64)
        ones = np.empty(len(rows), dtype=np.int64)
        _count(rows, counts, ones)
        return cls(rows, ones, (counts @ _BITS).ravel() / max(1, len(rows)))


def block_evidence(
    block: PairBlock,
    first: Filters | None = None,
    second: Filters | None = None,
    *,
    ratio_alone: bool = False,
) -> Evidence:
    """The evidence of a block's pairs; by the views alone where encodings are not given.

    Args:
        block: candidate pairs.
        first: the first dataset's.
        second: the second's.
        ratio_alone: whether bits give their likelihood ratio and nothing else.
    """
    if block.views.shape[1] > 1:
        return _of_views(block.views)
    if first is None or second is None:
        start = block.similarity.astype(np.float32)
        return Evidence(start, start[:, None] * np.float32(10.0))
    return _of_bits(block.left, block.right, first, second, ratio_alone=ratio_alone)


def _of_views(views: Single) -> Evidence:
    start = combine(views.astype(np.float64)).astype(np.float32)
    features = np.log(np.maximum(start - HALF, NOISE) / NOISE)[:, None]
    return Evidence(start, features, LEAST_VIEWS, LEAST_VIEWS)


def _of_bits(
    left: Indices, right: Indices, first: Filters, second: Filters, *, ratio_alone: bool
) -> Evidence:
    frequency = np.clip((first.share + second.share) / 2.0, RAREST, 1.0 - RAREST)
    rarity = -np.log(frequency)
    both = np.log(KEPT / frequency)
    one = np.log((1.0 - KEPT) / (1.0 - frequency))
    none = np.log((1.0 - 2.0 * frequency + frequency * KEPT).clip(RAREST) / (1.0 - frequency) ** 2)
    # One pass over the common bits: what a record adds alone is summed over the record once.
    tables = np.ascontiguousarray(
        np.stack([_table(both - 2.0 * one + none), _table(rarity)], axis=2)
    )
    own = _table(one - none)
    alone = _own(first.rows, left, own), _own(second.rows, right, own)
    start = np.empty(len(left), dtype=np.float32)
    features = np.empty((len(left), 1 if ratio_alone else 6), dtype=np.float32)
    for at in range(0, len(left), AT_ONCE):
        a, b = left[at : at + AT_ONCE], right[at : at + AT_ONCE]
        common = _common(first.rows, second.rows, a, b, tables)
        ratio = common[:, 1] + alone[0][a] + alone[1][b] + none.sum()
        part = features[at : at + AT_ONCE]
        start[at : at + AT_ONCE] = ratio
        part[:, 0] = ratio / 50.0
        if ratio_alone:
            continue
        ones_a, ones_b = first.ones[a], second.ones[b]
        total, fewer = np.maximum(ones_a + ones_b, 1), np.minimum(ones_a, ones_b)
        chance = ones_a * ones_b / len(frequency)
        part[:, 1] = common[:, 2] / 100.0
        part[:, 2] = 20.0 * common[:, 0] / total
        part[:, 3] = 10.0 * (common[:, 0] - chance) / np.maximum(fewer - chance, 1.0)
        part[:, 4] = fewer / 100.0
        part[:, 5] = (total - fewer) / 100.0
    return Evidence(start, features, LEAST_RATIO)


def _table(weights: Floats) -> Single:
    """The sum of the weights of each value of each byte, float32 (width, 256)."""
    return (weights.reshape(-1, 8) @ _BITS.T).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _count(rows: Matrix, counts: Indices, ones: Indices) -> None:  # pragma: no cover - compiled
    """How often each value of each byte comes, and the bits that each record sets."""
    for row in range(len(rows)):
        found = 0
        for at in range(rows.shape[1]):
            byte = rows[row, at]
            counts[at, byte] += 1
            count = byte - ((byte >> 1) & 0x55)
            count = (count & 0x33) + ((count >> 2) & 0x33)
            found += (count + (count >> 4)) & 0x0F
        ones[row] = found


@numba.njit(cache=True, nogil=True)
def _own(rows: Matrix, wanted: Indices, table: Single) -> Floats:  # pragma: no cover - compiled
    """The sum of a weight over the bytes of the records that are wanted, float64 (n,)."""
    out = np.full(len(rows), np.nan)
    for row in wanted:
        if np.isnan(out[row]):
            total = 0.0
            for at in range(rows.shape[1]):
                total += table[at, rows[row, at]]
            out[row] = total
    return out


@numba.njit(cache=True, nogil=True)
def _common(
    first: Matrix, second: Matrix, left: Indices, right: Indices, tables: Single
) -> Floats:  # pragma: no cover - compiled
    """Bits that both set, and the sum of two weights over them, float64 (m, 3)."""
    out = np.zeros((len(left), 3))
    for row in range(len(left)):
        a, b = first[left[row]], second[right[row]]
        ones, one, two = 0, 0.0, 0.0
        for at in range(first.shape[1]):
            byte = a[at] & b[at]
            count = byte - ((byte >> 1) & 0x55)
            count = (count & 0x33) + ((count >> 2) & 0x33)
            ones += (count + (count >> 4)) & 0x0F
            one += tables[at, byte, 0]
            two += tables[at, byte, 1]
        out[row, 0], out[row, 1], out[row, 2] = ones, one, two
    return out
