"""How strong something that nobody measured would have to be to make up what is seen.

Two bounds. The E-value (VanderWeele and Ding 2017): on the scale of ratios of shares, something
that goes with being helped and with progress by less than that cannot make up the whole ratio.
Rosenbaum's gamma (2002): how many times likelier of two matched families the one may have been to
be helped, before McNemar's test no longer says that they fared differently (one-sided, .025).
"""

from typing import Final

from scipy.stats import binom

_LEVEL: Final = 0.025
_MOST: Final = 100.0
_EXACT: Final = 1e-4


def e_value(ratio: float) -> float:
    """Of a ratio of shares; 1 where it is 1. A ratio below 1 is turned round."""
    above = ratio if ratio >= 1 else (1 / ratio if ratio > 0 else float("inf"))
    return float(above + (above * (above - 1)) ** 0.5)


def e_value_of_limit(low: float, high: float) -> float:
    """Of the end of an interval that is nearer to 1; 1 where it holds 1."""
    if low <= 1 <= high:
        return 1.0
    return e_value(low if low > 1 else high)


def gamma(one: int, other: int) -> float:
    """Rosenbaum's, of pairs that did not fare alike; 1 where the test says nothing even at 1."""
    more, pairs = max(one, other), one + other
    if pairs == 0 or _bound(more, pairs, 1.0) > _LEVEL:
        return 1.0
    low, high = 1.0, _MOST
    if _bound(more, pairs, high) <= _LEVEL:
        return high
    while high - low > _EXACT:
        middle = (low + high) / 2
        low, high = (middle, high) if _bound(more, pairs, middle) <= _LEVEL else (low, middle)
    return low


def _bound(more: int, pairs: int, times: float) -> float:
    """The highest that the chance of so many pairs or more can be."""
    return float(binom.sf(more - 1, pairs, times / (1 + times)))
