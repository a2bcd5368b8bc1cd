"""Shares with intervals.

``wilson`` is E. B. Wilson's score interval (JASA 22, 1927, 209-212) for observed shares, over an
effective number of observations where they come in clusters. ``Logit`` carries a share on the
log-odds scale, where corrections add up and no interval leaves 0 to 1.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Z: Final = 1.959964  # of the normal distribution, for 95 %
TAIL: Final = 0.025  # probability left beyond each end


@dataclass(frozen=True, slots=True)
class Interval:
    """A share and where it lies with 95 % confidence, all 0 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Observed:
    """An observed share.

    Attributes:
        interval: of it.
        observations: effective number behind it; 0 where nothing was observed.
    """

    interval: Interval
    observations: float


@dataclass(frozen=True, slots=True)
class Logit:
    """A share on the log-odds scale, and the variance of that.

    Attributes:
        against: how many independent errors it stands for, where it is of things that can be
            counted: with few of them there may well be none, and the share be 1.
    """

    value: float
    variance: float
    against: float = math.inf

    def plus(self, other: "Logit") -> "Logit":
        """The sum with an independent correction."""
        changed = self.against * math.exp(-max(-50.0, min(50.0, other.value)))
        return Logit(self.value + other.value, self.variance + other.variance, changed)

    def interval(self) -> Interval:
        """The share again; its upper end is 1 where no error at all is not unlikely."""
        spread = Z * math.sqrt(self.variance)
        none = math.exp(-self.against) >= TAIL
        return Interval(
            expit(self.value),
            expit(self.value - spread),
            1.0 if none else expit(self.value + spread),
        )


def expit(value: float) -> float:
    """1 / (1 + exp(-value)), without overflow."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-min(value, 700.0)))
    odds = math.exp(max(value, -700.0))
    return odds / (1.0 + odds)


def wilson(share: float, observations: float) -> Interval:
    """Wilson's interval of an observed share.

    Args:
        share: 0 to 1.
        observations: how many, or the effective number where they come in clusters.
    """
    if observations <= 0:
        return Interval(share, 0.0, 1.0)
    square = Z * Z / observations
    middle = (share + square / 2.0) / (1.0 + square)
    half = (
        Z
        / (1.0 + square)
        * math.sqrt(share * (1.0 - share) / observations + square / (4.0 * observations))
    )
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def clustered(
    right: NDArray[np.float64], all_: NDArray[np.float64], cluster: NDArray[np.int64]
) -> Observed:
    """A share whose observations come in clusters.

    The effective number follows from the share's variance by clusters (ratio estimator: Cochran,
    Sampling Techniques, 1977, 6.3); where every observation agrees it is the number of clusters.

    Args:
        right: how much of each observation counts as right, float64 (n,).
        all_: how much it counts at all, float64 (n,).
        cluster: observations of one number stand or fall together, int64 (n,).
    """
    total = float(all_.sum())
    if total <= 0:
        return Observed(Interval(0.0, 0.0, 1.0), 0.0)
    _, number = np.unique(cluster, return_inverse=True)
    of_right, of_all = np.bincount(number, right), np.bincount(number, all_)
    share = float(of_right.sum()) / total
    variance = float(((of_right - share * of_all) ** 2).sum()) / total**2
    clusters = float((of_all > 0).sum())
    effective = share * (1.0 - share) / variance if variance > 0 else clusters
    effective = min(effective, total)
    return Observed(wilson(share, effective), effective)
