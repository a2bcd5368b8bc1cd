"""What training costs in privacy, by two accountants.

Rules: the cost is the higher of what Opacus (privacy loss random variables, Gopi et al. 2021) and
dp-accounting (privacy loss distributions, Google) say; if they differ by more than ``AGREE``
nothing is trained. Neighbours differ by one family more or less. How many families there are is
taken as known: it is published.
"""

import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import dp_accounting
from dp_accounting.pld import PLDAccountant
from opacus.accountants import PRVAccountant
from scipy.special import log_ndtr, ndtr

from linkage_hub.analytics.risk.errors import AccountantsDiffer

AGREE: Final = 0.02
"""The most that the accountants' epsilon may differ by (issue E)."""
_EXACT: Final = 1.0001
"""Ratio at which the search for the least noise ends."""
_STEP: Final = 1.005
_LEAST, _MOST = 0.05, 1_000.0  # noise of one sum


@dataclass(frozen=True, slots=True)
class Cost:
    """What a mechanism costs at one delta, by both accountants."""

    opacus: float
    dp_accounting: float

    @property
    def epsilon(self) -> float:
        """The higher."""
        return max(self.opacus, self.dp_accounting)


@lru_cache
def cost_of(noise: float, steps: int, delta: float) -> Cost:
    """Of adding normal noise to a sum over all families, so many times.

    Args:
        noise: standard deviation over the most that one family can change the sum by.
        steps: times.
        delta: of the guarantee.

    Raises:
        AccountantsDiffer: they do not say the same.
    """
    found = Cost(_opacus(noise, steps, delta), _dp_accounting(noise, steps, delta))
    if abs(found.opacus - found.dp_accounting) > AGREE:
        raise AccountantsDiffer("the two accountants of privacy do not agree; nothing was trained")
    return found


@lru_cache
def noise_for(epsilon: float, delta: float, steps: int) -> float:
    """The least noise whose cost is no more than ``epsilon``, to half a hundredth.

    So many sums with normal noise are one with less (Balle and Wang 2018, theorem 8, gives its
    delta exactly), which is where the search begins; the accountants have the last word.
    """
    low, high = _LEAST, _MOST
    while high / low > _EXACT:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if _delta_of(middle, epsilon) > delta else (low, middle)
    noise = high * steps**0.5
    while cost_of(noise, steps, delta).epsilon > epsilon:
        noise *= _STEP
    return float(noise)


def _delta_of(noise: float, epsilon: float) -> float:
    """Delta of one sum with normal noise at an epsilon."""
    one, other = 0.5 / noise - epsilon * noise, -0.5 / noise - epsilon * noise
    return float(ndtr(one)) - math.exp(epsilon + float(log_ndtr(other)))


def _opacus(noise: float, steps: int, delta: float) -> float:
    accountant = PRVAccountant()
    accountant.history = [(noise, 1.0, steps)]
    with warnings.catch_warnings():
        # of Renyi orders, which choose how wide a domain is and not what comes out, and of log(0)
        warnings.simplefilter("ignore")
        return float(accountant.get_epsilon(delta))


def _dp_accounting(noise: float, steps: int, delta: float) -> float:
    accountant = PLDAccountant()
    each = dp_accounting.GaussianDpEvent(noise)
    accountant.compose(dp_accounting.SelfComposedDpEvent(each, steps))
    return float(accountant.get_epsilon(delta))
