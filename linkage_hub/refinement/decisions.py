"""What the agents' answers say: any common token is a yes, and a yes is evidence of a match."""

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import TOKEN_BYTES
from linkage_hub.linkage.answered import LOST_YES, YES_OF_MATCH, PutRight
from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.threshold import MATCH
from linkage_hub.refinement.selection import SURE

Answers = NDArray[np.uint8]


def decide(first: Answers, second: Answers) -> NDArray[np.bool_]:
    """Whether the two answers to each question share a token.

    Args:
        first: answers of one side, uint8 (n, tokens * TOKEN_BYTES).
        second: those of the other side.

    Returns:
        bool (n,).

    Raises:
        ValueError: answers of different sizes.
    """
    return common_tokens(first, second) > 0


def common_tokens(first: Answers, second: Answers) -> NDArray[np.int64]:
    """How many tokens the two answers to each question share, int64 (n,).

    Raises:
        ValueError: answers of different sizes.
    """
    if first.shape != second.shape or first.shape[-1] % TOKEN_BYTES:
        raise ValueError("the two sides' answers differ in size")
    one, other = np.sort(_numbers(first), axis=1), np.sort(_numbers(second), axis=1)
    both = np.sort(np.concatenate([one, other], axis=1), axis=1)
    shared = (both[:, 1:] == both[:, :-1]).sum(axis=1)
    return np.where(_repeats(one) | _repeats(other), 0, shared).astype(np.int64)


def _repeats(ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Answers that hold a token twice, bool (n,): one side alone could make a match of that."""
    return np.asarray((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))


def _numbers(answers: Answers) -> NDArray[np.uint64]:
    """Tokens as numbers, uint64 (n, tokens)."""
    tokens = answers.reshape(len(answers), -1, TOKEN_BYTES)
    wide = np.zeros((*tokens.shape[:2], 8), dtype=np.uint8)
    wide[:, :, 8 - TOKEN_BYTES :] = tokens
    return wide.view(">u8").astype(np.uint64)[:, :, 0]


def updated(
    probability: Floats,
    ends: tuple[Indices, Indices],
    asked: Indices,
    yes: NDArray[np.bool_],
    of_match: float = YES_OF_MATCH,
) -> Floats:
    """Probabilities of the first stage with what the agents answered.

    1. Pairs that competed in the first stage, and that it was not sure of, are put right by the
       answers (``PutRight``), those that nobody was asked about included.
    2. A pair that lost the first stage's competition is a match where the answer is yes and
       neither of its records is likelier matched to another; else it is none.

    Args:
        probability: of a match by the first stage, float64 (m,).
        ends: record numbers of the pairs in the two datasets, int64 (m,) each.
        asked: positions of the pairs that were asked about, int64 (n,).
        yes: what the answers say, bool (n,).
        of_match: share of matches that are answered yes.

    Returns:
        float64 (m,).
    """
    found = probability.copy()
    lost = probability[asked] <= 0.0
    competed = asked[~lost]
    right_of = PutRight(probability[competed], yes[~lost], of_match)
    open_ = np.flatnonzero((probability > 0.0) & (probability < SURE))
    found[open_] = right_of.before(probability[open_])
    found[competed] = right_of.after(probability[competed], yes[~lost])
    left, right = ends
    taken = found >= MATCH
    free = ~np.isin(left[asked], left[taken]) & ~np.isin(right[asked], right[taken])
    found[asked[lost & yes & free]] = LOST_YES
    return found
