"""Compiled loops that compare mentions with records, bit by bit."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from linkage_hub.families.columns import Floats, Ints

Words = NDArray[np.uint64]


@njit(cache=True, nogil=True)
def _ones(word: np.uint64) -> int:
    """Population count of one word (Warren, Hacker's Delight, 5-1)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def _count(mention: Words, other: Words, differing: bool, allowed: int) -> int:
    """Bits that differ, or bits of the mention that the other lacks; stops past ``allowed``."""
    found = 0
    for w in range(mention.size):
        found += _ones(mention[w] ^ other[w] if differing else mention[w] & ~other[w])
        if found > allowed:
            break
    return found


@njit(cache=True, nogil=True)
def _most(score: float, total: int, table: Floats) -> int:
    """Most bits that may differ or lack for a score."""
    if table.size == 0:
        return int(np.floor((1.0 - score) * total + 1e-9))
    return int(np.searchsorted(-table, -score, side="right")) - 1


@njit(cache=True, nogil=True)
def ask_near(
    asker: Ints,
    mention: Words,
    near_start: Ints,
    near: Ints,
    starts: Ints,
    words: Words,
    table: Floats,
    demands: Floats,
    further: bool,
) -> Ints:
    """The clearly best person among each asker's neighbours; -1 where there is none.

    ``table`` is the score by number of differing bits; empty: containment. ``demands`` are the
    score and the lead. ``further`` asks the neighbours' neighbours as well.
    """
    found = np.full(len(asker), -1, dtype=np.int64)
    for at in range(len(asker)):
        total = 0
        for w in range(mention.shape[1]):
            total += _ones(mention[at, w])
        if total == 0:
            continue
        best, second, who = 0.0, 0.0, np.int64(-1)
        for n in range(near_start[asker[at]], near_start[asker[at] + 1]):
            first = near_start[near[n]] if further else 0
            last = near_start[near[n] + 1] if further else 0
            for m in range(first - 1, last):
                person = near[n] if m < first else near[m]
                if person in (asker[at], who):
                    continue
                score = _score(mention[at], total, starts[person], starts[person + 1], words, table)
                if score > best:
                    best, second, who = score, best, person
                elif score > second:
                    second = score
        if best >= demands[0] and best - second >= demands[1]:
            found[at] = who
    return found


@njit(cache=True, nogil=True)
def _score(mention: Words, total: int, first: int, last: int, words: Words, table: Floats) -> float:
    """The best agreement of a mention with one person's records."""
    score = 0.0
    for row in range(first, last):
        bits = _count(mention, words[row], table.size > 0, 1 << 30)
        score = max(score, table[bits] if table.size else 1.0 - bits / total)
    return score


@njit(cache=True, nogil=True)
def ask_everyone(
    asker: Ints, mention: Words, person: Ints, words: Words, table: Floats, demands: Floats
) -> Ints:
    """The clearly best of all other people; -1 where there is none. As ``ask_near``."""
    found = np.full(len(asker), -1, dtype=np.int64)
    for at in range(len(asker)):
        total = 0
        for w in range(mention.shape[1]):
            total += _ones(mention[at, w])
        if total == 0:
            continue
        good = _most(demands[0], total, table)
        allowed = _most(demands[0] - demands[1], total, table)
        fewest, rival, who = _best_two(
            asker[at], mention[at], person, words, allowed, table.size > 0
        )
        if who < 0 or fewest > good:
            continue
        if table.size:
            lead = table[fewest] - table[min(rival, table.size - 1)]
        else:
            lead = (rival - fewest) / total
        if lead >= demands[1] or rival > allowed:
            found[at] = who
    return found


@njit(cache=True, nogil=True)
def _best_two(
    asker: int, mention: Words, person: Ints, words: Words, allowed: int, differing: bool
) -> tuple[int, int, int]:
    """Fewest wrong bits, those of the next best person, and the best person or -1."""
    fewest, rival, who = allowed + 1, allowed + 1, -1
    for row in range(len(words)):
        bits = _count(mention, words[row], differing, allowed)
        if bits > allowed or person[row] == asker:
            continue
        if person[row] == who:
            fewest = min(fewest, bits)
        elif bits < fewest:
            fewest, rival, who = bits, fewest, int(person[row])
        elif bits < rival:
            rival = bits
    return fewest, rival, who
