"""All pairs of records under several views that are similar enough, in one pass for all views.

The views of the hardened profile set half of their bits whatever a record holds, so neither
cardinality nor a sketch leaves anything out, and what one view says of two records is mostly
noise. What tells is all views together (``kernels.SOFTNESS``, ADR 7). In order:

1. ``exact``: every pair is compared in all views; the exponentials of ADR 7 are bounded from above
   by one curve for all (``curve_of``). Nothing is lost.
2. ``fast``: of each view the first ``PREFIX_SHARE`` of its words. Bits of an encoding are alike
   (each its own votes), so whether their prefixes are more equal than all but ``PASSING`` of
   strangers' says nearly as much; only those are compared in all views.
3. A pair that passes is computed as it is defined, in doubles, and kept from its floor on.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.similarity.join import Wanted, digest_of
from linkage_hub.linkage.similarity.kernels import SOFTNESS
from linkage_hub.linkage.similarity.running import Progress, Task, TileFolder, run_tasks
from linkage_hub.linkage.similarity.sides import WORD_BITS, WORD_BYTES
from linkage_hub.linkage.similarity.tiles import (
    GROUPS_NARROW,
    GROUPS_WIDE,
    Pairs,
    aligned,
    collected,
    tiles_of,
    vector_counts,
)
from linkage_hub.linkage.similarity.vectors import LANES
from linkage_hub.linkage.similarity.view_kernels import (
    ROWS_AT_ONCE,
    UNIT,
    comparing_all,
    comparing_prefixes,
)
from linkage_hub.linkage.similarity.view_vectors import DEGREE

ViewWords = NDArray[np.uint64]
"""Views of a source, (v, n, words)."""
Doubles = NDArray[np.float64]
_Loop = tuple[Callable[..., int], tuple[Any, ...]]

TILE_ROWS: Final = 8_192  # records of the first side in one tile
TILE_COLUMNS: Final = 16_384  # of the second
PREFIX_SHARE: Final = 1 / 4  # of a view's words
PASSING: Final = 0.01  # of two strangers' prefixes, that are compared in full
BELOW: Final = 2.5 * SOFTNESS  # under the floor: a view less equal counts as if it were there


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a tile: floor, most pairs of a row, words of a prefix (0: none)."""

    floor: float
    cap: int
    prefix: int


def join_views(
    datasets: Sequence[NDArray[np.uint8]],
    wanted: Sequence[Wanted],
    *,
    fast: bool = False,
    executor: Executor | None = None,
    folder: Path | None = None,
    progress: Progress,
) -> Iterator[tuple[int, Pairs]]:
    """Pairs whose views together are at or above the floor of each wanted pair of datasets.

    Args:
        datasets: encodings, uint8 (v, n, width) each, of one width, at least two views.
        wanted: what to compare.
        fast: compare in full only what a prefix lets through.
        executor: runs tiles; a thread for each processor when None.
        folder: where finished tiles are kept, and taken up again; not kept when None.
        progress: told the share done, 0 to 1.

    Yields:
        Place in ``wanted``, ascending; record numbers and similarity in units of
        ``view_kernels.UNIT``, int32 (m, 3), in no particular order.
    """
    words = [view_words(each) for each in datasets]
    prefix = max(1, round(PREFIX_SHARE * words[0].shape[2])) if fast else 0
    tasks: list[tuple[int, Task]] = []
    for number, each in enumerate(wanted):
        ask = Ask(each.floor, each.cap, prefix)
        tasks.extend((number, task) for task in _tasks(words[each.first], words[each.second], ask))
    digest = digest_of(datasets, wanted, "views", prefix, str(PASSING), TILE_ROWS, TILE_COLUMNS)
    kept = TileFolder(folder, digest) if folder else None
    results = run_tasks([task for _, task in tasks], executor, kept, progress)
    for (number, _), found in zip(tasks, results, strict=True):
        yield number, found


def view_words(views: NDArray[np.uint8]) -> ViewWords:
    """Views (v, n, width) as 64-bit words, zeros added to a width that is not of words."""
    spare = -views.shape[2] % WORD_BYTES
    padded = np.pad(views, ((0, 0), (0, 0), (0, spare))) if spare else np.ascontiguousarray(views)
    return padded.view(np.uint64)


