"""Who is meant by a mention: the share of its bits that a record's encoding also has.

A mention holds fewer fields than a record, so Dice would punish what it leaves out; containment
|a AND m| / |m| does not. People who were seen at one of the asker's addresses are asked first,
with a lower demand, since a stranger there is unlikely; then everyone, where only a clear winner
counts. The same question put to the neighbours of somebody else, who cannot be meant, says how
often chance alone would have answered.
"""

# ruff: noqa: PLR2004 - compiled functions take numbers by position

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from linkage_hub.families.columns import Bytes, Evidence, Floats, Ints
from linkage_hub.families.pairs import Pairs

AT_HOME: Final = 0.85  # containment demanded of somebody seen at the same address
ANYWHERE: Final = 0.95  # of anyone else
MARGIN_AT_HOME: Final = 0.01  # lead over the second-best person
MARGIN_ANYWHERE: Final = 0.03
BUDGET: Final = 20_000_000_000  # comparisons with everyone in one run, about a minute
LEAST_TRUST: Final = 0.5
PRIOR_MENTIONS: Final = 10.0

_Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Links:
    """Recognised mentions, each once, sorted.

    Attributes:
        asker: the person whose record names, int64 (k,).
        named: the person named, int64 (k,).
        relation: index in ``RELATION_CODES``, int64 (k,).
        trust: probability that the right one was recognised, float64 (k,).
        asked: mentions that were compared with everyone; of the rest the budget allowed none.
    """

    asker: Ints
    named: Ints
    relation: Ints
    trust: Floats
    asked: int = 0


def resolve_mentions(evidence: Evidence, pairs: Pairs, *, budget: int = BUDGET) -> Links:
    """Recognise the people whom records name.

    Args:
        evidence: of all persons.
        pairs: people seen at one address.
        budget: most comparisons of mentions with everybody's records.
    """
    mentions, records = evidence.mentions, evidence.records
    if not len(mentions.person) or not len(records.person):
        return _none()
    order = np.argsort(records.person, kind="stable")
    starts = np.searchsorted(records.person[order], np.arange(evidence.persons + 1))
    words, named = _words(records.encoding[order]), _words(mentions.encoding)
    near_start, near = _neighbours(pairs, evidence.persons)
    found = _ask_near(mentions.person, named, near_start, near, starts, words)
    stranger = np.roll(mentions.person, len(mentions.person) // 2 + 1)
    chance = _ask_near(stranger, named, near_start, near, starts, words)
    at_home = _trust(found, chance, stranger == mentions.person)
    trust = np.where(found >= 0, at_home, 0.0)
    open_ = np.flatnonzero(found < 0)
    open_ = open_[: budget // max(1, len(words))]
    answers = _ask_everyone(
        named[open_], mentions.person[open_], records.person[order], words
    )
    found[open_] = answers
    trust[open_] = np.where(answers >= 0, at_home, 0.0)
    kept = np.flatnonzero((found >= 0) & (trust >= LEAST_TRUST))
    table = np.stack([mentions.person[kept], found[kept], mentions.relation[kept]], axis=1)
    rows, first = np.unique(table.reshape(-1, 3), axis=0, return_index=True)
    return Links(rows[:, 0], rows[:, 1], rows[:, 2], trust[kept][first], len(open_))


def containment(records: Bytes, mention: Bytes) -> Floats:
    """Share of the mention's bits that each record has, float64 (n,)."""
    ones = int(np.bitwise_count(mention).sum(dtype=np.int64))
    if not ones:
        return np.zeros(len(records))
    common = np.bitwise_count(records & mention).sum(axis=1, dtype=np.int64)
    return np.asarray(common / ones, dtype=np.float64)


def _none() -> Links:
    empty = np.zeros(0, dtype=np.int64)
    return Links(empty, empty, empty, np.zeros(0))


def _trust(found: Ints, chance: Ints, same: NDArray[np.bool_]) -> float:
    """Probability that a person recognised at home is the one who was meant."""
    seen = int((found >= 0).sum())
    false = int(((chance >= 0) & ~same).sum())
    return 1.0 - min(1.0, (false + 0.05 * PRIOR_MENTIONS) / (seen + PRIOR_MENTIONS))


def _neighbours(pairs: Pairs, persons: int) -> tuple[Ints, Ints]:
    """For each person the others seen at one of its addresses, as starts and numbers."""
    key = np.unique(
        np.concatenate([pairs.left * persons + pairs.right, pairs.right * persons + pairs.left])
    )
    return np.searchsorted(key // persons, np.arange(persons + 1)), key % persons


def _words(encodings: Bytes) -> _Words:
    """The same bits in 64-bit words."""
    spare = -encodings.shape[1] % 8
    padded = np.pad(encodings, ((0, 0), (0, spare))) if spare else encodings
    return np.ascontiguousarray(padded).view(np.uint64)


@njit(cache=True, nogil=True)
def _ones(word: np.uint64) -> int:
    """Population count of one word (Warren, Hacker's Delight, 5-1)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def _ask_near(
    asker: Ints, mention: _Words, near_start: Ints, near: Ints, starts: Ints, words: _Words
) -> Ints:
    """The clearly best person among each asker's neighbours; -1 where there is none."""
    found = np.full(len(asker), -1, dtype=np.int64)
    for at in range(len(asker)):
        total = 0
        for w in range(mention.shape[1]):
            total += _ones(mention[at, w])
        if total == 0:
            continue
        best, second, who = 0.0, 0.0, np.int64(-1)
        for n in range(near_start[asker[at]], near_start[asker[at] + 1]):
            score = 0.0
            for row in range(starts[near[n]], starts[near[n] + 1]):
                common = 0
                for w in range(mention.shape[1]):
                    common += _ones(mention[at, w] & words[row, w])
                score = max(score, common / total)
            if score > best:
                best, second, who = score, best, near[n]
            elif score > second:
                second = score
        if best >= AT_HOME and best - second >= MARGIN_AT_HOME:
            found[at] = who
    return found


@njit(cache=True, nogil=True)
def _ask_everyone(mention: _Words, asker: Ints, person: Ints, words: _Words) -> Ints:
    """The clearly best of all other people; a record is left once it lacks too many bits."""
    found = np.full(len(asker), -1, dtype=np.int64)
    for at in range(len(asker)):
        total = 0
        for w in range(mention.shape[1]):
            total += _ones(mention[at, w])
        if total == 0:
            continue
        allowed = int((1.0 - ANYWHERE + MARGIN_ANYWHERE) * total)
        fewest, rival, who = allowed + 1, allowed + 1, np.int64(-1)
        for row in range(len(words)):
            if person[row] == asker[at]:
                continue
            lacks = 0
            for w in range(mention.shape[1]):
                lacks += _ones(mention[at, w] & ~words[row, w])
                if lacks > allowed:
                    break
            if lacks > allowed:
                continue
            if person[row] == who:
                fewest = min(fewest, lacks)
            elif lacks < fewest:
                fewest, rival, who = lacks, fewest, person[row]
            elif lacks < rival:
                rival = lacks
        good = fewest <= (1.0 - ANYWHERE) * total
        if who >= 0 and good and rival - fewest >= MARGIN_ANYWHERE * total:
            found[at] = who
    return found
