"""What answers about pairs are worth as evidence (docs/adr/0009-refinement-arithmetic.md)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import Floats, Indices

YES_OF_MATCH: Final = 0.93  # usual share of matches that are answered yes, with usual errors
YES_OF_OTHER: Final = 0.001  # usual share of other pairs that are
LOST_YES: Final = 0.75  # probability of a pair that lost the first stage's competition
# (a guess: what the threshold of a yes leaves at least is one in five, what it leaves usually more)
PRIOR_ANSWERS: Final = 10.0  # answers that the first stage's probabilities count for
SUREST: Final = 0.97  # first-stage probability from which pairs show what matches are answered
WRONG: Final = 0.15  # of those, the share that may be no matches although the first stage is sure
FEWEST_EXPECTED: Final = 20.0  # matches among the asked that show whether sources can say yes
NEVER: Final = 0.02  # of them; where fewer are answered yes, none could be
FEWEST_YES: Final = 0.1  # of matches; below it answers would say nothing
_LEAST: Final = 1e-6

Flags = NDArray[np.bool_]


def share_of_yes(prior: Floats, yes: Flags) -> float:
    """Share of matches that are answered yes, as the answers themselves show it.

    Agents cannot agree about records that hold much that is wrong, and no parameter tells how much
    that is. Pairs that the first stage is surest of are matches, or at least all but ``WRONG`` of
    them: what they are answered is a ceiling, where it is lower than usual.

    Args:
        prior: of a match by the first stage, of the pairs that were asked about, float64 (n,).
        yes: what the answers say, bool (n,).
    """
    surest = prior >= SUREST
    matches = float(prior[surest].sum()) * (1.0 - WRONG)
    shown = (float(yes[surest].sum()) + PRIOR_ANSWERS * YES_OF_MATCH) / (matches + PRIOR_ANSWERS)
    return float(np.clip(shown, FEWEST_YES, YES_OF_MATCH))


def with_answer(prior: Floats, yes: Flags, of_match: float) -> Floats:
    """Bayes' rule: probabilities of pairs with their answers, float64 (m,).

    Args:
        prior: of a match before the answer, float64 (m,).
        yes: the answers, bool (m,).
        of_match: share of matches that are answered yes.
    """
    match = prior * np.where(yes, of_match, 1.0 - of_match)
    other = (1.0 - prior) * np.where(yes, YES_OF_OTHER, 1.0 - YES_OF_OTHER)
    return np.asarray(match / (match + other), dtype=np.float64)


def heard(prior: Floats, at: Indices, yes: Flags) -> tuple[Indices, Flags]:
    """What was answered about the pairs of two sources; nothing where they cannot say yes.

    An agent says yes only where what agrees singles a person out. Two sources that hold names and
    little else in common never get there, and every match would be denied.

    Args:
        prior: of a match by the first stage, of every pair of the two sources, float64 (m,).
        at: positions of the pairs that were asked about, int64 (k,).
        yes: what the answers say, bool (k,).
    """
    expected = float(prior[at].sum())
    if expected >= FEWEST_EXPECTED and float(yes.sum()) < NEVER * expected:
        return at[:0], yes[:0]
    return at, yes


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

    def __init__(self, prior: Floats, yes: Flags, of_match: float) -> None:
        # takes a second to load, which a hub that serves pages and orders has no use for
        from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415

        self._of_match = of_match
        # each pair has its own answer, and a little of what the first stage would have expected;
        # both ends of the scale are held by one pair, so that few answers decide nothing
        rows = np.concatenate([prior, prior, [0.0, 1.0]])
        usual = prior * of_match + (1.0 - prior) * YES_OF_OTHER
        weight = PRIOR_ANSWERS / (PRIOR_ANSWERS + len(prior))
        self._share = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(
            rows,
            np.concatenate([yes.astype(np.float64), usual, [YES_OF_OTHER, of_match]]),
            sample_weight=np.repeat([1.0, weight, 1.0], [len(prior), len(prior), 2]),
        )

    def before(self, prior: Floats) -> Floats:
        """Probabilities of pairs without an answer, float64 (m,)."""
        share = self._share.predict(prior) if len(prior) else prior
        matches = (share - YES_OF_OTHER) / (self._of_match - YES_OF_OTHER)
        return np.asarray(np.clip(matches, _LEAST, 1.0 - _LEAST), dtype=np.float64)

    def after(self, prior: Floats, yes: Flags) -> Floats:
        """Probabilities of pairs with their answers, float64 (m,)."""
        return with_answer(self.before(prior), yes, self._of_match)
