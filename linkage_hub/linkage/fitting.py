"""Probabilities of a match without truth, for many pairs of sources together.

In order (docs/adr/0011-persons.md argues it):
1. The evidence of a pair by itself: a logistic model of greedy pairs against all other candidates,
   one model for all pairs of sources, so that relatives who stand out between two sources with no
   person in common are known from the others; what each pair of sources has of its own is how
   many matches it holds. Pairs without a chance are out: a best choice among noise would
   otherwise pass for better than a second choice among noise.
2. Each pair of sources is a competition (``competition``): greedy pairs are the possible matches,
   and what each matched record would have had instead are its decoys.
3. Decoys stand for the wrong pairs among the possible matches. A logistic model of the evidence
   and of the margins over each side's second choice tells the two apart; its probabilities say
   how many are wrong; iterate to a fixed point.
4. The model's evidence is a better score than the one that the competition began with: repeat.
5. ``cautious``: what a competition adds to a pair's own evidence is believed as far as the two
   sources have matches to show it by.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.competition import NO_CONTEST, Competition, compete
from linkage_hub.linkage.cores import on_all_cores
from linkage_hub.linkage.logistic import fit_logistic, log_odds, sigmoid
from linkage_hub.linkage.scoring import Evidence

ROUNDS = 5  # competitions
ALONE_ROUNDS = 3  # refits of the evidence alone
CHANCE = 1e-7  # probability by its own evidence below which a pair does not compete: noise
SETTLING = 12  # refits within one competition
TOLERANCE = 1e-3  # largest change of a probability that still counts as movement
LIKELY, UNLIKELY = 0.9, 0.01  # probabilities that the iteration starts from
RIDGE = 0.1
LEAST = 1e-12  # distance of a probability from 0 and 1, so that odds stay finite
HALF = 0.5  # a match and a wrong pair more than were seen, halved, so that odds stay finite
Scale = tuple[Floats, Floats]
SHOWN = 30.0  # matches of two sources at which half of what their competition adds is believed
MOST_ROWS = 80_000  # of one fit; more are thinned evenly


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
        coefficients: of the features, intercept first, float64 (d + 1,).
        offset: log-odds of a candidate pair of each problem, float64 (problems,).
    """

    coefficients: Floats
    offset: Floats

    def chance(self, evidence: Evidence, offset: float) -> Floats:
        """Probability of a match by the evidence alone, float64 (m,)."""
        slopes = self.coefficients[1:].astype(np.float32)
        return sigmoid(
            (evidence.features @ slopes).astype(np.float64) + self.coefficients[0] + offset
        )

    def chances(self, problems: Sequence[Problem]) -> list[Floats]:
        """The same for every problem."""
        return [
            self.chance(problem.evidence, float(own))
            for problem, own in zip(problems, self.offset, strict=True)
        ]


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
    alone: Floats = field(default_factory=lambda: np.empty(0))


def fit_problems(problems: Sequence[Problem]) -> Fitted:
    """Fit the model to the candidate pairs of several pairs of sources."""
    alive = [each for each in problems if len(each.left)]
    if not alive:
        return Fitted([np.zeros(0) for _ in problems], None)
    scale = _scale(alive)
    found = first_guesses(problems)
    if not any(each.any() for each in found):
        return Fitted(found, None)
    for _ in range(ALONE_ROUNDS):
        model = _alone(problems, found, scale)
        chance = model.chances(problems)
        found = [np.where(each > 0, own, 0.0) for each, own in zip(found, chance, strict=True)]
    kept = [np.flatnonzero(each >= CHANCE) for each in chance]
    rivals = list(
        on_all_cores(
            lambda problem, own, likely: _narrowed(problem, own, likely, scale),
            problems,
            kept,
            chance,
        )
    )
    _fit([state for state in rivals if len(state.score)])
    for whole, own, state in zip(found, kept, rivals, strict=True):
        whole[:] = 0.0
        whole[own[state.contest.targets]] = state.probability
    return Fitted(found, _alone(problems, found, scale))


def cautious(problems: Sequence[Problem], fitted: Fitted) -> Fitted:
    """Between sources with few matches, a pair is hardly likelier than by its evidence alone.

    Where a record has few candidates, a stranger easily wins and by a wide margin, and the few
    matches have too few decoys to show how often. So of the log-odds that a competition adds
    the share ``m / (m + SHOWN)`` is kept, m matches expected; what it takes away stands.
    """
    if fitted.model is None:
        return fitted
    found = []
    for probability, alone in zip(fitted.probability, fitted.model.chances(problems), strict=True):
        competing = np.flatnonzero(probability > 0)
        full, own = probability[competing], alone[competing]
        matches = float(np.minimum(full, own).sum())
        added = np.maximum(_logit(full) - _logit(own), 0.0)
        drawn = probability.copy()
        drawn[competing] = sigmoid(_logit(full) - added * SHOWN / (matches + SHOWN))
        found.append(drawn)
    return Fitted(found, fitted.model)


def _logit(probability: Floats) -> Floats:
    inside = np.clip(probability, LEAST, 1.0 - LEAST)
    return np.asarray(np.log(inside / (1.0 - inside)), dtype=np.float64)


