"""Compiled loops of the hardened encoder: count votes, weigh features, XOR majorities.

Numbers are kept a bit in each word (vertical counters): plane ``p`` holds bit ``p`` of the
numbers of all places, so one machine instruction works on as many places as a register has bits.
A feature's votes are counted, then added to the record's sums once for each bit of the token's
weight, and the sums are compared with half of all weights. Whole numbers only, so every machine
finds the same.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_TOKENS: Final = 512  # of one value
MAX_SUM: Final = (1 << 14) - 1  # of the weights of a record's tokens
_COUNT_PLANES: Final = 11  # bits of MAX_TOKENS, and one that a carry may touch
_SUM_PLANES: Final = 16  # bits of MAX_SUM, and room for a carry


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
    ties: NDArray[np.uint64],
    out: NDArray[np.uint64],
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
        votes: (tokens, views, words), the votes of all majorities one after the other.
        kept: (views, features, 3), tokens that a view counts, from and to, and the number of
            tokens that a value must have for any to count, or 0.
        needs: (views, features), whether a record without the feature gets all tokens, as in the
            first view.
        weights: (features, MAX_TOKENS + 1), weight of a token by the number of its value's tokens.
        ties: (views, words), 1 where a tie counts as a vote for.
        out: (views, n, words of an encoding), zero before.
    """
    words = votes.shape[2]
    counts = np.zeros((_COUNT_PLANES, words), dtype=np.uint64)
    sums = np.zeros((_SUM_PLANES, words), dtype=np.uint64)
    carry = np.zeros(words, dtype=np.uint64)
    equal = np.zeros(words, dtype=np.uint64)
    for row in range(first, last):
        which = view
        for feature in range(codes.shape[0]):
            at = bases[feature] + codes[feature, row]
            if needs[view, feature] and starts[at] == starts[at + 1]:
                which = 0
        total = 0
        for feature in range(codes.shape[0]):
            at = bases[feature] + codes[feature, row]
            begin, size = starts[at], starts[at + 1] - starts[at]
            low, high, wanted = kept[which, feature]
            high = min(high, size)
            if low >= high or (wanted > 0 and size != wanted):
                continue
            weight = weights[feature, min(size, MAX_TOKENS)]
            depth = _count(view, begin + low, begin + high, slots, votes, counts, carry)
            used = _bit_length(total)
            total += weight * (high - low)
            _add(counts, depth, weight, used, _bit_length(total), sums, carry)
        _below_half(view, sums, total, ties, carry, equal)
        for start in range(0, words, out.shape[2]):
            for word in range(out.shape[2]):
                out[view, row, word] ^= carry[start + word]


@njit(cache=True, nogil=True)
def _bit_length(number: int) -> int:
    length = 0
    while number >> length:
        length += 1
    return length


@njit(cache=True, nogil=True)
def _count(
    view: int,
    begin: int,
    end: int,
    slots: NDArray[np.int32],
    votes: NDArray[np.uint64],
    planes: NDArray[np.uint64],
    carry: NDArray[np.uint64],
) -> int:
    """Count votes into ``planes``, two tokens at a time; returns how many planes are used."""
    words = carry.size
    one = slots[begin]
    for word in range(words):
        planes[0, word] = votes[one, view, word]
    depth = 1
    for at in range(begin + 1, end, 2):
        one = slots[at]
        if at + 1 < end:
            two = slots[at + 1]
            for word in range(words):
                base, vote = planes[0, word], votes[one, view, word]
                half = base ^ vote
                carry[word] = (base & vote) | (half & votes[two, view, word])
                planes[0, word] = half ^ votes[two, view, word]
        else:
            for word in range(words):
                base, vote = planes[0, word], votes[one, view, word]
                carry[word] = base & vote
                planes[0, word] = base ^ vote
        reach = min(at + 2, end) - begin
        level = 1
        while (1 << level) <= reach:
            if level == depth:
                depth += 1
                for word in range(words):
                    planes[level, word] = carry[word]
                break
            for word in range(words):
                base = planes[level, word]
                planes[level, word] = base ^ carry[word]
                carry[word] &= base
            level += 1
    return depth


@njit(cache=True, nogil=True)
def _add(
    counts: NDArray[np.uint64],
    depth: int,
    weight: int,
    used: int,
    wanted: int,
    sums: NDArray[np.uint64],
    carry: NDArray[np.uint64],
) -> None:
    """Add ``weight`` times the counts to the sums, of which ``used`` planes are in use.

    Afterwards ``wanted`` planes are; a larger sum than they hold cannot be.
    """
    words = carry.size
    for plane in range(used, wanted):
        for word in range(words):
            sums[plane, word] = 0
    shift = 0
    while weight >> shift:
        if (weight >> shift) & 1:
            for word in range(words):
                carry[word] = 0
            for plane in range(shift, wanted):
                digit = plane - shift
                if digit < depth:
                    for word in range(words):
                        one, two = sums[plane, word], counts[digit, word]
                        half = one ^ two
                        sums[plane, word] = half ^ carry[word]
                        carry[word] = (one & two) | (half & carry[word])
                else:
                    for word in range(words):
                        one = sums[plane, word]
                        sums[plane, word] = one ^ carry[word]
                        carry[word] &= one
        shift += 1


@njit(cache=True, nogil=True)
def _below_half(
    view: int,
    sums: NDArray[np.uint64],
    total: int,
    ties: NDArray[np.uint64],
    below: NDArray[np.uint64],
    equal: NDArray[np.uint64],
) -> None:
    """Set ``below`` to 1 where the votes for weigh less than those against."""
    half = total >> 1
    for word in range(below.size):
        below[word] = 0
        equal[word] = ~np.uint64(0)
    for plane in range(_bit_length(total) - 1, -1, -1):
        if (half >> plane) & 1:
            for word in range(below.size):
                below[word] |= equal[word] & ~sums[plane, word]
                equal[word] &= sums[plane, word]
        else:
            for word in range(below.size):
                equal[word] &= ~sums[plane, word]
    if total & 1:  # for votes of half, rounded down, those against weigh one more
        for word in range(below.size):
            below[word] |= equal[word]
    else:
        for word in range(below.size):
            below[word] |= equal[word] & ~ties[view, word]
