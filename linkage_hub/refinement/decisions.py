"""What the agents' answers say: any common token is a yes, and a yes is evidence of a match."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import TOKEN_BYTES
from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.threshold import MATCH

Answers = NDArray[np.uint8]

YES_OF_MATCH: Final = 0.85  # usual share of matches that are answered yes
YES_OF_OTHER: Final = 0.01  # usual share of other pairs that are
PRIOR_ANSWERS: Final = 10.0  # answers' worth of the usual shares
LOST_YES: Final = 0.75  # probability of a pair that lost the first stage's competition
# (a guess: what the threshold of a yes leaves at least is one in five, what it leaves usually more)
ROUNDS: Final = 100
_LEAST: Final = 1e-6


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
    probability: Floats, ends: tuple[Indices, Indices], asked: Indices, yes: NDArray[np.bool_]
) -> Floats:
    """Probabilities of the first stage with what the agents answered.

    1. How much an answer says is learned from the answers: the first stage's probabilities are
       right on average, so they tell how often a match is answered yes and how often another pair
       is (expectation maximisation over these two shares). A no outweighs a high probability only
       as far as matches are seldom answered no.
    2. A pair that lost the first stage's competition is a match where the answer is yes and
       neither of its records is likelier matched to another; else it is none.

    Args:
        probability: of a match by the first stage, float64 (m,).
        ends: record numbers of the pairs in the two datasets, int64 (m,) each.
        asked: positions of the pairs that were asked about, int64 (n,).
        yes: what the answers say, bool (n,).

    Returns:
        float64 (m,).
    """
    found = probability.copy()
    lost = probability[asked] <= 0.0
    found[asked[~lost]] = _weighed(probability[asked[~lost]], yes[~lost])
    left, right = ends
    taken = found >= MATCH
    free = ~np.isin(left[asked], left[taken]) & ~np.isin(right[asked], right[taken])
    found[asked[lost & yes & free]] = LOST_YES
    return found


def _weighed(prior: Floats, yes: NDArray[np.bool_]) -> Floats:
    """Probabilities of competing pairs after their answers."""
    of_match, of_other = YES_OF_MATCH, YES_OF_OTHER
    after = prior
    for _ in range(ROUNDS):
        match = prior * np.where(yes, of_match, 1.0 - of_match)
        other = (1.0 - prior) * np.where(yes, of_other, 1.0 - of_other)
        before, after = after, match / (match + other)
        of_match = _share(after, yes, YES_OF_MATCH)
        of_other = _share(1.0 - after, yes, YES_OF_OTHER)
        if float(np.abs(after - before).max(initial=0.0)) < _LEAST:
            break
    return after


def _share(weight: Floats, yes: NDArray[np.bool_], usual: float) -> float:
    """Weighted share of yes, held by ``PRIOR_ANSWERS`` answers of the usual kind."""
    return float((weight[yes].sum() + PRIOR_ANSWERS * usual) / (weight.sum() + PRIOR_ANSWERS))
