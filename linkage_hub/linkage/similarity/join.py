"""The exact join: pairs of datasets cut into tiles, and tiles back into pairs."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

from linkage_hub.linkage.similarity.plan import sketch_words
from linkage_hub.linkage.similarity.running import Progress, Task, TileFolder, run_tasks
from linkage_hub.linkage.similarity.sides import Matrix, Side, bit_order, prepare
from linkage_hub.linkage.similarity.tiles import Ask, Pairs, compare

TILE_ROWS: Final = 16_384  # records of the first side in one tile
TILE_COLUMNS: Final = 65_536  # of the second
FORMAT: Final = b"hearthlink tiles 2"  # of the files of finished tiles and what they depend on


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which two datasets to compare, ``first < second``, from what on; pairs that a row keeps."""

    first: int
    second: int
    floor: float
    cap: int


def join(
    datasets: Sequence[Matrix],
    wanted: Sequence[Wanted],
    *,
    executor: Executor | None = None,
    folder: Path | None = None,
    progress: Progress,
) -> Iterator[tuple[int, Pairs]]:
    """All pairs at or above the floor of each wanted pair of datasets, tile by tile.

    Args:
        datasets: encodings, uint8 (n, width) each, of one width.
        wanted: what to compare.
        executor: runs tiles; a thread for each processor when None.
        folder: where finished tiles are kept, and taken up again; not kept when None.
        progress: told the share done, 0 to 1.

    Yields:
        Place in ``wanted``, ascending; record numbers and common bits, int32 (m, 3), in no
        particular order.
    """
    order = bit_order(datasets)
    lengths = sketch_words(datasets, order)
    longest = max((int(lengths[int(100 * each.floor)]) for each in wanted), default=1)
    sides = [prepare(each, order, longest) for each in datasets]
    tasks: list[tuple[int, Task]] = []
    for number, each in enumerate(wanted):
        words = int(lengths[int(100 * each.floor)])
        ask = Ask(each.floor, words, each.cap)
        tasks.extend((number, task) for task in _tasks(sides[each.first], sides[each.second], ask))
    kept = (
        TileFolder(folder, digest_of(datasets, wanted, "exact", TILE_ROWS, TILE_COLUMNS))
        if folder
        else None
    )
    results = run_tasks([task for _, task in tasks], executor, kept, progress)
    for (number, _), found in zip(tasks, results, strict=True):
        yield number, found


def _tasks(first: Side, second: Side, ask: Ask) -> Iterator[Task]:
    for row in range(0, len(first.ones), TILE_ROWS):
        rows = first.part(row, row + TILE_ROWS)
        for column in range(0, len(second.ones), TILE_COLUMNS):
            columns = second.part(column, column + TILE_COLUMNS)
            yield Task(compare, (rows, columns, ask), len(rows.ones) * len(columns.ones))


def digest_of(
    datasets: Sequence[Matrix], wanted: Sequence[Wanted], *parameters: str | int
) -> bytes:
    """Of everything that finished tiles depend on, 32 bytes."""
    digest = blake2b(FORMAT, digest_size=32)
    digest.update(repr((parameters, list(wanted))).encode())
    for each in datasets:
        digest.update(repr(each.shape).encode())
        digest.update(np.ascontiguousarray(each).data)
    return digest.digest()
