"""Candidate pairs by Dice similarity, within and across datasets, through anonlink.

Rules:
1. No blocking: every record of a dataset meets every record of every other, and of its own.
2. The floor of each pair of datasets is chosen from a sample so that a record keeps about
   ``per_record`` candidates; a true match below it has that many better-looking strangers.
3. Work is cut into tiles of rows, so memory is bounded and progress can be told.
4. The result has the columns of anonlink's candidate-pair arrays.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from anonlink.similarities import dice_coefficient_accelerated
from bitarray import bitarray
from numpy.typing import NDArray

from linkage_hub.linkage.errors import LinkageError

Encodings = NDArray[np.uint8]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Progress = Callable[[float, str], None]
AnonlinkPairs = tuple["array[float]", tuple["array[int]", ...], tuple["array[int]", ...]]

PER_RECORD = 20  # candidates that a record keeps on average in one other dataset
FLOOR_LOWEST = 0.4  # Dice; two unrelated filters half full score about .5
FLOOR_HIGHEST = 0.85  # Dice; never cut above it, however many duplicates there are
TILE_ROWS = 2048  # rows of the first dataset in one anonlink call
SAMPLE_ROWS = 256  # rows of the first dataset that choose the floor
SAMPLE_COLUMNS = 8192  # rows of the second
CAP_FACTOR = 20  # a row keeps at most this many times PER_RECORD: a bound on memory


def silent(_fraction: float, _message: str) -> None:
    """A progress listener that says nothing."""


@dataclass(frozen=True, slots=True)
class PairBlock:
    """Candidate pairs of one pair of datasets, most similar first.

    Attributes:
        first, second: dataset numbers, ``first <= second``.
        similarity: Dice, float64 (m,), descending.
        left, right: record numbers, int64 (m,); ``left < right`` when ``first == second``.
        floor: pairs below this Dice similarity were not kept.
    """

    first: int
    second: int
    similarity: Floats
    left: Indices
    right: Indices
    floor: float


def check_encodings(datasets: Sequence[Encodings]) -> None:
    """Refuse anything but uint8 arrays (n, width) of one width.

    Raises:
        LinkageError: another shape or dtype, with the dataset's number.
    """
    widths = set()
    for number, dataset in enumerate(datasets):
        if dataset.ndim != 2 or dataset.dtype != np.uint8:  # noqa: PLR2004 a matrix
            raise LinkageError(
                f"dataset {number}: expected uint8 (n, width), got {dataset.dtype} "
                f"with {dataset.ndim} dimensions"
            )
        widths.add(dataset.shape[1])
    if len(widths) > 1:
        raise LinkageError(f"encodings of different lengths in bytes: {sorted(widths)}")


def find_candidates(
    datasets: Sequence[Encodings],
    *,
    per_record: int = PER_RECORD,
    within: bool = True,
    progress: Progress = silent,
) -> list[PairBlock]:
    """Candidate pairs of every pair of datasets, each dataset against itself included.

    Args:
        datasets: encodings, uint8 (n, width).
        per_record: candidates wanted per record in each other dataset.
        within: whether to compare datasets with themselves.
        progress: told the share of comparisons done, 0 to 1.

    Raises:
        LinkageError: the encodings do not fit together.
    """
    check_encodings(datasets)
    jobs = [
        (a, b)
        for a, b in combinations_with_replacement(range(len(datasets)), 2)
        if (within or a != b) and len(datasets[a]) and len(datasets[b])
    ]
    total = sum(len(datasets[a]) * len(datasets[b]) for a, b in jobs) or 1
    filters = [_bitarrays(dataset) for dataset in datasets]
    done, blocks = 0, []
    for a, b in jobs:
        floor = choose_floor(datasets[a], datasets[b], per_record)
        cap = CAP_FACTOR * per_record
        parts = []
        for start in range(0, len(datasets[a]), TILE_ROWS):
            rows = filters[a][start : start + TILE_ROWS]
            parts.append(_tile(rows, filters[b], start, floor, cap))
            done += len(rows) * len(filters[b])
            progress(done / total, "comparing encodings")
        blocks.append(_block(a, b, parts, floor))
    return blocks


def choose_floor(first: Encodings, second: Encodings, per_record: int = PER_RECORD) -> float:
    """The Dice similarity that about ``per_record`` candidates of a record reach.

    Measured on evenly spaced rows, so that it is the same on every run.
    """
    rows = _evenly(first, SAMPLE_ROWS)
    columns = _evenly(second, SAMPLE_COLUMNS)
    share = min(1.0, per_record / len(second))
    sample = dice_matrix(rows, columns)
    floor = float(np.quantile(sample, 1.0 - share))
    return min(max(floor, FLOOR_LOWEST), FLOOR_HIGHEST)


def dice_matrix(first: Encodings, second: Encodings) -> Floats:
    """All Dice similarities of two small sets of encodings, float64 (n, m)."""
    ones = np.bitwise_count(second).sum(axis=1, dtype=np.int64)
    out = np.zeros((len(first), len(second)))
    for row, encoding in enumerate(first):
        common = np.bitwise_count(second & encoding).sum(axis=1, dtype=np.int64)
        both = ones + int(np.bitwise_count(encoding).sum(dtype=np.int64))
        np.divide(2.0 * common, both, out=out[row], where=both > 0)
    return out


def anonlink_pairs(blocks: Sequence[PairBlock]) -> AnonlinkPairs:
    """The pairs of all blocks as anonlink's solvers want them, most similar first."""
    if not blocks:
        return array("d"), (array("I"), array("I")), (array("I"), array("I"))
    similarity = np.concatenate([block.similarity for block in blocks])
    left = np.concatenate([block.left for block in blocks])
    right = np.concatenate([block.right for block in blocks])
    sizes = [len(block.similarity) for block in blocks]
    first = np.repeat([block.first for block in blocks], sizes).astype(np.int64)
    second = np.repeat([block.second for block in blocks], sizes).astype(np.int64)
    order = np.lexsort((right, left, second, first, -similarity))
    return (
        array("d", similarity[order].tobytes()),
        (_unsigned(first[order]), _unsigned(second[order])),
        (_unsigned(left[order]), _unsigned(right[order])),
    )


