"""Probabilities of a match without truth, for many pairs of sources together.

In order (docs/adr/0011-persons.md argues it):
1. Each pair of sources is a competition (``competition``): greedy pairs are the possible matches,
   and what each matched record would have had instead are its decoys.
2. A record without a match yields a decoy-like pair as often as a matched one yields a decoy, so
   the number of wrong pairs among the greedy ones is known but for the number of matches.
3. A logistic model of the pairs' evidence and of the margins over each side's second choice
   tells possible matches from decoys; its probabilities give the number of matches; iterate to a
   fixed point.
4. One model is fitted to all pairs of sources, so that relatives who stand out between two
   sources with no person in common are known from the others; what each pair of sources has of
   its own is how many matches it holds.
5. The model's evidence is a better score than the one that the competition began with: repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.competition import NO_CONTEST, Competition, compete
from linkage_hub.linkage.logistic import fit_logistic, log_odds, sigmoid
from linkage_hub.linkage.scoring import Evidence

ROUNDS = 5  # competitions
SETTLING = 12  # refits within one competition
TOLERANCE = 1e-3  # largest change of a probability that still counts as movement
LIKELY, UNLIKELY = 0.9, 0.1  # probabilities that the iteration starts from
RIDGE = 0.1
HALF = 0.5  # a match and a wrong pair more than were seen, halved, so that odds stay finite
MOST_ROWS = 400_000  # of the pooled fit; more are thinned evenly


@dataclass(frozen=True, slots=True)
class Problem:
    """Candidate pairs of two datasets that hold each person once."""

    evidence: Evidence
    left: Indices
    right: Indices
    sizes: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PairModel:
    """What evidence is worth by itself, without a competition.

    Attributes:
        centre, spread: of the features, float64 (d,).
        coefficients: intercept first, float64 (d + 1,).
        offset: log-odds of a candidate pair of each problem, float64 (problems,).
    """

    centre: Floats
    spread: Floats
    coefficients: Floats
    offset: Floats

    def worth(self, features: Floats) -> Floats:
        """Log of the likelihood ratio of a match over a candidate that is none, float64 (m,)."""
        return log_odds((features - self.centre) / self.spread, self.coefficients)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted.

    Attributes:
        probability: for each problem, of each pair, float64 (m,); zero unless the pair is the
            likeliest of both of its records that are free (greedy).
        model: None where there was nothing to fit.
    """

    probability: list[Floats]
    model: PairModel | None


@dataclass(slots=True)
class _State:
    problem: Problem
    features: Floats  # standardised
    score: Floats
    contest: Competition = NO_CONTEST
    probability: Floats = field(default_factory=lambda: np.empty(0))
    coefficients: Floats = field(default_factory=lambda: np.empty(0))
    odds: float = 0.0


def fit_problems(problems: Sequence[Problem]) -> Fitted:
    """Fit the model to the candidate pairs of several pairs of sources."""
    centre, spread = _scales(problems)
    states = [
        _State(each, (each.evidence.features - centre) / spread, each.evidence.start)
        for each in problems
    ]
    alive = [state for state in states if len(state.score)]
    if not alive:
        return Fitted([np.zeros(len(state.score)) for state in states], None)
    _fit(alive)
    found = []
    for state in states:
        probability = np.zeros(len(state.score))
        probability[state.contest.targets] = state.probability
        found.append(probability)
    return Fitted(found, _model(states, found, centre, spread))


