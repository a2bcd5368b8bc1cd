"""Compiled loops of the fast mode: keys from bits, and comparing inside buckets of one key."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from numba import njit

from linkage_hub.linkage.similarity.kernels import both_set
from linkage_hub.linkage.similarity.vectors import LANES, passing, trailing_zeros

GROUPS: Final = 4  # vectors across a tile: buckets are small


@njit(cache=True, nogil=True)
def keys_of(rows: Any, chosen: Any, out: Any) -> None:
    """Keys of every record in every table.

    Args:
        rows: uint64 (n, words).
        chosen: int64 (tables, bits), bits of each table.
        out: uint16 (n, tables); filled.
    """
    for row in range(len(rows)):
        for table in range(len(chosen)):
            key = np.uint64(0)
            for bit in chosen[table]:
                word = rows[row, bit >> 6] >> np.uint64(bit & 63)
                key = (key << np.uint64(1)) | (word & np.uint64(1))
            out[row, table] = key


@njit(cache=True, nogil=True)
def met_before(keys: Any, held: Any, one: Any, other: Any, table: Any) -> Any:
    """Whether two records share a bucket of an earlier table, and it holds both."""
    for earlier in range(table):
        if keys[one, earlier] != keys[other, earlier]:
            continue
        if held[one, earlier] and held[other, earlier]:
            return True
    return False


@njit(cache=True, nogil=True)
def tile_filled(rows: Any, rest: Any, members: Any, tile: Any) -> Any:
    """Put members' sketches into a tile of one; the largest rest of them."""
    most = np.int64(0)
    for column in range(len(members)):
        member = members[column]
        most = max(most, rest[member])
        for word in range(tile.shape[1]):
            tile[0, word, column] = rows[member, word]
    return most


@cache
def comparing_inside(words: int) -> Callable[..., int]:
    """The loop over buckets for sketches of ``words`` words; compiled once on a machine."""
    width = GROUPS * LANES

    @njit(cache=True, nogil=True)
    def compare(  # type: ignore[no-untyped-def] # noqa: ANN202
        rows,  # noqa: ANN001 uint64 (n, all words), ascending in ones
        sketches,  # noqa: ANN001 uint64 (n, words)
        ones,  # noqa: ANN001 int64 (n,)
        rest,  # noqa: ANN001 int64 (n,): ones outside the sketch
        owner,  # noqa: ANN001 int64 (n,): dataset of each row
        order,  # noqa: ANN001 int64 (at most n,): rows held, by key, those of one key ascending
        starts,  # noqa: ANN001 int64 (buckets + 1,): where in ``order`` each bucket begins
        keys,  # noqa: ANN001 uint16 (n, tables)
        held,  # noqa: ANN001 bool (n, tables): not left out of the record's bucket
        table,  # noqa: ANN001 int64
        tile,  # noqa: ANN001 uint64 (1, words, 8 * GROUPS), at a cache line; overwritten
        need,  # noqa: ANN001 int64: common bits that a sum of ones asks for
        place,  # noqa: ANN001 int64 (3,): bucket, tile, row where to go on; updated
        out,  # noqa: ANN001 int32 (capacity, 3): row, row, common bits; filled
    ):
        count = 0
        for bucket in range(place[0], len(starts) - 1):
            members = order[starts[bucket] : starts[bucket + 1]]
            for first in range(place[1], len(members), width):
                last = min(first + width, len(members))
                most = tile_filled(sketches, rest, members[first:last], tile)
                fewest = ones[members[first]]
                for at in range(place[2], last):
                    row = members[at]
                    bias = min(rest[row], most) - need[ones[row] + fewest]
                    mask = passing(sketches, row, tile, 0, bias, words, GROUPS)
                    if mask == 0:
                        continue
                    if count + width > len(out):
                        place[0], place[1], place[2] = bucket, first, at
                        return count
                    while mask:
                        column = first + np.int64(trailing_zeros(mask))
                        mask &= mask - np.uint64(1)
                        if not (at < column < last and owner[row] != owner[members[column]]):
                            continue
                        other = members[column]
                        common = both_set(rows, row, rows, other)
                        if common >= need[ones[row] + ones[other]] and not met_before(
                            keys, held, row, other, table
                        ):
                            out[count, 0] = row
                            out[count, 1] = other
                            out[count, 2] = common
                            count += 1
                place[2] = 0
            place[1] = 0
        place[0] = len(starts) - 1
        return count

    found: Callable[..., int] = compare
    return found