def _unsigned(values: Indices) -> "array[int]":
    return array("I", values.astype(np.uint32).tobytes())


def _evenly(rows: Encodings, limit: int) -> Encodings:
    if len(rows) <= limit:
        return rows
    return rows[np.linspace(0, len(rows) - 1, limit).astype(np.int64)]


def _bitarrays(dataset: Encodings) -> list[bitarray]:
    filters = []
    for row in dataset:
        bits = bitarray(endian="big")
        bits.frombytes(row.tobytes())
        filters.append(bits)
    return filters


def _tile(
    rows: list[bitarray], columns: list[bitarray], start: int, floor: float, cap: int
) -> tuple[Floats, Indices, Indices]:
    similarity, (left, right) = dice_coefficient_accelerated((rows, columns), floor, k=cap)
    return (
        np.array(similarity, dtype=np.float64),
        np.array(left, dtype=np.int64) + start,
        np.array(right, dtype=np.int64),
    )


def _block(
    first: int, second: int, parts: list[tuple[Floats, Indices, Indices]], floor: float
) -> PairBlock:
    similarity = np.concatenate([part[0] for part in parts])
    left = np.concatenate([part[1] for part in parts])
    right = np.concatenate([part[2] for part in parts])
    if first == second:
        # A row's cap may have dropped the half that is kept, so both halves are folded in.
        low, high = np.minimum(left, right), np.maximum(left, right)
        _, keep = np.unique(low * (high.max(initial=0) + 1) + high, return_index=True)
        keep = keep[low[keep] != high[keep]]
        similarity, left, right = similarity[keep], low[keep], high[keep]
    order = np.lexsort((right, left, -similarity))
    return PairBlock(first, second, similarity[order], left[order], right[order], floor)
