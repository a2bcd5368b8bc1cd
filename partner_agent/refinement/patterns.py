"""Which patterns of agreement suffice: every minimal one whose weight clears the threshold.

A pattern gives each field one option: a level of agreement, *missing*, or *whatever*. The weight
is log2 of the posterior odds of a match against strangers and people of one home together. A
pattern is minimal when no option of it can be exchanged for the next weaker one with ``SLACK`` to
spare: two rows that share the token of a stronger pattern share the weaker one's too.

Whatever its weight, a pattern suffices only where what agrees singles a person out by the agent's
own counts (``evidence``).
"""

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

COLUMNS: Final = 7
MATCH, CHANCE, HOME, COVER, BITS, PERSON, FIELDS = range(COLUMNS)  # columns of ``Options.figures``
SIZE, WEAKER, KIND = range(3)  # columns of ``Options.shape``
PLAIN, SWAPPED = range(2)  # kinds of option
BOTH_NAMES: Final = 2  # fields that show ``SWAPPED`` together or not at all
SLACK: Final = 1.5
"""Bits by which a weaker pattern must clear the threshold before a stronger one is left out.

The other side counts rarity in its own rows, so it may find the weaker one not quite enough and
send the stronger one only."""
RAREST: Final = -40.0  # log2 of the least share of matches that a pattern is worth making for
LOOKED_AT: Final = 256  # patterns that are weighed against each other, the most promising ones
MOST: Final = 4096  # patterns that one row may have before the budget is applied


class Options(NamedTuple):
    """The options of all fields of one row, field after field.

    Attributes:
        figures: float64 (o, 7): log2 shares among matches, strangers, people of one home;
            log2 of the share of matches that it covers; and ``evidence.Bits``.
        shape: int64 (o, 3): number of texts; the next weaker option, counted in the whole
            array, or -1; kind.
        starts: int64 (f + 1,): where each field's options begin.
    """

    figures: NDArray[np.float64]
    shape: NDArray[np.int64]
    starts: NDArray[np.int64]


