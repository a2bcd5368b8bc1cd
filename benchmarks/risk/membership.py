"""The membership attack against logistic regression with and without privacy."""

import itertools
from typing import Any, Final

import numpy as np

from benchmarks.risk.families import NEEDS, cohorts
from benchmarks.risk.models import DELTA
from linkage_hub.analytics.needs import MET
from linkage_hub.analytics.risk import logistic
from linkage_hub.analytics.risk.attack import MOST_AUC, MOST_TRUE_POSITIVES, Attack, Fit, attack
from linkage_hub.analytics.risk.features import features_of
from linkage_hub.analytics.risk.private.randomness import SeededRandomness
from linkage_hub.analytics.risk.private.training import Guarantee, train
from linkage_hub.analytics.risk.rule import PublicRule

RATE: Final = 0.05
MOST_FAMILIES: Final = 10_000
"""Larger cohorts are left out: eighty models each, and members hide the better among more."""


def attacks(sizes: list[int]) -> list[dict[str, Any]]:
    """Print and give how the attack goes, targets being families with the outcome."""
    print(
        f"\nmembership of families with the outcome ({RATE:.0%}): AUC, and members found at one in "
        f"a hundred wrongly; bounds {MOST_AUC} and {MOST_TRUE_POSITIVES:.0%}"
    )
    rows = []
    for families in (size for size in sizes if size <= MOST_FAMILIES):
        first, _ = cohorts(families, RATE, seed=1)
        features = features_of(NEEDS, first.state)
        needs = round(float((first.state == MET).mean(axis=0).sum()), 1)
        rule = PublicRule(needs=NEEDS, outcome_rate=RATE, mean_needs=needs)
        for name, fit in _ways(rule).items():
            random = np.random.default_rng(families)
            tried = attack(features, first.outcome, fit, random, shadows=64, fresh=32)
            rows.append(_row(families, name, tried))
            print("{families:>8,} {model:14} AUC {auc:.4f}, found {found:.2%} ({low:.2%} to "
                  "{high:.2%}) {word}".format(**rows[-1]), flush=True)  # fmt: skip
    return rows


def _ways(rule: PublicRule) -> dict[str, Fit]:
    def private(epsilon: float) -> Fit:
        seeds = itertools.count(1)
        return lambda families, outcome: (
            train(
                families, outcome, rule, Guarantee(epsilon, DELTA), SeededRandomness(next(seeds))
            ).model
        )

    return {"logistic": logistic.fit, **{f"private {each:g}": private(each) for each in (1, 8)}}


def _row(families: int, name: str, tried: Attack) -> dict[str, Any]:
    found = tried.true_positives
    return {
        "families": families,
        "model": name,
        "auc": tried.auc,
        "found": found.value,
        "low": found.low,
        "high": found.high,
        "word": "passes" if tried.holds else "does not pass",
    }
