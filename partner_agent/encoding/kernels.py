"""Compiled loops of the encoder: cut ASCII text into n-grams, find their slots, set their bits.

An n-gram of up to six ASCII characters and its place fit in one 64-bit key: seven bits a
character, the place from bit 42 (0 where n-grams are not positional), bit 63 always set so that
no key is 0, which marks a free cell of the hash table.

All kernels release the interpreter's lock and are cached on disk by numba.
"""

# ruff: noqa: PLR2004 - compiled functions take positions only; the numbers are ASCII
# codes and the calendar's

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

CASE_MIXED: Final = 0
CASE_LOWER: Final = 1
CASE_UPPER: Final = 2
MAX_PACKED_N: Final = 6
CHARACTER_BITS: Final = 7
PLACE_SHIFT: Final = 42
MAX_PACKED_LENGTH: Final = 1 << 19  # characters; places must fit between bits 42 and 62
_USED = np.uint64(1 << 63)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 divided by the golden ratio (Knuth 6.4)


@njit(cache=True, nogil=True)
def ready_strings(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    case: int,
    low: int,
    high: int,
    ready: NDArray[np.bool_],
) -> None:
    """Mark values that are ASCII, in the case, and ``low`` to ``high`` characters long."""
    for row in range(ready.size):
        start, stop = offsets[row], offsets[row + 1]
        good = low <= stop - start <= high
        for at in range(start, stop):
            letter = data[at]
            if (
                letter > 127
                or (case == CASE_LOWER and 65 <= letter <= 90)
                or (case == CASE_UPPER and 97 <= letter <= 122)
            ):
                good = False
                break
        ready[row] = good


@njit(cache=True, nogil=True)
def compact_dates(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    places: NDArray[np.int64],
    literals: NDArray[np.uint8],
    out: NDArray[np.uint8],
    ready: NDArray[np.bool_],
) -> None:
    """Write real dates of one fixed width, from year 1000, as ``YYYYMMDD`` into ``out`` (n, 8).

    Character ``i`` of a date is the digit ``places[i]`` of ``YYYYMMDD``, or ``literals[i]`` where
    that is -1.
    """
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    for row in range(ready.size):
        start = offsets[row]
        ready[row] = False
        if offsets[row + 1] - start != places.size:
            continue
        good = True
        for at in range(places.size):
            letter = data[start + at]
            if places[at] < 0:
                good = good and letter == literals[at]
            else:
                good = good and 48 <= letter <= 57
                out[row, places[at]] = letter
        if not good:
            continue
        digits = out[row].astype(np.int64) - 48
        year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3]
        month = digits[4] * 10 + digits[5]
        day = digits[6] * 10 + digits[7]
        if year < 1000 or month < 1 or month > 12 or day < 1:
            continue
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        ready[row] = day <= days[month - 1] + (1 if leap and month == 2 else 0)


@njit(cache=True, nogil=True)
def pack_ngrams(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    ready: NDArray[np.bool_],
    n: int,
    positional: bool,
    starts: NDArray[np.int64],
    keys: NDArray[np.uint64],
) -> None:
    """Keys of the n-grams of each ready value; value ``i`` fills from ``starts[i]``."""
    mask = (np.uint64(1) << np.uint64(CHARACTER_BITS * n)) - np.uint64(1)
    for row in range(ready.size):
        if not ready[row]:
            continue
        start, stop = offsets[row], offsets[row + 1]
        if start == stop:
            continue
        window = np.uint64(0)
        for _ in range(n - 1):
            window = (window << np.uint64(CHARACTER_BITS)) | np.uint64(32)
        to = starts[row]
        for at in range(stop - start + n - 1):
            letter = np.uint64(data[start + at]) if start + at < stop else np.uint64(32)
            window = ((window << np.uint64(CHARACTER_BITS)) | letter) & mask
            key = window | _USED
            if positional:
                key |= np.uint64(at + 1) << np.uint64(PLACE_SHIFT)
            keys[to + at] = key


@njit(cache=True, nogil=True)
def find_slots(
    keys: NDArray[np.uint64],
    begin: int,
    table_keys: NDArray[np.uint64],
    table_slots: NDArray[np.int32],
    used: int,
    next_slot: int,
    slots: NDArray[np.int32],
    fresh: NDArray[np.uint64],
) -> tuple[int, int]:
    """Slot of each key from ``begin`` on; unknown keys get new slots and go to ``fresh``.

    Returns:
        How far it came, and how many keys are fresh: it stops when the table is half full.
    """
    mask = np.uint64(table_keys.size - 1)
    found = 0
    for at in range(begin, keys.size):
        key = keys[at]
        mixed = key * _SPREAD
        cell = (mixed ^ (mixed >> np.uint64(32))) & mask
        while table_keys[cell] != key:
            if table_keys[cell] == 0:
                if (used + found) * 2 >= table_keys.size or found >= fresh.size:
                    return at, found
                table_keys[cell] = key
                table_slots[cell] = next_slot + found
                fresh[found] = key
                found += 1
                break
            cell = (cell + np.uint64(1)) & mask
        slots[at] = table_slots[cell]
    return keys.size, found


@njit(cache=True, nogil=True)
def rehash(
    old_keys: NDArray[np.uint64],
    old_slots: NDArray[np.int32],
    keys: NDArray[np.uint64],
    slots: NDArray[np.int32],
) -> None:
    """Move a table's cells into a larger, empty one."""
    mask = np.uint64(keys.size - 1)
    for at in range(old_keys.size):
        key = old_keys[at]
        if key == 0:
            continue
        mixed = key * _SPREAD
        cell = (mixed ^ (mixed >> np.uint64(32))) & mask
        while keys[cell] != 0:
            cell = (cell + np.uint64(1)) & mask
        keys[cell] = key
        slots[cell] = old_slots[at]


@njit(cache=True, nogil=True)
def set_bits(
    starts: NDArray[np.int64],
    slots: NDArray[np.int32],
    positions: NDArray[np.uint16],
    per_token: int,
    per_feature: int,
    out: NDArray[np.uint8],
) -> None:
    """OR the tokens of value ``i``, ``slots[starts[i]:starts[i + 1]]``, into ``out[i]``.

    A fixed number of bits for the feature is shared evenly; the first tokens take the rest.
    """
    for row in range(starts.size - 1):
        begin, end = starts[row], starts[row + 1]
        count = end - begin
        if count == 0:
            continue
        share, rest = per_token, 0
        if per_feature > 0:
            share, rest = per_feature // count, per_feature % count
        for at in range(count):
            slot = slots[begin + at]
            for which in range(share + 1 if at < rest else share):
                bit = positions[slot, which]
                out[row, bit >> 3] |= np.uint8(0x80 >> (bit & 7))


@njit(cache=True, nogil=True)
def or_rows(codes: NDArray[np.int32], filters: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """OR ``filters[codes[i]]`` into ``out[i]`` for every row."""
    for row in range(codes.size):
        source = filters[codes[row]]
        target = out[row]
        for at in range(target.size):
            target[at] |= source[at]