def first_guesses(problems: Sequence[Problem]) -> list[Floats]:
    """Greedy pairs; those in the upper half of all scores are probably matches.

    The upper half over all sources: the best of two sources with nobody in common is no match.
    Where even the best pair looks like a stranger's, nobody is one.
    """
    starts = [each.evidence.start.astype(np.float64) for each in problems]
    contests = list(
        on_all_cores(
            lambda start, each: compete(start, each.left, each.right, each.sizes), starts, problems
        )
    )
    found = [np.zeros(len(start)) for start in starts]
    every = np.concatenate(starts)
    if every.max() <= max(each.evidence.least for each in problems):
        return found
    middle = min(_middle(problems, starts), max(each.evidence.sure for each in problems))
    for guess, start, contest in zip(found, starts, contests, strict=True):
        sure = (start[contest.targets] >= middle) & (contest.target_margins[:, 0] > 0)
        guess[contest.targets] = np.where(sure, LIKELY, UNLIKELY)
    return found


def _middle(problems: Sequence[Problem], starts: Sequence[Floats]) -> float:
    """Half-way between the least and the best score, each of the pair of sources in the middle.

    A partner can make pairs of its own sources score beyond all others. With m of n sources it has
    m (m - 1) of n (n - 1) pairs of sources by itself: while that is less than half, no median
    follows them, however far they lie. Where even the best looks like a stranger's, two sources
    have nobody in common, and no say in what the best is.
    """
    held = [(each, start) for each, start in zip(problems, starts, strict=True) if len(start)]
    least = np.median([start.min() for _, start in held])
    best = np.median([start.max() for each, start in held if start.max() > each.evidence.least])
    return float(least + best) / 2.0


def _narrowed(problem: Problem, kept: Indices, chance: Floats, scale: Scale) -> _State:
    """The problem with some of its pairs."""
    evidence = problem.evidence.where(kept)
    narrow = Problem(evidence, problem.left[kept], problem.right[kept], problem.sizes)
    features = (evidence.features - scale[0]) / scale[1]
    return _State(narrow, features, evidence.start.astype(np.float64), alone=chance[kept])


def _alone(problems: Sequence[Problem], probability: list[Floats], scale: Scale) -> PairModel:
    """Matches against all other candidates, by evidence alone."""
    offset = np.array(
        [np.log((each.sum() + HALF) / (len(each) - each.sum() + HALF)) for each in probability]
    )
    step = max(1, sum(len(each) for each in probability) // MOST_ROWS)
    rows, labels, weights, known = [], [], [], []
    for problem, likely, own in zip(problems, probability, offset, strict=True):
        match = np.flatnonzero(likely >= UNLIKELY)
        rest = np.setdiff1d(np.arange(0, len(likely), step), match)
        for at, label, weight in (
            (match, 1.0, likely[match]),
            (match, 0.0, 1.0 - likely[match]),
            (rest, 0.0, step * (1.0 - likely[rest])),
        ):
            rows.append(problem.evidence.features[at])
            labels.append(np.full(len(at), label))
            weights.append(weight)
            known.append(np.full(len(at), own))
    coefficients = fit_logistic(
        (np.concatenate(rows) - scale[0]) / scale[1],
        np.concatenate(labels),
        np.concatenate(weights),
        offset=np.concatenate(known),
        ridge=RIDGE,
        rising=len(scale[0]) == 1,
    )
    slopes = coefficients[1:] / scale[1]
    intercept = coefficients[0] - float(slopes @ scale[0])
    return PairModel(np.concatenate([[intercept], slopes]), offset)


def _scale(problems: Sequence[Problem]) -> Scale:
    """Mean and standard deviation of the features."""
    step = max(1, sum(len(each.left) for each in problems) // MOST_ROWS)
    every = np.concatenate([each.evidence.features[::step] for each in problems])
    wide = every.astype(np.float64)
    return wide.mean(axis=0), np.maximum(wide.std(axis=0), 1e-9)


def _fit(states: list[_State]) -> None:
    if not states:
        return
    coefficients = np.empty(0)
    for turn in range(ROUNDS):
        for _ in on_all_cores(lambda state, turn=turn: _compete(state, turn), states):
            pass
        coefficients = _settle(states, coefficients)
        for state in states:
            state.coefficients = coefficients
            state.odds = _odds(state)
            evidence = coefficients[: state.features.shape[1] + 1]
            state.score = log_odds(state.features, evidence)


def _compete(state: _State, turn: int) -> None:
    problem = state.problem
    state.contest = compete(state.score, problem.left, problem.right, problem.sizes)
    targets = state.contest.targets
    if turn == 0:  # from below: of several fixed points the one with the fewest matches
        state.probability = np.minimum(state.alone[targets], LIKELY)
    else:
        odds = log_odds(_rows(state)[: len(targets)], state.coefficients)
        state.probability = sigmoid(state.odds + odds)


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
    # A decoy that its evidence takes for a match is rather a duplicate that was not recognised.
    wrong_indeed = 1.0 - state.alone[state.contest.decoys]
    sure = state.probability[state.contest.owner] * wrong_indeed
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
            rising=states[0].features.shape[1] == 1,
        )
        moved = 0.0
        for state, own in zip(states, rows, strict=True):
            updated = sigmoid(_odds(state) + log_odds(own[: len(state.probability)], coefficients))
            moved = max(moved, float(np.abs(updated - state.probability).max(initial=0.0)))
            state.probability = updated
        if moved < TOLERANCE:
            break
    return coefficients
