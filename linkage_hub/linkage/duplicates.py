"""Weights of pairs within one source (docs/adr/0011-persons.md).

Beside other sources a pair within one weighs as any other does, and its absence speaks fully
against one person: sources hold nearly everybody once, and who is alike there are mostly relatives.

A source alone may hold a person many times, and then a pair of two dirty records of one person
looks like strangers, or is no candidate at all, although both are like a third. So a weight is
what a pair says beside the others, in log2 odds, ten of which weigh as much as can be:
1. A likely pair weighs its odds.
2. An unlikely pair says nothing, unless the agent said no: that weighs by how often matches are
   answered no.
3. A pair that is no candidate weighs by how often pairs of one person are none, which triples
   show: where A and B are one, and A and C, then so are B and C.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

from linkage_hub.linkage.answered import (
    FEWEST_YES,
    PRIOR_ANSWERS,
    YES_OF_MATCH,
    PutRight,
    share_of_yes,
)
from linkage_hub.linkage.candidates import Floats, Indices, PairBlock
from linkage_hub.linkage.threshold import MATCH
from linkage_hub.linkage.within import DOUBTFUL

FULL_BITS = 10.0
EVEN = 0.5  # probability below which a pair within one of several sources is left out altogether
MOST_LOSS = 0.98  # a pair that should have been seen and was not never weighs more than this
SURE = 0.9  # probability of a pair that counts in triples
SETTLED = 0.999  # from which answers about others change nothing
USUAL_PRESENT, USUAL_PATHS = 0.95, 20.0  # pairs of one person that are candidates; what it counts
_LEAST = 1e-9

Asked = tuple[Indices, NDArray[np.bool_]]
"""Positions in a block of the pairs that were asked about, and whether the answer was yes."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A block with the weight of every pair.

    Attributes:
        weight: in [-1, 1], float64 (m,); above zero for a match.
        probability: of a match where the pair competes to be one, else zero, float64 (m,).
        loss: how much an absent pair speaks against one person, 0 to 1.
        likely: probability by the evidence alone, or the competition's where higher, (m,).
    """

    block: PairBlock
    weight: Floats
    probability: Floats
    loss: float
    likely: Floats


def weigh_beside_others(block: PairBlock, likely: Floats) -> Weighed:
    """Weights of the pairs within one of several sources.

    Args:
        block: candidate pairs within it.
        likely: probability of each by the first stage, float64 (m,).
    """
    found = np.where(likely < EVEN, 0.0, likely)
    return Weighed(block, np.clip(2.0 * found - 1.0, -MOST_LOSS, 1.0), found, MOST_LOSS, found)


def weigh_alone(
    blocks: Sequence[PairBlock], guessed: Sequence[Floats], asked: Sequence[Asked]
) -> list[Weighed]:
    """Weights of the pairs within sources that have no other beside them.

    Args:
        blocks: candidate pairs within each source.
        guessed: probability of each by the first stage, float64 (m,).
        asked: what the agents were asked, and said.
    """
    of_match, updated = _put_right(blocks, guessed, asked)
    no = -np.log2(1.0 - of_match) / FULL_BITS
    found = []
    for block, first, now, (at, yes) in zip(blocks, guessed, updated, asked, strict=True):
        inside = np.clip(now, _LEAST, 1.0 - _LEAST)
        weight = np.clip(np.log2(inside / (1.0 - inside)) / FULL_BITS, 0.0, 1.0)
        denied = at[~yes]
        weight[denied] = np.where(now[denied] >= MATCH, weight[denied], -no)
        found.append(
            Weighed(
                block,
                weight,
                np.where(now < DOUBTFUL, 0.0, now),
                _absence(block, now),
                np.maximum(now, first),
            )
        )
    return found


def _put_right(
    blocks: Sequence[PairBlock], guessed: Sequence[Floats], asked: Sequence[Asked]
) -> tuple[float, Sequence[Floats]]:
    """Share of matches that are answered yes, and the probabilities with the answers."""
    prior = np.concatenate(
        [np.empty(0), *(p[at] for p, (at, _) in zip(guessed, asked, strict=True))]
    )
    answers = np.concatenate([np.empty(0, dtype=np.bool_), *(yes for _, yes in asked)])
    of_match = share_of_yes(prior, answers)
    if not len(prior):
        return of_match, guessed
    of_match = min(of_match, _closed(blocks, asked), _as_expected(prior, answers))
    right = PutRight(prior, answers, of_match)
    found = []
    for own, (at, yes) in zip(guessed, asked, strict=True):
        updated = own.copy()
        open_ = np.flatnonzero((own > 0.0) & (own < SETTLED))
        updated[open_] = right.before(own[open_])
        updated[at] = right.after(own[at], yes)
        found.append(updated)
    return of_match, found


def _closed(blocks: Sequence[PairBlock], asked: Sequence[Asked]) -> float:
    """Share of matches answered yes, as triples show it: B and C, both one with A by a yes."""
    yes, every = 0.0, 0.0
    for block, (at, said) in zip(blocks, asked, strict=True):
        size = int(max(block.left.max(initial=-1), block.right.max(initial=-1))) + 1
        told = _graph(block.left[at], block.right[at], size)
        agreed = _graph(block.left[at[said]], block.right[at[said]], size)
        third = _thirds(agreed)
        every += float(third.multiply(told).sum())
        yes += float(third.multiply(agreed).sum())
    return (yes + USUAL_PATHS * YES_OF_MATCH) / (every + USUAL_PATHS)


def _as_expected(prior: Floats, yes: NDArray[np.bool_]) -> float:
    """Share of matches answered yes, were the first stage right about how many matches there are.

    Beside other sources a first stage that is too sure is put right. A source alone has nothing to
    be put right by: where far fewer are answered yes than it expects, it is rather the agent that
    cannot tell, because the rows hold too little or too much that is wrong.
    """
    shown = (float(yes.sum()) + PRIOR_ANSWERS * YES_OF_MATCH) / (float(prior.sum()) + PRIOR_ANSWERS)
    return float(np.clip(shown, FEWEST_YES, YES_OF_MATCH))


def _thirds(agreed: csr_array) -> csr_array:
    """Pairs, the lower record first, that are both one with some third record."""
    both = agreed + agreed.T
    return csr_array(triu(both @ both, k=1).astype(np.bool_).astype(np.float64))


def _absence(block: PairBlock, likely: Floats) -> float:
    """How much the absence of a pair within a source speaks against one person."""
    sure = np.flatnonzero(likely >= SURE)
    size = int(max(block.left.max(initial=-1), block.right.max(initial=-1))) + 1
    there = _graph(block.left, block.right, size)
    paths = _thirds(_graph(block.left[sure], block.right[sure], size))
    seen = float(paths.multiply(there).sum())
    present = (seen + USUAL_PATHS * USUAL_PRESENT) / (float(paths.sum()) + USUAL_PATHS)
    return float(np.clip(-np.log2(max(1.0 - present, _LEAST)) / FULL_BITS, 0.0, 1.0))


def _graph(left: Indices, right: Indices, size: int) -> csr_array:
    return csr_array((np.ones(len(left)), (left, right)), shape=(size, size))
