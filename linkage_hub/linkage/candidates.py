"""Candidate pairs by Dice similarity, of every two datasets.

Rules:
1. No blocking: every record of a dataset meets every record of every other. None is compared with
   itself: which of its records are one person its agent says (``duplicates``).
2. The floor of each pair of datasets is chosen from a sample so that a record of the larger keeps
   about as many candidates as its share of ``per_record`` for each of the smaller; a true match
   below it has that many better-looking strangers.
3. Of several views, whose encodings set half of their bits whatever a record holds, similarity is
   the share of bits that are equal, over all views (``combine``), and one pass compares them all
   (``similarity.views``).
4. Memory is bounded: work is cut into tiles, a row keeps at most a number of pairs, and all pairs
   together are about ``PAIRS_A_RECORD`` a record, and ``PAIRS_MOST``, where there are many.
5. The result has the columns of anonlink's candidate-pair arrays, and its very similarities.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from governance.exchange.hub_api import Mode
from linkage_hub.linkage.errors import LinkageError
from linkage_hub.linkage.similarity.fast import fast_join
from linkage_hub.linkage.similarity.join import Wanted, join
from linkage_hub.linkage.similarity.kernels import SOFTNESS, common_bits
from linkage_hub.linkage.similarity.plan import sampled_floor
from linkage_hub.linkage.similarity.sides import WORD_BITS, count_ones
from linkage_hub.linkage.similarity.tiles import Pairs
from linkage_hub.linkage.similarity.views import join_views, view_words

Encodings = NDArray[np.uint8]
"""A source's encodings, (v, n, width): v views, the first of them the full encoding."""
Matrix = NDArray[np.uint8]
"""One view of a source, (n, width)."""
Floats = NDArray[np.float64]
Views = NDArray[np.float32]
Indices = NDArray[np.int64]
Progress = Callable[[float, str], None]
AnonlinkPairs = tuple["array[float]", tuple["array[int]", ...], tuple["array[int]", ...]]

PER_RECORD = 20  # candidates that a record of the smaller dataset keeps on average, or more:
OF_ALL = 200  # over all other datasets, where they are few
FLOOR_LOWEST = 0.4  # Dice; two unrelated filters half full score about .5
FAST_FLOOR = 0.7  # Dice of one view; in fast mode, where what is below is found too seldom
FAST_FLOOR_VIEWS = 0.52  # of several views; higher, too few strangers are left to learn from
FLOOR_HIGHEST = 0.85  # Dice; never cut above it, however many duplicates there are
PAIRS_MOST = 8_000_000  # candidates wanted in all; 28 bytes each and 4 for every view
PAIRS_FREE = 2_000_000  # candidates that any number of records may have, and beyond them:
PAIRS_A_RECORD = 20  # over all sources
CAP_FACTOR = 20  # a row keeps at most this many times PER_RECORD: a bound on memory


def silent(_fraction: float, _message: str) -> None:
    """A progress listener that says nothing."""


@dataclass(frozen=True, slots=True)
class PairBlock:
    """Candidate pairs of one pair of datasets, most similar first.

    Attributes:
        first, second: dataset numbers, ``first < second``.
        similarity: Dice, or of several views ``combine``, float64 (m,), descending.
        left, right: record numbers, int64 (m,).
        floor: all pairs from this similarity on are there, and none below it.
        views: similarity of every view, Dice or, of several, the share of equal bits, float32
            (m, v), rounded; ``similarity`` is exact.
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
    """One similarity of those of all views, float64 (m, v) to (m,).

    The logarithm of the mean exponential, in units of ``SOFTNESS``: the mean where all views are
    alike, near the largest where one stands out. It lies between the two.
    """
    if views.shape[1] == 1:
        return np.asarray(views[:, 0], dtype=np.float64)
    largest = views.max(axis=1)
    above = np.exp((views - largest[:, None]) / SOFTNESS)
    return np.asarray(largest + SOFTNESS * np.log(above.mean(axis=1)), dtype=np.float64)


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
    per_record: int | None = None,
    mode: Mode = "exact",
    executor: Executor | None = None,
    tiles: Path | None = None,
    progress: Progress = silent,
) -> list[PairBlock]:
    """Candidate pairs of every two datasets.

    Args:
        datasets: encodings, uint8 (v, n, width).
        per_record: candidates wanted per record of the smaller in the larger dataset; when None
            PER_RECORD, or OF_ALL over all other datasets where that is more.
        mode: ``exact`` compares every pair; ``fast`` finds nearly all pairs from FAST_FLOOR or
            FAST_FLOOR_VIEWS on, and keeps none below (docs/performance.md has its recall).
        executor: runs the tiles, in threads or processes or elsewhere; a thread for each
            processor when None.
        tiles: a folder where finished tiles are kept and taken up again after a stop.
        progress: told the share of comparisons done, 0 to 1.

    Raises:
        LinkageError: the encodings do not fit together.
    """
    check_encodings(datasets)
    several = len(datasets[0]) > 1
    lowest = (FAST_FLOOR_VIEWS if several else FAST_FLOOR) if mode == "fast" else FLOOR_LOWEST
    per_record = per_record or max(PER_RECORD, OF_ALL // max(1, len(datasets) - 1))
    wanted = _wanted(datasets, per_record, lowest)
    if not wanted:
        return []
    joining = (
        partial(join_views, datasets, wanted, fast=mode == "fast")
        if several
        else partial(fast_join if mode == "fast" else join, [each[0] for each in datasets], wanted)
    )
    return _blocks(datasets, wanted, joining(executor=executor, folder=tiles, progress=progress))


def _blocks(
    datasets: Sequence[Encodings], wanted: Sequence[Wanted], parts: Iterable[tuple[int, Pairs]]
) -> list[PairBlock]:
    """One block for each wanted pair of datasets."""
    words = [view_words(each) for each in datasets]
    ones = [np.stack([count_ones(view) for view in each]) for each in words]
    found: list[list[PairBlock]] = [[] for _ in wanted]
    for number, pairs in parts:
        found[number].append(_weighed(wanted[number], pairs, words, ones))
    return [_merged(each, parts) for each, parts in zip(wanted, found, strict=True)]


def _wanted(datasets: Sequence[Encodings], per_record: int, lowest: float) -> list[Wanted]:
    """Every pair of datasets with its floor."""
    sizes = [dataset.shape[1] for dataset in datasets]
    pairs = [(a, b) for a, b in combinations(range(len(datasets)), 2) if sizes[a] and sizes[b]]
    expected = per_record * sum(min(sizes[a], sizes[b]) for a, b in pairs)
    budget = min(PAIRS_MOST, max(PAIRS_FREE, PAIRS_A_RECORD * sum(sizes)))
    each = per_record * min(1.0, budget / max(1, expected))
    limits = lowest, FLOOR_HIGHEST
    return [
        Wanted(
            a,
            b,
            sampled_floor(
                list(datasets[a]), list(datasets[b]), each / max(sizes[a], sizes[b]), limits
            ),
            CAP_FACTOR * per_record,
        )
        for a, b in pairs
    ]


def _weighed(
    wanted: Wanted,
    pairs: Pairs,
    words: Sequence[NDArray[np.uint64]],
    ones: Sequence[Indices],
) -> PairBlock:
    """A tile's pairs with every view's similarity; those together below the floor are left out."""
    left, right = pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)
    a, b = wanted.first, wanted.second
    views = _similarities((words[a], words[b]), (ones[a], ones[b]), left, right)
    similarity = combine(views)
    block = PairBlock(a, b, similarity, left, right, wanted.floor, views.astype(np.float32))
    return block.where(similarity >= wanted.floor) if views.shape[1] > 1 else block


def _merged(wanted: Wanted, parts: Sequence[PairBlock]) -> PairBlock:
    """One block of the tiles' parts, most similar first."""
    if not parts:
        return empty_block(wanted.first, wanted.second, wanted.floor, 1)
    whole = replace(
        parts[0],
        similarity=np.concatenate([each.similarity for each in parts]),
        left=np.concatenate([each.left for each in parts]),
        right=np.concatenate([each.right for each in parts]),
        views=np.concatenate([each.views for each in parts]),
    )
    whole = whole.where(np.lexsort((whole.right, whole.left, -whole.similarity)))
    rank = _place_in_row(whole.left)
    return whole if not (rank >= wanted.cap).any() else whole.where(rank < wanted.cap)


