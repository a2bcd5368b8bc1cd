"""Compiled loops for numbers: from decimal text to grid points, and grid points as text.

A number is taken only in plain forms of at most fifteen digits, whose float is certain: an integer
in its one canonical form, or digits, a point and digits. A packed number has ``OFFSET`` added.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

OFFSET: Final = 1 << 62
MOST: Final = 1 << 58  # of a grid point's distance from 0
_ZERO: Final = 48  # ASCII codes
_MINUS: Final = 45
_POINT: Final = 46
_SPACE: Final = 32
_DIGITS: Final = 15  # any such integer, and power of ten, is an exact float


@njit(cache=True, nogil=True)
def grid_centres(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    decimals: bool,
    precision: int,
    interval: int,
    resolution: int,
    ready: NDArray[np.bool_],
    centres: NDArray[np.int64],
) -> None:
    """The grid point nearest to each ready number; ready no more where the form is not plain.

    As ``values``: an integer is multiplied by ten to the precision; a decimal is a float that is
    multiplied and rounded half to even, or cut where the precision is 0.
    """
    scale = 10**precision
    for row in range(ready.size):
        start, stop = offsets[row], offsets[row + 1]
        if not ready[row] or start == stop:
            continue
        ready[row] = False
        negative = data[start] == _MINUS
        begin = start + 1 if negative else start
        number, places = _parse(data, begin, stop)
        if number < 0 or (places >= 0 and not decimals):
            continue
        if places < 0:
            canonical = data[begin] != _ZERO or (stop - begin == 1 and not negative)
            if not canonical or number > MOST // scale:
                continue
            scaled = number * scale
        else:
            value = number / 10.0**places
            value = np.rint(value * np.float64(scale)) if precision > 0 else np.floor(value)
            if value > MOST:
                continue
            scaled = np.int64(value)
        if scaled > MOST // (2 * resolution):
            continue
        doubled = (-scaled if negative else scaled) * 2 * resolution
        residue = doubled % interval  # never negative
        up = 2 * residue >= interval
        centres[row] = doubled + interval - residue if up else doubled - residue
        ready[row] = True


@njit(cache=True, nogil=True)
def _parse(data: NDArray[np.uint8], begin: int, stop: int) -> tuple[int, int]:
    """Digits as a number, -1 where the form is not plain; decimal places, -1 without a point."""
    number, digits, point = 0, 0, -1
    for at in range(begin, stop):
        if _ZERO <= data[at] <= _ZERO + 9:
            number = number * 10 + int(data[at]) - _ZERO
            digits += 1
        elif data[at] == _POINT and point < 0 and begin < at < stop - 1:
            point = at
        else:
            return -1, -1
        if digits > _DIGITS:
            return -1, -1
    return (number if digits else -1), (stop - point - 1 if point >= 0 else -1)


@njit(cache=True, nogil=True)
def within(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    low: int,
    high: int,
    ready: NDArray[np.bool_],
) -> None:
    """Keep only ready integers from ``low`` to ``high``."""
    for row in range(ready.size):
        if not ready[row]:
            continue
        negative = data[offsets[row]] == _MINUS
        first = offsets[row] + 1 if negative else offsets[row]
        number, _ = _parse(data, first, offsets[row + 1])
        ready[row] = low <= (-number if negative else number) <= high


@njit(cache=True, nogil=True)
def pack_grid(
    ready: NDArray[np.bool_],
    counts: NDArray[np.int64],
    centres: NDArray[np.int64],
    interval: int,
    resolution: int,
    keys: NDArray[np.uint64],
) -> None:
    """Keys of the grid points around each ready number that has some, in order."""
    to = 0
    for row in range(ready.size):
        if not ready[row] or counts[row] == 0:
            continue
        for step in range(-resolution, resolution + 1):
            keys[to] = np.uint64(centres[row] + step * interval + OFFSET)
            to += 1


@njit(cache=True, nogil=True)
def unpack_numbers(
    keys: NDArray[np.uint64], offsets: NDArray[np.int64], data: NDArray[np.uint8]
) -> None:
    """Decimal text of packed numbers; ``data`` has 20 bytes for each."""
    to = 0
    offsets[0] = 0
    for at in range(keys.size):
        number = int(keys[at]) - OFFSET
        if number < 0:
            data[to] = _MINUS
            to += 1
        to = _write(abs(number), to, data)
        offsets[at + 1] = to


@njit(cache=True, nogil=True)
def unpack_ngrams(
    keys: NDArray[np.uint64],
    n: int,
    character_bits: int,
    place_shift: int,
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
) -> None:
    """Text of packed n-grams, with their place where they have one; 20 + n bytes for each."""
    to = 0
    offsets[0] = 0
    for at in range(keys.size):
        key = int(keys[at] & np.uint64((1 << 63) - 1))
        place = key >> place_shift
        if place > 0:
            to = _write(place, to, data)
            data[to] = _SPACE
            to += 1
        for letter in range(n - 1, -1, -1):
            data[to] = np.uint8((key >> (character_bits * letter)) & 127)
            to += 1
        offsets[at + 1] = to


@njit(cache=True, nogil=True)
def _write(number: int, to: int, data: NDArray[np.uint8]) -> int:
    """Write a number in decimal digits; returns where they end."""
    power = 1
    while number // power >= 10:  # noqa: PLR2004 - ten is the base
        power *= 10
    while power > 0:
        data[to] = np.uint8(_ZERO + (number // power) % 10)
        to += 1
        power //= 10
    return to
