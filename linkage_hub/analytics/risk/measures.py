"""How good a figure is: measured on families of a later time than it was learnt from.

Rules: whatever is measured over a list comes with its interval; a measure that does not exist (no
outcome, nobody in a group) is None and never 0; everything is shown beside the same measure of the
rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from linkage_hub.analytics.risk.features import Floats

Bools = NDArray[np.bool_]
Z95: Final = 1.959964
_LEAST: Final = 1e-6  # probabilities are kept off 0 and 1 where their log odds are taken


@dataclass(frozen=True, slots=True)
class Share:
    """A share of families with its 95 % interval (Wilson 1927)."""

    of: int
    among: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share."""
        return self.of / self.among


def share(of: int, among: int) -> Share | None:
    """``of`` among ``among``; None among none."""
    if among == 0:
        return None
    p, z = of / among, Z95
    middle = (p + z**2 / (2 * among)) / (1 + z**2 / among)
    half = z * np.sqrt(p * (1 - p) / among + z**2 / (4 * among**2)) / (1 + z**2 / among)
    return Share(of, among, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def auc(scores: Floats, outcome: Bools) -> float | None:
    """How often a family with the outcome scores higher than one without; ties count a half."""
    held = int(outcome.sum())
    if held in {0, len(outcome)}:
        return None
    ranks = rankdata(scores)
    return float((ranks[outcome].sum() - held * (held + 1) / 2) / (held * (len(outcome) - held)))


@dataclass(frozen=True, slots=True)
class AtListSize:
    """A list of so many families: how many have the outcome, and what share of all who have it."""

    precision: Share | None
    recall: Share | None


def at_list_size(listed: NDArray[np.int64], outcome: Bools) -> AtListSize:
    """Of the families of a list, rows as ``ranked`` gives them."""
    hit = int(outcome[listed].sum())
    return AtListSize(share(hit, len(listed)), share(hit, int(outcome.sum())))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether predicted risk is what comes.

    Attributes:
        observed_to_expected: outcomes over the sum of probabilities; 1 is right.
        slope: of the log odds in a logistic regression of the outcome on them; 1 is right, less is
            too sure (Cox 1958).
    """

    observed_to_expected: float
    slope: float


def calibration(probability: Floats, outcome: Bools) -> Calibration | None:
    """Of probabilities; None where everybody or nobody has the outcome."""
    if outcome.all() or not outcome.any():
        return None
    kept = np.clip(probability, _LEAST, 1 - _LEAST)
    log_odds = np.log(kept / (1 - kept)).reshape(-1, 1)
    fitted = LogisticRegression(C=np.inf, max_iter=1_000).fit(log_odds, outcome)
    return Calibration(float(outcome.sum() / probability.sum()), float(fitted.coef_[0, 0]))


def net_benefit(probability: Floats, outcome: Bools, threshold: float) -> float:
    """Families rightly chosen less those wrongly, by the odds of the threshold, a family.

    Vickers and Elkin 2006. Choosing nobody is 0.
    """
    chosen = probability >= threshold
    right = (chosen & outcome).sum() / len(outcome)
    wrong = (chosen & ~outcome).sum() / len(outcome)
    return float(right - wrong * threshold / (1 - threshold))


@dataclass(frozen=True, slots=True)
class GroupError:
    """What a list and its probabilities do to one group.

    Attributes:
        families, with_outcome: how many.
        listed: share of the group that is listed.
        found: share of those with the outcome that is listed.
        wrongly: share of those without it that is listed.
        observed_to_expected: None without a family.
    """

    families: int
    with_outcome: int
    listed: Share | None
    found: Share | None
    wrongly: Share | None
    observed_to_expected: float | None


def group_errors(
    group: NDArray[np.int64], listed: Bools, probability: Floats, outcome: Bools
) -> dict[int, GroupError]:
    """By group, whose numbers models have never seen.

    Rates are fairlearn's (``MetricFrame``), over families that are alike in group, list and outcome
    with how many they are as weights: it takes families one by one, which is seconds for a county.
    """
    from fairlearn.metrics import (  # noqa: PLC0415 - a command that lists has no need of it
        MetricFrame,
        false_positive_rate,
        mean_prediction,
        selection_rate,
        true_positive_rate,
    )

    if not len(group):
        return {}
    table = pd.DataFrame({"group": group, "listed": listed, "outcome": outcome, "p": probability})
    alike = table.groupby(["group", "listed", "outcome"])["p"].agg(["size", "mean"]).reset_index()
    truth, weight = alike["outcome"].astype(np.int64), alike["size"]
    metrics = {"listed": selection_rate, "found": true_positive_rate,
               "wrongly": false_positive_rate}  # fmt: skip
    rates = MetricFrame(
        metrics=metrics,
        y_true=truth,
        y_pred=alike["listed"].astype(np.int64),
        sensitive_features=alike["group"],
        sample_params={name: {"sample_weight": weight} for name in metrics},
    ).by_group
    expected, held = (
        MetricFrame(
            metrics=mean_prediction,
            y_true=truth,
            y_pred=each,
            sensitive_features=alike["group"],
            sample_params={"sample_weight": weight},
        ).by_group
        for each in (alike["mean"], truth)
    )
    return {
        int(number): _group_error(int(many), rates.loc[number], held[number], expected[number])
        for number, many in zip(*np.unique(group, return_counts=True), strict=True)
    }


def _group_error(
    families: int, rates: Mapping[str, float], held: float, expected: float
) -> GroupError:
    """From rates and how many families they are of; there is none where there is nobody."""
    with_outcome = round(families * held)
    foreseen = families * expected

    def of(rate: str, among: int) -> Share | None:
        return share(round(float(rates[rate]) * among), among) if among else None

    return GroupError(
        families,
        with_outcome,
        of("listed", families),
        of("found", with_outcome),
        of("wrongly", families - with_outcome),
        with_outcome / foreseen if foreseen else None,
    )


def overlap(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Share of a list that is in another of the same length."""
    return len(np.intersect1d(one, other)) / len(one)
