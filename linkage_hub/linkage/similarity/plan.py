"""How long a sketch each floor asks for, and where floors lie: both from samples, without truth."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from linkage_hub.linkage.similarity.kernels import SHARES, bounds_by_words, similarities
from linkage_hub.linkage.similarity.sides import Indices, Matrix, Side, as_words, count_ones

PLAN_ROWS: Final = 512  # records against
PLAN_COLUMNS: Final = 4096  # records, to choose sketches
FLOOR_ROWS: Final = 256  # records of the first dataset that choose a floor
FLOOR_COLUMNS: Final = 8192  # of the second
FULL_COUNT: Final = 1300  # cost of a pair that passes the sketch, in words of sketches
LENGTHS: Final = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14)  # of sketches in words, besides all words


def sketch_words(sides: Sequence[Side]) -> Indices:
    """The cheapest sketch for each floor, int64 (101,), by floor(100 * floor).

    A word more costs every pair a little, and lets fewer pairs through to be counted in full.
    """
    pooled = [each for each in sides if len(each.ones)]
    width = sides[0].rows.shape[1]
    counts = np.zeros((width + 1, 101), dtype=np.int64)
    if pooled:
        share = max(1, sum(len(each.ones) for each in pooled) // (PLAN_ROWS + PLAN_COLUMNS))
        sample = np.concatenate([each.rows[::share] for each in pooled])
        mixed = np.random.default_rng(0).permutation(len(sample))
        half = max(1, len(sample) * PLAN_ROWS // (PLAN_ROWS + PLAN_COLUMNS))
        bounds_by_words(sample[mixed[:half]], sample[mixed[half:]], counts)
    total = max(1, int(counts[width].sum()))
    passing = counts[:, ::-1].cumsum(axis=1)[:, ::-1] / total
    lengths = np.array([each for each in LENGTHS if each < width] + [width])
    cost = lengths[:, None] + FULL_COUNT * passing[lengths]
    return np.asarray(lengths[cost.argmin(axis=0)], dtype=np.int64)


def sampled_floor(
    first: Sequence[Matrix], second: Sequence[Matrix], share: float, limits: tuple[float, float]
) -> float:
    """The Dice similarity, the mean over views, that a share of pairs reaches.

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
