"""How often, of two families, the one that is expected to make progress sooner does.

Harrell's C (1982) over all pairs whose order is known: the one made progress while the other was
still watched without. Uno's C (Statistics in Medicine 30, 2011) weighs each pair by one over the
square of the chance of not being censored before, so that it does not hang on for how long families
happen to be watched. Equal expectations count a half; two that make progress in one month are no
pair; with delayed entry the other has to have been watched before.
"""

from typing import Final, Literal

import numpy as np

from linkage_hub.analytics.engagement.spells import Times
from linkage_hub.analytics.engagement.survival import Chance
from linkage_hub.analytics.outcomes.months import Ints
from linkage_hub.analytics.risk.features import Floats

Kind = Literal["harrell", "uno"]
DRAWS: Final = 100
"""Of the families, for an interval."""


def concordance(
    times: Times, scores: Floats, kind: Kind, most: int, weights: Ints | None = None
) -> float | None:
    """C over pairs whose earlier progress is within ``most`` months; None without a pair.

    Args:
        times: of families.
        scores: higher where progress is expected sooner, float64 (f,).
        kind: whose C.
        most: months.
        weights: how often each family counts, int64 (f,); once where it is None.
    """
    count = np.ones(len(times), dtype=np.int64) if weights is None else weights
    order = np.argsort(scores, kind="stable")
    score, count = scores[order], count[order]
    here = times.rows(order)
    free = _uncensored(here, count, most) if kind == "uno" else np.ones(most + 1)
    right = pairs = 0.0
    for month in np.unique(here.last[here.event & (here.last <= most) & (here.last > here.entry)]):
        case = here.event & (here.last == month) & (here.entry < month)
        other = (here.entry < month) & ((here.last > month) | ((here.last == month) & ~here.event))
        held = np.concatenate([[0], np.cumsum(count * other)])
        below = held[np.searchsorted(score, score[case], "left")]
        upto = held[np.searchsorted(score, score[case], "right")]
        weight = count[case] / free[month] ** 2
        right += float((weight * (below + 0.5 * (upto - below))).sum())
        pairs += float(weight.sum()) * float(held[-1])
    return right / pairs if pairs else None


def _uncensored(times: Times, count: Ints, most: int) -> Floats:
    """Chance of being watched until just before each month, float64 (most + 1,).

    Kaplan and Meier's curve of censoring; who makes progress in a month is not censored in it.
    """
    free = np.ones(most + 1)
    for month in range(1, most + 1):
        before = month - 1
        watched = (times.entry < before) & (times.last >= before)
        watched &= ~(times.event & (times.last == before))
        among = float(count[watched].sum())
        lost = float(count[watched & (times.last == before)].sum())
        free[month] = free[before] * (1 - lost / among if among else 1.0)
    return np.maximum(free, 1 / max(1.0, float(count.sum())))


def with_interval(times: Times, scores: Floats, kind: Kind, most: int, seed: int) -> Chance | None:
    """C with a 95 % interval over draws of the families (percentile bootstrap, seeded)."""
    value = concordance(times, scores, kind, most)
    if value is None:
        return None
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(DRAWS):
        weights = np.bincount(random.integers(0, len(times), len(times)), minlength=len(times))
        again = concordance(times, scores, kind, most, weights.astype(np.int64))
        if again is not None:
            drawn.append(again)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Chance(value, float(low), float(high))