def _tasks(first: ViewWords, second: ViewWords, ask: Ask) -> Iterator[Task]:
    for row in range(0, first.shape[1], TILE_ROWS):
        rows = first[:, row : row + TILE_ROWS]
        for column in range(0, second.shape[1], TILE_COLUMNS):
            columns = second[:, column : column + TILE_COLUMNS]
            size = rows.shape[1] * columns.shape[1]
            yield Task(compare, (rows, columns, (row, column), ask), size)


def compare(
    rows: ViewWords,
    columns: ViewWords,
    begins: tuple[int, int],
    ask: Ask,
    groups: int | None = None,
) -> Pairs:
    """Pairs of a tile at or above the floor, at most ``cap`` of a row, the most similar.

    Args:
        rows: of the first side.
        columns: of the second.
        begins: number of the first row and column.
        ask: floor and prefix.
        groups: vectors across a tile of columns; by the processor when None.
    """
    groups = groups or (GROUPS_WIDE if vector_counts() else GROUPS_NARROW)
    bits = rows.shape[2] * WORD_BITS
    worth = np.exp((1.0 - np.arange(bits + 1) / bits - ask.floor) / SOFTNESS)
    prepared = _prefixed if ask.prefix else _whole
    run, fixed = prepared(rows, columns, ask, groups)
    found = collected(
        run, (*fixed, worth, ask.floor), rows.shape[1], lambda pairs: -pairs[:, 2], ask.cap
    )
    found[:, :2] += np.array(begins, dtype=np.int32)
    return found


def _whole(rows: ViewWords, columns: ViewWords, ask: Ask, groups: int) -> _Loop:
    """The loop over all views of every pair, and what it works on."""
    views, _, words = rows.shape
    width = groups * LANES
    return comparing_all(words, groups), (
        _by_record(rows),
        np.ascontiguousarray(rows).reshape(-1, words),
        _by_record(columns),
        np.concatenate([tiles_of(each, width) for each in columns]),
        aligned((ROWS_AT_ONCE, width)).view(np.float64),
        curve_of(words * WORD_BITS, views, ask.floor),
    )


def _prefixed(rows: ViewWords, columns: ViewWords, ask: Ask, groups: int) -> _Loop:
    """The loop over prefixes, and what it works on."""
    words = len(rows) * ask.prefix
    whole, others = _by_record(rows), _by_record(columns)
    prefixes, across = (
        np.ascontiguousarray(each[:, :, : ask.prefix]).reshape(-1, words)
        for each in (whole, others)
    )
    return comparing_prefixes(words, rows.shape[2], groups), (
        whole,
        prefixes,
        others,
        tiles_of(across, groups * LANES),
        most_unlike(words * WORD_BITS),
    )


def _by_record(views: ViewWords) -> ViewWords:
    return np.ascontiguousarray(views.transpose(1, 0, 2))


@lru_cache(maxsize=64)
def curve_of(bits: int, views: int, floor: float) -> Doubles:
    """A polynomial that is nowhere below ``exp((share - floor) / SOFTNESS)``, float64 (CURVE,).

    A pair is at the floor when the exponentials of its shares come to ``views`` in sum. So a share
    that has as much alone need not be told from a larger one, nor one ``BELOW`` from a smaller.

    Args:
        bits: of a view.
        views: how many there are.
        floor: of the similarity.

    Returns:
        Slope and offset that bring the bits that differ to -1 (``BELOW``) to 1, and the
        polynomial's coefficients, the constant first.
    """
    low, high = floor - BELOW, floor + SOFTNESS * np.log(views)
    middle, half = (high + low) / 2, (high - low) / 2

    def true(at: Doubles) -> Doubles:
        return np.asarray(np.exp((middle + half * at - floor) / SOFTNESS))

    fitted = np.polynomial.Chebyshev.interpolate(true, DEGREE)
    shares = 1.0 - np.arange(bits + 1) / bits
    at = np.clip((shares - middle) / half, -1.0, 1.0)
    coefficients = fitted.convert(kind=np.polynomial.Polynomial).coef
    coefficients[0] += float((true(at) - fitted(at)).max()) + UNIT
    slope, offset = -1.0 / (bits * half), (1.0 - middle) / half
    return np.concatenate([[slope, offset], coefficients])


def most_unlike(bits: int) -> int:
    """Bits of a prefix in which two records may differ: fewer than all but PASSING of strangers.

    Strangers' bits are equal half of the time, each by itself: the normal approximation.
    """
    return int(bits / 2 + NormalDist().inv_cdf(PASSING) * np.sqrt(bits) / 2)
