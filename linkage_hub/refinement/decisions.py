"""What the agents' answers say: any common token is a yes, and a yes is evidence of a match."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from governance.exchange.parameters import TOKEN_BYTES
from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.threshold import MATCH
from linkage_hub.refinement.selection import SURE

Answers = NDArray[np.uint8]

YES_OF_MATCH: Final = 0.85  # usual share of matches that are answered yes
YES_OF_OTHER: Final = 0.001  # usual share of other pairs that are
PRIOR_ANSWERS: Final = 10.0  # answers that the first stage's probabilities count for
_LEAST: Final = 1e-6
LOST_YES: Final = 0.75  # probability of a pair that lost the first stage's competition
# (a guess: what the threshold of a yes leaves at least is one in five, what it leaves usually more)


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


class PutRight:
    """Bayes' rule on a prior that the answers put right first.

    The first stage may be sure of itself and wrong; the answers show it. Among pairs of like
    probability the share that is answered yes (isotonic in the probability) says how many are
    matches, since ``of_match`` of the matches are answered yes and hardly any other pair. Where
    nearly as many are answered yes as matches would be, a no means little; where few are, nearly
    all of it.

    Args:
        prior: of a match by the first stage, of the pairs that were asked about, float64 (n,).
        yes: what the answers say, bool (n,).
        of_match: share of matches that are answered yes.
    """

    def __init__(self, prior: Floats, yes: NDArray[np.bool_], of_match: float) -> None:
        self._of_match = of_match
        # each pair has its own answer, and a little of what the first stage would have expected;
        # both ends of the scale are held by one pair, so that few answers decide nothing
        rows = np.concatenate([prior, prior, [0.0, 1.0]])
        usual = prior * of_match + (1.0 - prior) * YES_OF_OTHER
        weight = PRIOR_ANSWERS / (PRIOR_ANSWERS + len(prior))
        self._share = IsotonicRegression(y_min=0.0, y_max=1.0).fit(
            rows,
            np.concatenate([yes.astype(np.float64), usual, [YES_OF_OTHER, of_match]]),
            sample_weight=np.repeat([1.0, weight, 1.0], [len(prior), len(prior), 2]),
        )

    def before(self, prior: Floats) -> Floats:
        """Probabilities of pairs without an answer, float64 (m,)."""
        share = self._share.predict(prior) if len(prior) else prior
        matches = (share - YES_OF_OTHER) / (self._of_match - YES_OF_OTHER)
        return np.asarray(np.clip(matches, _LEAST, 1.0 - _LEAST), dtype=np.float64)

    def after(self, prior: Floats, yes: NDArray[np.bool_]) -> Floats:
        """Probabilities of pairs with their answers, float64 (m,)."""
        before = self.before(prior)
        match = before * np.where(yes, self._of_match, 1.0 - self._of_match)
        other = (1.0 - before) * np.where(yes, YES_OF_OTHER, 1.0 - YES_OF_OTHER)
        return np.asarray(match / (match + other), dtype=np.float64)