def _place_in_row(rows: Indices) -> Indices:
    """How many earlier pairs have the same row."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    place = np.arange(len(rows)) - np.repeat(first, np.diff(np.append(first, len(rows))))
    out = np.empty_like(place)
    out[order] = place
    return out


def view_similarities(first: Encodings, second: Encodings, left: Indices, right: Indices) -> Floats:
    """Dice of one view, or the share of equal bits of each of several, float64 (m, v).

    Args:
        first: encodings, uint8 (v, n, width).
        second: encodings of another dataset, or of the same.
        left: record numbers in the first, int64 (m,).
        right: record numbers in the second, int64 (m,).
    """
    both = [view_words(each) for each in (first, second)]
    ones = [np.stack([count_ones(view) for view in each]) for each in both]
    return _similarities((both[0], both[1]), (ones[0], ones[1]), left, right)


def _similarities(
    words: tuple[NDArray[np.uint64], NDArray[np.uint64]],
    ones: tuple[Indices, Indices],
    left: Indices,
    right: Indices,
) -> Floats:
    out = np.empty((len(left), len(words[0])))
    common = np.empty(len(left), dtype=np.int64)
    for view in range(out.shape[1]):
        common_bits(words[0][view], words[1][view], left, right, common)
        both = ones[0][view][left] + ones[1][view][right]
        if out.shape[1] == 1:
            out[:, view] = 2.0 * common / np.maximum(both, 1)
        else:
            out[:, view] = 1.0 + (2 * common - both) / (WORD_BITS * words[0].shape[2])
    return out


def anonlink_pairs(blocks: Sequence[PairBlock]) -> AnonlinkPairs:
    """The pairs of all blocks as anonlink's solvers want them, most similar first."""
    none = np.empty(0, dtype=np.int64)
    sizes = [len(block.similarity) for block in blocks]
    return anonlink_arrays(
        np.concatenate([np.empty(0), *(block.similarity for block in blocks)]),
        np.repeat([block.first for block in blocks], sizes).astype(np.int64),
        np.repeat([block.second for block in blocks], sizes).astype(np.int64),
        np.concatenate([none, *(block.left for block in blocks)]),
        np.concatenate([none, *(block.right for block in blocks)]),
    )


def anonlink_arrays(
    similarity: Floats, first: Indices, second: Indices, left: Indices, right: Indices
) -> AnonlinkPairs:
    """Pairs as anonlink's solvers want them, most similar first.

    Args:
        similarity: of each pair, float64 (m,).
        first: dataset of each pair's one record, int64 (m,).
        second: dataset of the other, above the first, int64 (m,).
        left: number of the one record, int64 (m,).
        right: number of the other, int64 (m,).
    """
    order = np.lexsort((right, left, second, first, -similarity))
    return (
        array("d", similarity[order].tobytes()),
        (_unsigned(first[order]), _unsigned(second[order])),
        (_unsigned(left[order]), _unsigned(right[order])),
    )


def _unsigned(values: Indices) -> "array[int]":
    return array("I", values.astype(np.uint32).tobytes())
