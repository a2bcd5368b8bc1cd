"""The membership attack against logistic regression with and without privacy.

By itself: ``python -m benchmarks.risk.membership --families 100000 --epsilon 1 --shadows 128
--fresh 128``, for cohorts that ``make bench-risk`` leaves out.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.risk.families import NEEDS, cohorts
from benchmarks.risk.models import DELTA
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.risk import logistic
from linkage_hub.analytics.risk.attack import MOST_AUC, MOST_TRUE_POSITIVES, Attack, Fit, attack
from linkage_hub.analytics.risk.features import Features, features_of
from linkage_hub.analytics.risk.private.randomness import SeededRandomness
from linkage_hub.analytics.risk.private.training import Guarantee, train
from linkage_hub.analytics.risk.rule import PublicRule

RATE: Final = 0.05
MOST_FAMILIES: Final = 10_000
"""Larger cohorts are left out of ``make bench-risk``: a hundred models each, for half an hour."""
SHADOWS: Final = 64
FRESH: Final = 32


def main() -> int:
    """Attack private models of one size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=MOST_FAMILIES)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--shadows", type=int, default=SHADOWS)
    parser.add_argument("--fresh", type=int, default=FRESH)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    begun = time.perf_counter()
    name = f"private {chosen.epsilon:g}"
    _attacked(chosen.families, [name], chosen.shadows, chosen.fresh)
    print(f"{chosen.shadows} + {chosen.fresh} models, {time.perf_counter() - begun:,.0f} s")
    return 0


def attacks(sizes: list[int]) -> list[dict[str, Any]]:
    """Print and give how the attack goes, targets being families with the outcome."""
    print(
        f"\nmembership of families with the outcome ({RATE:.0%}): AUC, and members found at one in "
        f"a hundred wrongly; bounds {MOST_AUC} and {MOST_TRUE_POSITIVES:.0%}"
    )
    names = ["logistic", *(f"private {each:g}" for each in (1, 8))]
    small = [size for size in sizes if size <= MOST_FAMILIES]
    return [row for size in small for row in _attacked(size, names, SHADOWS, FRESH)]


def _attacked(families: int, names: list[str], shadows: int, fresh: int) -> list[dict[str, Any]]:
    first, _ = cohorts(families, RATE, seed=1)
    features = features_of(NEEDS, first.state)
    needs, unknown = (
        round(float((first.state == code).mean(axis=0).sum()), 1) for code in (MET, UNKNOWN)
    )
    rule = PublicRule(needs=NEEDS, outcome_rate=RATE, mean_needs=needs, mean_unknown=unknown)
    return attacked(features, first.outcome, rule, names, shadows, fresh)


def attacked(
    families: Features,
    outcome: NDArray[np.bool_],
    rule: PublicRule,
    names: Sequence[str],
    shadows: int = SHADOWS,
    fresh: int = FRESH,
) -> list[dict[str, Any]]:
    """Print and give how the attack on each way of training on some families goes."""
    rows = []
    for name in names:
        random = np.random.default_rng(len(families))
        tried = attack(families, outcome, _fit(name, rule), random, shadows=shadows, fresh=fresh)
        rows.append(_row(len(families), name, tried))
        print("{families:>8,} {model:14} AUC {auc:.4f} (to {auc_high:.4f}), found {found:.2%} "
              "({low:.2%} to {high:.2%}) {word}".format(**rows[-1]), flush=True)  # fmt: skip
    return rows


def _fit(name: str, rule: PublicRule) -> Fit:
    """A way of training: ``logistic``, or ``private`` and its epsilon."""
    if name == "logistic":
        return logistic.fit
    guarantee = Guarantee(float(name.removeprefix("private ")), DELTA)
    seeds = itertools.count(1)
    return lambda families, outcome: (
        train(families, outcome, rule, guarantee, SeededRandomness(next(seeds))).model
    )


def _row(families: int, name: str, tried: Attack) -> dict[str, Any]:
    found = tried.true_positives
    return {
        "families": families,
        "model": name,
        "auc": tried.auc,
        "auc_high": tried.auc_high,
        "found": found.value,
        "low": found.low,
        "high": found.high,
        "word": "passes" if tried.holds else "does not pass",
    }


if __name__ == "__main__":
    sys.exit(main())
