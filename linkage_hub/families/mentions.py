"""Who is meant by a mention: how much of it a record's encoding also has.

A mention holds fewer fields than a record, so Dice would punish what it leaves out. Of profile
``clk`` the containment |a AND m| / |m| does not. Of ``hardened`` no bit belongs to a field, but
the share of equal bits q tells the cosine of the two sets of tokens: each bit is the XOR of k
majorities, so 2 q - 1 = (1 - 2 t / pi)^k, where cos t is the cosine.

People who were seen at one of the asker's addresses are asked first; then those who were seen at
one of theirs, such as a sibling's other parent; then everyone, as far as the budget goes, since
that takes mentions times records. Of those who are not neighbours only a clear winner counts.
The same question put to the neighbours of somebody else, who cannot be meant, says how often
chance alone would have answered.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.families.columns import Bytes, Evidence, Floats, Ints
from linkage_hub.families.mention_kernels import Words, ask_everyone, ask_near
from linkage_hub.families.pairs import Pairs

CONTAINED: Final = np.array([[0.85, 0.01], [0.78, 0.03]])
"""Containment demanded of somebody seen at the same address, and the lead over the second-best
person; the same of anyone else."""
COSINE: Final = np.array([[0.68, 0.08], [0.85, 0.15]])
"""The same of the cosine under ``hardened``. Both chosen on development data (ADR 12)."""
BUDGET: Final = 400_000_000  # comparisons with everyone in one run, some ten seconds
LEAST_TRUST: Final = 0.5
PRIOR_MENTIONS: Final = 10.0


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
        return no_links()
    order = np.argsort(records.person, kind="stable")
    starts = np.searchsorted(records.person[order], np.arange(evidence.persons + 1))
    words, named = _words(records.encoding[order]), _words(mentions.encoding)
    bits = records.encoding.shape[1] * 8
    table = _scores(bits, evidence.hardening)
    demands = CONTAINED if evidence.hardening is None else COSINE
    near_start, near = _neighbours(pairs, evidence.persons)
    ask = partial(ask_near, near_start=near_start, near=near, starts=starts, words=words,
                  table=table)  # fmt: skip
    found = ask(mentions.person, named, demands=demands[0], further=False)
    stranger = np.roll(mentions.person, len(mentions.person) // 2 + 1)
    chance = ask(stranger, named, demands=demands[0], further=False)
    at_home = _trust(found, chance, stranger == mentions.person)
    open_ = np.flatnonzero(found < 0)
    found[open_] = ask(mentions.person[open_], named[open_], demands=demands[1], further=True)
    open_ = np.flatnonzero(found < 0)[: budget // max(1, len(words))]
    answers = ask_everyone(
        mentions.person[open_], named[open_], records.person[order], words, table, demands[1]
    )
    found[open_] = answers
    trust = np.where(found >= 0, at_home, 0.0)
    kept = np.flatnonzero((found >= 0) & (trust >= LEAST_TRUST))
    links = np.stack([mentions.person[kept], found[kept], mentions.relation[kept]], axis=1)
    once, first = np.unique(links.reshape(-1, 3), axis=0, return_index=True)
    return Links(once[:, 0], once[:, 1], once[:, 2], trust[kept][first], len(open_))


def _scores(bits: int, k: int | None) -> Floats:
    """Agreement by number of differing bits, float64 (bits + 1,); empty for containment."""
    if k is None:
        return np.zeros(0)
    agree = 2.0 * (1.0 - np.arange(bits + 1) / bits) - 1.0
    return np.asarray(np.cos(np.pi / 2 * (1.0 - np.maximum(agree, 0.0) ** (1.0 / k))))


def no_links() -> Links:
    """Links where nobody is named."""
    empty: Ints = np.arange(0)
    trust: Floats = np.zeros(0, dtype=np.float64)
    return Links(empty, empty, empty, trust)


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


def _words(encodings: Bytes) -> Words:
    """The same bits in 64-bit words."""
    spare = -encodings.shape[1] % 8
    padded = np.pad(encodings, ((0, 0), (0, spare))) if spare else encodings
    return np.ascontiguousarray(padded).view(np.uint64)
