"""Compiled comparisons of texts that are held as bytes."""

from typing import Any, Final

import numpy as np
from numba import njit

_PRIME: Final = 0x100000001B3  # FNV-1a, 64 bits
_OFFSET: Final = 0xCBF29CE484222325
_PREFIX: Final = 4  # letters of a common beginning that Winkler's bonus counts
_BOOSTED: Final = 0.7  # similarity that the bonus begins at
_NEIGHBOURS: Final = 2
_LONGEST: Final = 64  # letters that are compared


@njit(cache=True, nogil=True)
def hash_ends(data: Any, starts: Any, first: Any, last: Any) -> Any:
    """FNV-1a of the first or, if ``last`` is not 0, of the last bytes, 62 bits of it.

    Args:
        data: uint8, texts one after another.
        starts: int64 (texts + 1,).
        first: bytes from the beginning.
        last: bytes from the end.

    Returns:
        int64 (texts,).
    """
    found = np.empty(len(starts) - 1, dtype=np.int64)
    for text in range(len(found)):
        begin, end = starts[text], starts[text + 1]
        if last:
            begin = max(begin, end - last)
        else:
            end = min(end, begin + first)
        key = np.uint64(_OFFSET)
        for at in range(begin, end):
            key = (key ^ np.uint64(data[at])) * np.uint64(_PRIME)
        found[text] = np.int64(key >> np.uint64(2))
    return found


@njit(cache=True, nogil=True)
def jaro_winkler(one: Any, other: Any) -> Any:  # noqa: C901 the definition, in one piece
    """Similarity of two texts of bytes, 0 to 1 (Winkler 1990).

    Letters match within half of the longer text; a common beginning of up to four letters raises
    what is above .7.
    """
    n, m = min(len(one), _LONGEST), min(len(other), _LONGEST)
    if n == 0 or m == 0:
        return 0.0
    reach = max(0, max(n, m) // 2 - 1)
    taken = np.uint64(0)
    picked = np.uint64(0)
    matches = 0
    for i in range(n):
        for j in range(max(0, i - reach), min(m, i + reach + 1)):
            bit = np.uint64(1) << np.uint64(j)
            if taken & bit == 0 and one[i] == other[j]:
                taken |= bit
                picked |= np.uint64(1) << np.uint64(i)
                matches += 1
                break
    if matches == 0:
        return 0.0
    j = 0
    out_of_place = 0
    for i in range(n):
        if picked & (np.uint64(1) << np.uint64(i)):
            while taken & (np.uint64(1) << np.uint64(j)) == 0:
                j += 1
            if one[i] != other[j]:
                out_of_place += 1
            j += 1
    jaro = (matches / n + matches / m + (matches - out_of_place // 2) / matches) / 3.0
    if jaro <= _BOOSTED:
        return jaro
    common = 0
    while common < min(n, m, _PREFIX) and one[common] == other[common]:
        common += 1
    return jaro + 0.1 * common * (1.0 - jaro)


@njit(cache=True, nogil=True)
def one_slip(one: Any, other: Any) -> Any:
    """Whether one letter replaced, left out, added, or two neighbours exchanged part them."""
    n, m = len(one), len(other)
    if abs(n - m) > 1:
        return False
    at = 0
    while at < min(n, m) and one[at] == other[at]:
        at += 1
    end = 0
    while end < min(n, m) - at and one[n - 1 - end] == other[m - 1 - end]:
        end += 1
    left, right = n - at - end, m - at - end
    exchanged = left == right == _NEIGHBOURS and (
        one[at] == other[at + 1] and one[at + 1] == other[at]
    )
    return exchanged or max(left, right) <= 1
