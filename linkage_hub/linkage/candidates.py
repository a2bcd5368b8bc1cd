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
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from anonlink.similarities import dice_coefficient_accelerated
from bitarray import bitarray
from numpy.typing import NDArray

from linkage_hub.linkage.errors import LinkageError

Encodings = NDArray[np.uint8]
"""A source's encodings, (v, n, width): v views, the first of them the full encoding."""
Matrix = NDArray[np.uint8]
"""One view of a source, (n, width)."""
Floats = NDArray[np.float64]
Views = NDArray[np.float32]
Mode = Literal["exact", "fast"]
Indices = NDArray[np.int64]
Progress = Callable[[float, str], None]
AnonlinkPairs = tuple["array[float]", tuple["array[int]", ...], tuple["array[int]", ...]]

PER_RECORD = 20  # candidates that a record keeps on average in one other dataset
FLOOR_LOWEST = 0.4  # Dice; two unrelated filters half full score about .5
FLOOR_HIGHEST = 0.85  # Dice; never cut above it, however many duplicates there are
TILE_ROWS = 2048  # rows of the first dataset in one anonlink call
PAIRS_AT_ONCE = 65_536  # rows gathered at once: 16 MB
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
        similarity: the largest Dice over the views (``combine``), float64 (m,), descending.
        left, right: record numbers, int64 (m,); ``left < right`` when ``first == second``.
        floor: pairs below this Dice similarity were not kept.
        views: Dice of every view, float32 (m, v), rounded; ``similarity`` is exact.
    """

    first: int
    second: int
    similarity: Floats
    left: Indices
    right: Indices
    floor: float
    views: Views

    def where(self, wanted: NDArray[np.bool_] | Indices) -> "PairBlock":
        """The pairs that a mask or ascending numbers pick."""
        return replace(
            self,
            similarity=self.similarity[wanted],
            left=self.left[wanted],
            right=self.right[wanted],
            views=self.views[wanted],
        )


def empty_block(first: int, second: int, floor: float, views: int) -> PairBlock:
    """No pairs."""
    none = np.empty(0, dtype=np.int64)
    return PairBlock(
        first, second, np.empty(0), none, none, floor, np.empty((0, views), dtype=np.float32)
    )


def combine(views: Floats) -> Floats:
    """One similarity of the Dice of all views, float64 (m, v) to (m,): the largest."""
    return np.asarray(views.max(axis=1, initial=0.0), dtype=np.float64)


def check_encodings(datasets: Sequence[Encodings]) -> None:
    """Refuse anything but uint8 arrays (v, n, width) of one width and one number of views.

    Raises:
        LinkageError: another shape or dtype, with the dataset's number.
    """
    kinds = set()
    for number, dataset in enumerate(datasets):
        if dataset.ndim != 3 or dataset.dtype != np.uint8 or not len(dataset):  # noqa: PLR2004 (v, n, width)
            raise LinkageError(
                f"dataset {number}: expected uint8 (v, n, width), got {dataset.dtype} "
                f"with {dataset.ndim} dimensions"
            )
        kinds.add((dataset.shape[0], dataset.shape[2]))
    if len(kinds) > 1:
        raise LinkageError(f"encodings of different kinds, (views, bytes): {sorted(kinds)}")


def find_candidates(
    datasets: Sequence[Encodings],
    *,
    per_record: int = PER_RECORD,
    within: bool = True,
    mode: Mode = "exact",
    executor: Executor | None = None,
    progress: Progress = silent,
) -> list[PairBlock]:
    """Candidate pairs of every pair of datasets, each dataset against itself included.

    Args:
        datasets: encodings, uint8 (v, n, width).
        per_record: candidates wanted per record in each other dataset.
        within: whether to compare datasets with themselves.
        mode: ``exact`` loses nothing; ``fast`` is not there yet and does the same.
        executor: runs the tiles; not used yet.
        progress: told the share of comparisons done, 0 to 1.

    Raises:
        LinkageError: the encodings do not fit together.
    """
    del mode, executor
    check_encodings(datasets)
    jobs = [
        (a, b)
        for a, b in combinations_with_replacement(range(len(datasets)), 2)
        if (within or a != b) and datasets[a].shape[1] and datasets[b].shape[1]
    ]
    total = sum(datasets[a].shape[1] * datasets[b].shape[1] for a, b in jobs) or 1
    done, blocks = 0, []
    for a, b in jobs:
        blocks.append(_compare(a, b, datasets[a], datasets[b], per_record))
        done += datasets[a].shape[1] * datasets[b].shape[1]
        progress(done / total, "comparing encodings")
    return blocks


def _compare(a: int, b: int, first: Encodings, second: Encodings, per_record: int) -> PairBlock:
    """Pairs that any view says are candidates."""
    cap = CAP_FACTOR * per_record
    floors, keys = [], []
    for left, right in zip(first, second, strict=True):
        floor = choose_floor(left, right, per_record)
        floors.append(floor)
        filters = _bitarrays(left), _bitarrays(right)
        for start in range(0, len(left), TILE_ROWS):
            _, rows, columns = _tile(
                filters[0][start : start + TILE_ROWS], filters[1], start, floor, cap
            )
            keys.append(rows * len(right) + columns)
    rows, columns = np.divmod(np.unique(np.concatenate(keys)), second.shape[1])
    if a == b:
        # A row's cap may have dropped the half that is kept, so both halves are folded in.
        low, high = np.minimum(rows, columns), np.maximum(rows, columns)
        pairs = np.unique(low * second.shape[1] + high)
        rows, columns = np.divmod(pairs, second.shape[1])
        rows, columns = rows[rows != columns], columns[rows != columns]
    views = dice_pairs(first, second, rows, columns)
    similarity = combine(views)
    order = np.lexsort((columns, rows, -similarity))
    return PairBlock(
        a,
        b,
        similarity[order],
        rows[order],
        columns[order],
        min(floors),
        views[order].astype(np.float32),
    )


def choose_floor(first: Matrix, second: Matrix, per_record: int = PER_RECORD) -> float:
    """The Dice similarity that about ``per_record`` candidates of a record reach.

    Measured on evenly spaced rows, so that it is the same on every run.
    """
    rows = _evenly(first, SAMPLE_ROWS)
    columns = _evenly(second, SAMPLE_COLUMNS)
    share = min(1.0, per_record / len(second))
    sample = dice_matrix(rows, columns)
    floor = float(np.quantile(sample, 1.0 - share))
    return min(max(floor, FLOOR_LOWEST), FLOOR_HIGHEST)


def dice_matrix(first: Matrix, second: Matrix) -> Floats:
    """All Dice similarities of two small sets of encodings, float64 (n, m)."""
    ones = np.bitwise_count(second).sum(axis=1, dtype=np.int64)
    out = np.zeros((len(first), len(second)))
    for row, encoding in enumerate(first):
        common = np.bitwise_count(second & encoding).sum(axis=1, dtype=np.int64)
        both = ones + int(np.bitwise_count(encoding).sum(dtype=np.int64))
        np.divide(2.0 * common, both, out=out[row], where=both > 0)
    return out


def dice_pairs(first: Encodings, second: Encodings, left: Indices, right: Indices) -> Floats:
    """Dice of every view of given pairs, float64 (m, v)."""
    out = np.zeros((len(left), len(first)))
    for view, (rows, columns) in enumerate(zip(first, second, strict=True)):
        ones = [np.bitwise_count(each).sum(axis=1, dtype=np.int64) for each in (rows, columns)]
        for at in range(0, len(left), PAIRS_AT_ONCE):
            a, b = left[at : at + PAIRS_AT_ONCE], right[at : at + PAIRS_AT_ONCE]
            common = np.bitwise_count(rows[a] & columns[b]).sum(axis=1, dtype=np.int64)
            both = ones[0][a] + ones[1][b]
            out[at : at + len(a), view] = 2.0 * common / np.maximum(both, 1)
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


def _evenly(rows: Matrix, limit: int) -> Matrix:
    if len(rows) <= limit:
        return rows
    return rows[np.linspace(0, len(rows) - 1, limit).astype(np.int64)]


def _bitarrays(dataset: Matrix) -> list[bitarray]:
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
