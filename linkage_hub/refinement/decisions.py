"""What the agents' answers say: any common token is a yes, and a yes is evidence of a match."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import LEVELS, TOKEN_BYTES, PairOdds, Parameters
from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.refinement.calibration import SWAPPED_CHANCE

Answers = NDArray[np.uint8]

YES_OF_MATCH: Final = 0.85  # usual share of matches that are answered yes
YES_OF_OTHER: Final = 0.01  # usual share of other pairs that are
PRIOR_ANSWERS: Final = 10.0  # answers' worth of the usual shares
LOST_PRIOR: Final = 0.02  # of a pair that lost the competition of the first stage, at most
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
    both = np.concatenate([_numbers(first), _numbers(second)], axis=1)
    both.sort(axis=1)
    return np.asarray((both[:, 1:] == both[:, :-1]).sum(axis=1), dtype=np.int64)


def _numbers(answers: Answers) -> NDArray[np.uint64]:
    """Tokens as numbers, uint64 (n, tokens)."""
    tokens = answers.reshape(len(answers), -1, TOKEN_BYTES)
    wide = np.zeros((*tokens.shape[:2], 8), dtype=np.uint8)
    wide[:, :, 8 - TOKEN_BYTES :] = tokens
    return wide.view(">u8").astype(np.uint64)[:, :, 0]


def decide_levels(
    levels: NDArray[np.int8], parameters: Parameters, odds: Sequence[PairOdds]
) -> NDArray[np.bool_]:
    """Whether calibration pairs match by what the hub saw of them; they are not asked again.

    Rarity is not known to the hub, so every value counts as an average one.

    Args:
        levels: from ``calibration.observed_levels``, int8 (n, fields + 1).
        parameters: estimated from them.
        odds: prior odds of each pair's two submissions.
    """
    match = np.array([each.match for each in odds], dtype=np.float64)
    home = np.array([each.home for each in odds], dtype=np.float64)
    chance = np.zeros(len(levels))
    swapped = levels[:, -1] == 1
    match[swapped] += np.log2(parameters.swapped)
    for each in parameters.fields:
        seen = levels[:, list(LEVELS).index(each.field)].astype(np.int64)
        held = seen >= 0
        if each.field in ("first_name", "surname"):
            held &= ~swapped
        for total, shares in ((match, each.match), (home, each.home), (chance, each.chance)):
            total[held] += np.log2(np.array(shares))[seen[held]]
    chance[swapped] += np.log2(SWAPPED_CHANCE)
    home[swapped] += np.log2(SWAPPED_CHANCE)
    return np.asarray(match - np.logaddexp2(chance, home) >= parameters.threshold)


def updated(probability: Floats, asked: Indices, yes: NDArray[np.bool_]) -> Floats:
    """Probabilities of the first stage with what the agents answered.

    How much an answer says is learned from the answers themselves: the first stage's
    probabilities are right on average, so they tell how often a match is answered yes and how
    often another pair is (expectation maximisation over these two shares). A no outweighs a high
    probability only as far as matches are seldom answered no. Pairs that lost the first stage's
    competition share one prior, which is learned too.

    Args:
        probability: of a match by the first stage, float64 (m,).
        asked: positions of the pairs that were asked about, int64 (n,).
        yes: what the answers say, bool (n,).

    Returns:
        float64 (m,).
    """
    if not len(asked):
        return probability
    prior = np.clip(probability[asked], _LEAST, 1.0 - _LEAST)
    lost = probability[asked] <= 0.0
    prior[lost] = LOST_PRIOR
    of_match, of_other = YES_OF_MATCH, YES_OF_OTHER
    after = prior
    for _ in range(ROUNDS):
        match = prior * np.where(yes, of_match, 1.0 - of_match)
        other = (1.0 - prior) * np.where(yes, of_other, 1.0 - of_other)
        before, after = after, match / (match + other)
        of_match = _share(after, yes, YES_OF_MATCH)
        of_other = _share(1.0 - after, yes, YES_OF_OTHER)
        if lost.any():
            prior[lost] = np.clip(after[lost].mean(), _LEAST, LOST_PRIOR)
        if float(np.abs(after - before).max()) < _LEAST:
            break
    found = probability.copy()
    found[asked] = after
    return found


def _share(weight: Floats, yes: NDArray[np.bool_], usual: float) -> float:
    """Weighted share of yes, held by ``PRIOR_ANSWERS`` answers of the usual kind."""
    return float((weight[yes].sum() + PRIOR_ANSWERS * usual) / (weight.sum() + PRIOR_ANSWERS))