@njit(cache=True)
def sufficient_patterns(  # noqa: C901, PLR0912, PLR0915 - one loop without allocation
    figures: NDArray[np.float64],
    shape: NDArray[np.int64],
    starts: NDArray[np.int64],
    match_odds: float,
    home_odds: float,
    threshold: float,
    floors: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Minimal sufficient patterns of one row.

    Args:
        figures: of all options, see ``Options``.
        shape: likewise.
        starts: likewise.
        match_odds: prior log2 odds of a match against strangers.
        home_odds: prior log2 odds of people of one home against strangers.
        threshold: log2 posterior odds.
        floors: from ``Evidence.floors``.

    Returns:
        Chosen options int32 (p, f), and how many tokens each pattern makes, int64 (p,).
    """
    fields = len(starts) - 1
    best_chance = np.zeros(fields + 1)
    best_home = np.zeros(fields + 1)
    best_bits = np.zeros((fields + 1, 3))
    for field in range(fields - 1, -1, -1):
        gain_chance, gain_home = -1e9, -1e9
        for option in range(starts[field], starts[field + 1]):
            gain_chance = max(gain_chance, figures[option, MATCH] - figures[option, CHANCE])
            gain_home = max(gain_home, figures[option, MATCH] - figures[option, HOME])
            for kind in range(3):
                best_bits[field, kind] = max(best_bits[field, kind], figures[option, BITS + kind])
        best_chance[field] = best_chance[field + 1] + gain_chance
        best_home[field] = best_home[field + 1] + gain_home
        best_bits[field] += best_bits[field + 1]
    chosen = np.empty((MOST, fields), dtype=np.int32)
    tokens = np.empty(MOST, dtype=np.int64)
    count = 0
    sums = np.zeros((fields + 1, COLUMNS))
    sums[0, MATCH], sums[0, HOME] = match_odds, home_odds
    swaps = np.zeros(fields + 1, dtype=np.int64)
    sizes = np.ones(fields + 1, dtype=np.int64)
    current = np.empty(fields, dtype=np.int64)
    depth = 0
    current[0] = starts[0] - 1
    while depth >= 0 and count < MOST:
        current[depth] += 1
        option = current[depth]
        if option >= starts[depth + 1]:
            depth -= 1
            continue
        below = depth + 1
        for column in range(COLUMNS):
            sums[below, column] = sums[depth, column] + figures[option, column]
        swaps[below] = swaps[depth] + (1 if shape[option, KIND] == SWAPPED else 0)
        sizes[below] = sizes[depth] * shape[option, SIZE]
        if (
            sums[below, COVER] < RAREST
            or sums[below, MATCH] - sums[below, CHANCE] + best_chance[below] < threshold
            or sums[below, MATCH] - sums[below, HOME] + best_home[below] < threshold
            or sums[below, BITS] + best_bits[below, 0] < floors[0, 0]
            or sums[below, PERSON] + best_bits[below, 1] < floors[0, 1]
            or sums[below, FIELDS] + best_bits[below, 2] < floors[0, 2]
        ):
            continue
        if below < fields:
            depth = below
            current[depth] = starts[depth] - 1
            continue
        if swaps[below] == 1:
            continue
        match, chance, home = sums[below, MATCH], sums[below, CHANCE], sums[below, HOME]
        high, low = max(chance, home), min(chance, home)
        if match - high - np.log2(1.0 + 2.0 ** (low - high)) < threshold:
            continue
        minimal = True
        swap_match, swap_chance, swap_home = match, chance, home
        bits = sums[below, BITS:]
        swap_bits = bits.copy()
        for field in range(fields):
            option = current[field]
            weaker = shape[option, WEAKER]
            if weaker < 0:
                continue
            m = match + figures[weaker, MATCH] - figures[option, MATCH]
            c = chance + figures[weaker, CHANCE] - figures[option, CHANCE]
            h = home + figures[weaker, HOME] - figures[option, HOME]
            if shape[option, KIND] == SWAPPED:
                swap_match += m - match
                swap_chance += c - chance
                swap_home += h - home
                swap_bits += figures[weaker, BITS:] - figures[option, BITS:]
                continue
            if not _reaches(bits, figures[weaker, BITS:], figures[option, BITS:], floors[1]):
                continue
            high, low = max(c, h), min(c, h)
            if m - high - np.log2(1.0 + 2.0 ** (low - high)) >= threshold + SLACK:
                minimal = False
                break
        if minimal and swaps[below] == BOTH_NAMES and (swap_bits >= floors[1]).all():
            high, low = max(swap_chance, swap_home), min(swap_chance, swap_home)
            if swap_match - high - np.log2(1.0 + 2.0 ** (low - high)) >= threshold + SLACK:
                minimal = False
        if minimal:
            for field in range(fields):
                chosen[count, field] = current[field]
            tokens[count] = sizes[below]
            count += 1
    return chosen[:count], tokens[:count]


@njit(cache=True)
def _reaches(
    bits: NDArray[np.float64],
    weaker: NDArray[np.float64],
    option: NDArray[np.float64],
    floor: NDArray[np.float64],
) -> bool:
    """Whether a pattern reaches a floor once an option is exchanged for a weaker one.

    What such an exchange does not lessen reaches it: both patterns are enough, or neither is.
    """
    for kind in range(3):
        lost = option[kind] - weaker[kind]
        if lost > 0.0 and bits[kind] - lost < floor[kind]:
            return False
    return True


@njit(cache=True)
def _ones(word: np.uint64) -> np.uint64:
    """Number of bits that are set (Warren, Hacker's Delight 5-1)."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True)
def within_budget(  # noqa: C901 - one loop without allocation
    chosen: NDArray[np.int32],
    tokens: NDArray[np.int64],
    row_of: NDArray[np.int64],
    table: NDArray[np.uint64],
    budget: int,
) -> NDArray[np.int64]:
    """The patterns that an answer has room for: greedily, most new matches for a token first.

    Args:
        chosen: options of each pattern, int32 (p, f).
        tokens: what each pattern costs, int64 (p,).
        row_of: row of the table of each option, int64 (o,).
        table: which imagined matches show an option, one bit each, uint64 (r, words).
        budget: tokens of an answer.
    """
    count, fields = chosen.shape
    words = table.shape[1]
    shown = np.empty((count, words), dtype=np.uint64)
    gain = np.empty(count)
    for pattern in range(count):
        total = 0
        for word in range(words):
            bits = table[row_of[chosen[pattern, 0]], word]
            for field in range(1, fields):
                bits &= table[row_of[chosen[pattern, field]], word]
            shown[pattern, word] = bits
            total += int(_ones(bits))
        # what no imagined match shows comes last, the cheapest first
        gain[pattern] = (total + 1e-3) / tokens[pattern]
    taken = np.zeros(count, dtype=np.bool_)
    if count > LOOKED_AT:
        taken = gain < np.sort(gain)[count - LOOKED_AT]
    fresh = np.ones(count, dtype=np.bool_)
    covered = np.zeros(words, dtype=np.uint64)
    order = np.empty(count, dtype=np.int64)
    found, room = 0, budget
    while True:
        best = -1
        for pattern in range(count):
            if not taken[pattern] and (best < 0 or gain[pattern] > gain[best]):
                best = pattern
        if best < 0:
            break
        if tokens[best] > room:
            taken[best] = True
            continue
        if not fresh[best]:  # the gain only falls as more is covered, so it is counted when asked
            total = 0
            for word in range(words):
                total += int(_ones(shown[best, word] & ~covered[word]))
            gain[best] = (total + 1e-3) / tokens[best]
            fresh[best] = True
            continue
        taken[best] = True
        order[found] = best
        found += 1
        room -= tokens[best]
        for word in range(words):
            covered[word] |= shown[best, word]
        fresh[:] = False
    return order[:found]


@njit(cache=True)
def pattern_digests(
    chosen: NDArray[np.int32],
    first: NDArray[np.int64],
    size: NDArray[np.int64],
    texts: NDArray[np.uint64],
    total: int,
) -> NDArray[np.uint64]:
    """One 128-bit digest for each combination of texts of each pattern.

    A combination's digest is the exclusive or of its texts' keyed digests: with one text from
    each field, and every text's digest bound to field and level, two different combinations
    have equal digests with probability 2**-128 only.

    Args:
        chosen: options, int32 (p, f).
        first: where each option's texts begin, int64 (o,).
        size: how many it has, int64 (o,).
        texts: digests of the texts, uint64 (t, 2).
        total: combinations of all patterns together.
    """
    out = np.zeros((total, 2), dtype=np.uint64)
    at = 0
    for pattern in range(len(chosen)):
        combinations = 1
        for field in range(chosen.shape[1]):
            combinations *= size[chosen[pattern, field]]
        for number in range(combinations):
            rest = number
            for field in range(chosen.shape[1]):
                option = chosen[pattern, field]
                text = first[option] + rest % size[option]
                rest //= size[option]
                out[at, 0] ^= texts[text, 0]
                out[at, 1] ^= texts[text, 1]
            at += 1
    return out
