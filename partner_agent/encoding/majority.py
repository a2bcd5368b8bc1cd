"""Compiled loops of the hardened encoder: count votes, weigh features, XOR majorities.

A feature's votes are counted for all places at once, a bit of every count in one word (vertical
counters); only then are counts spread into 16-bit sums. Place ``(majority, b, i)`` is bit ``b``
of 16-bit word ``i`` of a majority's votes, and so of the encoding. Whole numbers only, so every
machine finds the same.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_TOKENS: Final = 512  # of one value
_PLANES: Final = 10  # bits of a count of MAX_TOKENS
_WORD: Final = 16


@njit(cache=True, nogil=True)
def encode_rows(
    view: int,
    first: int,
    last: int,
    codes: NDArray[np.int32],
    bases: NDArray[np.int64],
    starts: NDArray[np.int64],
    slots: NDArray[np.int32],
    votes: NDArray[np.uint64],
    kept: NDArray[np.int64],
    needs: NDArray[np.bool_],
    weights: NDArray[np.int64],
    ties: NDArray[np.int16],
    out: NDArray[np.uint16],
) -> None:
    """Encode rows ``first`` to ``last`` in one view.

    Args:
        view: number of the view.
        first: row to begin with.
        last: row to stop before.
        codes: (features, n), each row's value.
        bases: (features,), where a feature's values begin in ``starts``.
        starts: where a value's tokens begin in ``slots``; one more than values for each feature.
        slots: rows of ``votes``.
        votes: (tokens, views, words).
        kept: (views, features, 3), tokens that a view counts, from and to, and the number of
            tokens that a value must have for any to count, or 0.
        needs: (views, features), whether a record without the feature gets all tokens, as in the
            first view.
        weights: (features, MAX_TOKENS + 1), weight of a token by the number of its value's tokens.
        ties: (views, places) of +1 and -1, by majority, bit and word.
        out: (views, n, words of 16 bits), zero before.
    """
    words = out.shape[2]
    places = ties.shape[1]
    planes = np.zeros((_PLANES, votes.shape[2]), dtype=np.uint64)
    spread = planes.view(np.uint16)
    carry = np.zeros(votes.shape[2], dtype=np.uint64)
    sums = np.zeros(places, dtype=np.int16)
    for row in range(first, last):
        sums[:] = ties[view]
        total = 0
        which = view
        for feature in range(codes.shape[0]):
            at = bases[feature] + codes[feature, row]
            if needs[view, feature] and starts[at] == starts[at + 1]:
                which = 0
        for feature in range(codes.shape[0]):
            at = bases[feature] + codes[feature, row]
            begin, size = starts[at], starts[at + 1] - starts[at]
            low, high, wanted = kept[which, feature]
            if size == 0 or (wanted > 0 and size != wanted):
                continue
            high = min(high, size)
            if low >= high:
                continue
            weight = weights[feature, min(size, MAX_TOKENS)]
            depth = _count(view, slots[begin + low : begin + high], votes, planes, carry)
            for plane in range(0, depth, 2):
                _spread(spread, plane, 4 * weight << plane, words, sums)
            total += 2 * weight * (high - low)
        target = out[view, row]
        for block in range(places // words):
            shift = np.uint16(block % _WORD)
            place = block * words
            for word in range(words):
                sign = np.uint16(sums[place + word] - total) >> np.uint16(15)
                target[word] ^= np.uint16(sign << shift)


@njit(cache=True, nogil=True)
def _count(
    view: int,
    slots: NDArray[np.int32],
    votes: NDArray[np.uint64],
    planes: NDArray[np.uint64],
    carry: NDArray[np.uint64],
) -> int:
    """Count votes into ``planes``, two tokens at a time; returns the planes used, made even."""
    words = planes.shape[1]
    planes[0, :] = votes[slots[0], view]
    planes[1, :] = 0
    depth = 1
    for at in range(1, slots.size, 2):
        one = votes[slots[at], view]
        if at + 1 < slots.size:
            two = votes[slots[at + 1], view]
            for word in range(words):
                low = planes[0, word]
                half = low ^ one[word]
                carry[word] = (low & one[word]) | (half & two[word])
                planes[0, word] = half ^ two[word]
        else:
            for word in range(words):
                low = planes[0, word]
                carry[word] = low & one[word]
                planes[0, word] = low ^ one[word]
        reach = min(at + 2, slots.size)
        level = 1
        while (1 << level) <= reach:
            if level == depth:
                depth += 1
                planes[level, :] = carry
                break
            for word in range(words):
                low = planes[level, word]
                planes[level, word] = low ^ carry[word]
                carry[word] &= low
            level += 1
    if depth & 1:
        planes[depth, :] = 0
        depth += 1
    return depth


@njit(cache=True, nogil=True)
def _spread(
    planes: NDArray[np.uint16], plane: int, weight: int, words: int, sums: NDArray[np.int16]
) -> None:
    """Add a weight to each place for each vote that two planes count."""
    scale = np.int16(weight)
    for majority in range(sums.size // (words * _WORD)):
        low = planes[plane, majority * words : (majority + 1) * words]
        high = planes[plane + 1, majority * words : (majority + 1) * words]
        for bit in range(_WORD):
            shift = np.uint16(bit)
            part = sums[(majority * _WORD + bit) * words : (majority * _WORD + bit + 1) * words]
            for word in range(words):
                count = ((low[word] >> shift) & np.uint16(1)) | (
                    ((high[word] >> shift) & np.uint16(1)) << np.uint16(1)
                )
                part[word] += np.int16(np.int16(count) * scale)
