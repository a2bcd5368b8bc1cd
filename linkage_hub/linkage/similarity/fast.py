"""The fast mode: records are compared where some of their bits are the same.

Locality-sensitive hashing by sampled bits (Indyk and Motwani 1998). Each table takes some bits of
an encoding as a key; records of one key are a bucket, and within a bucket every pair is compared
by the exact join's own loop. So a table may take few bits: what it lets through is cheap.

1. Bits are dealt evenly: sorted by how much they tell, each table gets one of each stratum, and no
   bit twice before every bit was used once. Tables then fail independently of one another.
2. A key is as long as keeps ``RECORD_PAIRS`` comparisons a record and table: short keys, and so
   nearly all pairs, for few records. Half of the datasets say how many comparisons there are, so
   that one alone cannot make keys long, and pairs of all others few.
3. Two records of one dataset are no pair. A pair is told by the first table in which it meets.
4. A bucket of more than ``BUCKET_MOST`` records loses the datasets that have the most in it, until
   it has no more. Who floods a person's buckets is left out of them, and the person is not.
5. A record keeps at most a number of pairs, the most similar, with each dataset by itself: copies
   of a person in one dataset take no place from those of another.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.similarity.buckets import GROUPS, comparing_inside, keys_of
from linkage_hub.linkage.similarity.join import Wanted, digest_of
from linkage_hub.linkage.similarity.plan import sketch_words
from linkage_hub.linkage.similarity.running import Progress, Task, TileFolder, run_tasks
from linkage_hub.linkage.similarity.sides import (
    Indices,
    Matrix,
    Side,
    bit_order,
    prepare,
)
from linkage_hub.linkage.similarity.tiles import Pairs, aligned, collected, needed, unlike
from linkage_hub.linkage.similarity.vectors import LANES

TABLES: Final = 64  # for one view
BITS_MOST: Final = 16  # of a key
BITS_LEAST: Final = 2
RECORD_PAIRS: Final = 64  # comparisons a record and table
BUCKET_MOST: Final = 16_384  # records
SEED: Final = 1  # of the dealing
KEYS: Final = 1 << BITS_MOST


def fast_join(
    datasets: Sequence[Matrix],
    wanted: Sequence[Wanted],
    *,
    tables: int = TABLES,
    executor: Executor | None = None,
    folder: Path | None = None,
    progress: Progress,
) -> Iterator[tuple[int, Pairs]]:
    """Nearly all pairs at or above the floor of each wanted pair of datasets.

    Arguments and results are those of ``join.join``; ``tables`` trades time for recall. Tasks
    share the records, so threads suit them best.
    """
    sizes = [len(each) for each in datasets]
    together = np.concatenate(list(datasets))
    order = bit_order([together])
    floor, cap = min(each.floor for each in wanted), max(each.cap for each in wanted)
    words = int(sketch_words([together], order)[int(100 * floor)])
    side = prepare(together, order, words)
    owner = np.repeat(np.arange(len(sizes)), sizes)[side.numbers]
    chosen = order[deal(len(order), tables, key_bits(side.rows, owner, order))]
    keys = np.empty((len(side.ones), tables), dtype=np.uint16)
    keys_of(side.rows, chosen, keys)
    held = np.stack([held_in(each, owner) for each in keys.T], axis=1)
    rest = side.rest(words)
    tasks = [
        Task(_table, (side, rest, owner, words, keys, held, table, (floor, cap)), 1)
        for table in range(tables)
    ]
    kept = TileFolder(folder, digest_of(datasets, wanted, "fast", tables)) if folder else None
    parts = list(run_tasks(tasks, executor, kept, progress))
    yield from _by_wanted(np.concatenate(parts), wanted, sizes)


def deal(bits: int, tables: int, length: int) -> Indices:
    """Bits for each table, int64 (tables, length): one of each stratum, evenly used.

    Args:
        bits: how many there are, the most telling first.
        tables: how many to deal to.
        length: bits of a table.
    """
    random = np.random.default_rng(SEED)
    repeats = -(-tables * length // bits)
    deck = np.repeat(np.arange(bits), repeats)
    drawn = deck[np.linspace(0, len(deck) - 1, tables * length).astype(np.int64)]
    return np.stack([random.permutation(each) for each in drawn.reshape(length, tables)], axis=1)


def key_bits(rows: NDArray[np.uint64], owner: Indices, order: Indices) -> int:
    """The shortest key under which a record meets about ``RECORD_PAIRS`` others in a table.

    A record of the dataset in the middle by that number, on average.
    """
    length = BITS_MOST
    sizes = np.maximum(np.bincount(owner), 1)
    present = np.unique(owner)
    for shorter in range(BITS_MOST, BITS_LEAST - 1, -1):
        chosen = order[deal(len(order), 4, shorter)]
        keys = np.empty((len(rows), len(chosen)), dtype=np.uint16)
        keys_of(rows, chosen, keys)
        met = np.zeros(len(rows))
        for each in keys.T:
            met += (np.bincount(each, minlength=KEYS)[each] - 1) / 2
        of_dataset = np.bincount(owner, met) / sizes
        if np.median(of_dataset[present]) > RECORD_PAIRS * len(chosen):
            break
        length = shorter
    return length


def held_in(keys: NDArray[np.uint16], owner: Indices) -> NDArray[np.bool_]:
    """Of each record whether its bucket in a table holds it.

    Args:
        keys: of the records in the table.
        owner: datasets of the records.
    """
    datasets = int(owner.max(initial=0)) + 1
    counts = np.bincount(keys * np.int64(datasets) + owner, minlength=KEYS * datasets)
    counts = counts.reshape(KEYS, datasets)
    full = np.flatnonzero(counts.sum(axis=1) > BUCKET_MOST)
    largest_first = np.argsort(-counts[full], axis=1, kind="stable")
    ordered = np.take_along_axis(counts[full], largest_first, axis=1)
    before = ordered[:, ::-1].cumsum(axis=1)[:, ::-1]  # records from this dataset on
    out = np.zeros((KEYS, datasets), dtype=np.bool_)
    out[full[:, None], largest_first] = before > BUCKET_MOST
    return ~out[keys, owner]


def _table(
    side: Side,
    rest: Indices,
    owner: Indices,
    words: int,
    keys: NDArray[np.uint16],
    held: NDArray[np.bool_],
    table: int,
    asked: tuple[float, int],
) -> Pairs:
    floor, cap = asked
    order = np.argsort(keys[:, table], kind="stable")
    order = order[held[order, table]]
    ordered = keys[order, table]
    starts = np.flatnonzero(np.diff(ordered.astype(np.int64), prepend=-1))
    fixed = (
        side.rows,
        side.sketch,
        side.ones,
        rest,
        owner,
        order,
        np.append(starts, len(ordered)),
        keys,
        held,
        table,
        aligned((1, words, GROUPS * LANES)),
        needed(side.rows.shape[1] * 64, floor),
    )
    likeness = unlike(side.ones, side.ones)
    datasets = int(owner.max()) + 1

    def places(pairs: Pairs) -> Indices:
        return np.asarray(pairs[:, 0] * np.int64(datasets) + owner[pairs[:, 1]])

    found = collected(comparing_inside(words), fixed, len(starts), likeness, cap, places)
    found[:, :2] = side.numbers[found[:, :2]]
    return found


def _by_wanted(
    found: Pairs, wanted: Sequence[Wanted], sizes: Sequence[int]
) -> Iterator[tuple[int, Pairs]]:
    """Pairs of one numbering over all datasets by wanted pair of datasets, in theirs."""
    begins = np.concatenate([[0], np.cumsum(sizes)])
    low = np.minimum(found[:, 0], found[:, 1])
    high = np.maximum(found[:, 0], found[:, 1])
    first = np.searchsorted(begins, low, "right") - 1
    second = np.searchsorted(begins, high, "right") - 1
    pair = first * len(sizes) + second
    order = np.argsort(pair, kind="stable")
    ordered = pair[order]
    for number, each in enumerate(wanted):
        code = each.first * len(sizes) + each.second
        at = order[np.searchsorted(ordered, code, "left") : np.searchsorted(ordered, code, "right")]
        yield (
            number,
            np.stack(
                [low[at] - begins[each.first], high[at] - begins[each.second], found[at, 2]],
                axis=1,
            ).astype(np.int32),
        )