def _model(
    states: list[_State], probability: list[Floats], centre: Floats, spread: Floats
) -> PairModel:
    """Matches against all other candidates, by evidence alone."""
    offset = np.array(
        [np.log((each.sum() + HALF) / (len(each) - each.sum() + HALF)) for each in probability]
    )
    features = np.concatenate([state.features for state in states])
    weight = np.concatenate(probability)
    known = np.repeat(offset, [len(each) for each in probability])
    step = max(1, len(weight) // MOST_ROWS)
    thin = np.flatnonzero((weight >= HALF) | (np.arange(len(weight)) % step == 0))
    share = np.where(weight[thin] >= HALF, 1.0, float(step))
    rows = np.concatenate([features[thin], features[thin]])
    coefficients = fit_logistic(
        rows,
        np.repeat([1.0, 0.0], len(thin)),
        np.concatenate([share * weight[thin], share * (1.0 - weight[thin])]),
        offset=np.concatenate([known[thin], known[thin]]),
        ridge=RIDGE,
    )
    return PairModel(centre, spread, coefficients, offset)


def _scales(problems: Sequence[Problem]) -> tuple[Floats, Floats]:
    rows = [each.evidence.features for each in problems if len(each.left)]
    if not rows:
        return np.zeros(1), np.ones(1)
    every = np.concatenate(rows)
    return every.mean(axis=0), np.maximum(every.std(axis=0), 1e-9)


def _fit(states: list[_State]) -> None:
    coefficients = np.empty(0)
    for turn in range(ROUNDS):
        for state in states:
            _compete(state, turn)
        coefficients = _settle(states, coefficients)
        for state in states:
            state.coefficients = coefficients
            state.odds = _odds(state)
            evidence = coefficients[: state.features.shape[1] + 1]
            state.score = log_odds(state.features, evidence)


def _compete(state: _State, turn: int) -> None:
    problem = state.problem
    state.contest = compete(state.score, problem.left, problem.right, problem.sizes)
    score = state.score[state.contest.targets]
    if turn == 0:
        middle = (score.max() + state.score.min()) / 2.0
        sure = (score >= middle) & (state.contest.target_margins[:, 0] > 0)
        state.probability = np.where(sure, LIKELY, UNLIKELY)
    else:
        state.probability = sigmoid(
            state.odds + log_odds(_rows(state)[: len(score)], state.coefficients)
        )


def _rows(state: _State) -> Floats:
    """Features and margins, targets first."""
    at = state.contest
    chosen = np.concatenate([at.targets, at.decoys])
    margins = np.concatenate([at.target_margins, at.decoy_margins])
    scale = max(float(state.score.std()), 1e-9)
    return np.column_stack([state.features[chosen], np.minimum(margins / scale, 5.0)])


def _odds(state: _State) -> float:
    """Log-odds that a greedy pair of this problem is a match, whatever its evidence."""
    found = float(state.probability.sum())
    return float(np.log((found + HALF) / (len(state.probability) - found + HALF)))


def _decoy_weights(state: _State) -> Floats:
    """Decoys stand for the wrong ones among the greedy pairs, as many as there are."""
    sure = state.probability[state.contest.owner]
    wrong = len(state.probability) - float(state.probability.sum())
    return np.asarray(sure * wrong / max(float(sure.sum()), 1.0), dtype=np.float64)


def _settle(states: list[_State], start: Floats) -> Floats:
    """Coefficients at the fixed point of the model and the number of matches."""
    rows = [_rows(state) for state in states]
    every = np.concatenate(rows)
    step = max(1, len(every) // MOST_ROWS)
    sizes = [len(own) for own in rows]
    labels = np.concatenate(
        [
            np.repeat([1.0, 0.0], [len(part.probability), len(own) - len(part.probability)])
            for part, own in zip(states, rows, strict=True)
        ]
    )
    coefficients = start
    for _ in range(SETTLING):
        weights = np.concatenate(
            [np.concatenate([state.probability, _decoy_weights(state)]) for state in states]
        )
        offset = np.repeat([_odds(state) for state in states], sizes)
        coefficients = fit_logistic(
            every[::step],
            labels[::step],
            weights[::step],
            offset=offset[::step],
            ridge=RIDGE,
            start=coefficients if len(coefficients) else None,
        )
        moved = 0.0
        for state, own in zip(states, rows, strict=True):
            updated = sigmoid(_odds(state) + log_odds(own[: len(state.probability)], coefficients))
            moved = max(moved, float(np.abs(updated - state.probability).max(initial=0.0)))
            state.probability = updated
        if moved < TOLERANCE:
            break
    return coefficients
