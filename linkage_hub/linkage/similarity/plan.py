"""How long a sketch each floor asks for, and where floors lie: both from samples, without truth."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from linkage_hub.linkage.similarity.kernels import SHARES, bounds_by_words, similarities
from linkage_hub.linkage.similarity.sides import (
    WORD_BITS,
    Indices,
    Matrix,
    as_words,
    count_ones,
    sketches,
)

PLAN_PAIRS: Final = 500_000  # sampled to choose sketches, at most
PLAN_PAIRS_LEAST: Final = 20_000
PLAN_SHARE: Final = 10_000  # of all pairs of records one in so many
FLOOR_ROWS: Final = 256  # records of the first dataset that choose a floor
FLOOR_COLUMNS: Final = 8192  # of the second
FULL_COUNT: Final = 1300  # cost of a pair that passes the sketch, in words of sketches
LENGTHS: Final = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14)  # of sketches in words, besides all words


def sketch_words(datasets: Sequence[Matrix], order: Indices) -> Indices:
    """The cheapest sketch for each floor, int64 (101,), by floor(100 * floor).

    A word more costs every pair a little, and lets fewer pairs through to be counted in full.

    Args:
        datasets: encodings, uint8 (n, width) each.
        order: of bits, the most telling first.
    """
    total = sum(len(each) for each in datasets)
    pairs = min(PLAN_PAIRS, max(PLAN_PAIRS_LEAST, total * total // PLAN_SHARE))
    columns = int(np.sqrt(8 * pairs))
    wanted = columns + columns // 8
    sample = np.concatenate([_share(each, wanted / max(1, total)) for each in datasets])
    width = len(order) // WORD_BITS
    rows = sketches(as_words(sample), order, width)
    mixed = np.random.default_rng(0).permutation(len(rows))
    counts = np.zeros((width + 1, 101), dtype=np.int64)
    half = -(-len(rows) // 9)
    bounds_by_words(rows[mixed[:half]], rows[mixed[half:]], counts)
    passing = counts[:, ::-1].cumsum(axis=1)[:, ::-1] / max(1, int(counts[width].sum()))
    lengths = np.array([each for each in LENGTHS if each < width] + [width])
    cost = lengths[:, None] + FULL_COUNT * passing[lengths]
    return np.asarray(lengths[cost.argmin(axis=0)], dtype=np.int64)


def _share(rows: Matrix, share: float) -> Matrix:
    return _evenly(rows, max(1, round(share * len(rows)))) if len(rows) else rows


def sampled_floor(
    first: Sequence[Matrix], second: Sequence[Matrix], share: float, limits: tuple[float, float]
) -> float:
    """The similarity that a share of pairs reaches: Dice, of several views ``kernels.SOFTNESS``.

    Measured on evenly spaced records, so that it is the same on every run.

    Args:
        first: views of one dataset, uint8 (n, width) each.
        second: views of the other.
        share: of all pairs.
        limits: lowest and highest answer.
    """
    rows = np.stack([as_words(_evenly(each, FLOOR_ROWS)) for each in first])
    columns = np.stack([as_words(_evenly(each, FLOOR_COLUMNS)) for each in second])
    counts = np.zeros(SHARES + 1, dtype=np.int64)
    ones = np.stack([count_ones(each) for each in rows])
    others = np.stack([count_ones(each) for each in columns])
    turned = np.ascontiguousarray(columns.transpose(0, 2, 1))
    similarities(rows, turned, ones, others, counts)
    wanted = max(1.0, min(1.0, share) * counts.sum())
    above = counts[::-1].cumsum()[::-1]
    return float(np.clip(np.flatnonzero(above >= wanted)[-1] / SHARES, *limits))


def _evenly(rows: Matrix, limit: int) -> Matrix:
    if len(rows) <= limit:
        return rows
    return rows[np.linspace(0, len(rows) - 1, limit).astype(np.int64)]
