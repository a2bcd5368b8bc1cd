"""Where noise comes from.

Rules: noise over people's data comes from the operating system's generator and from nothing else;
a seeded generator is for synthetic families (benchmarks, tests). Opacus' own secure mode needs
torchcsprng, which is not kept up and cannot be installed beside its torch; torch's generator is a
Mersenne twister, whose later noise can be told from earlier. A model has tens of numbers, so the
noise is drawn here, slowly and well.

A normal number in floating point gives away its low bits what it was added to; the sum of four,
over the square root of four, does not within reach (Holohan and Braghin 2021, arXiv 2107.10138,
section 5.1, n = 2, as Opacus' secure mode does).
"""

from secrets import SystemRandom
from typing import Final, Protocol

import numpy as np

from linkage_hub.analytics.risk.features import Floats

_SUMMED: Final = 4


class Randomness(Protocol):
    """A source of standard normal numbers."""

    def normal(self, count: int) -> Floats:
        """Independent standard normal numbers, float64 (count,)."""


class SystemRandomness:
    """The operating system's generator (getrandom), 53 bits a uniform number."""

    def __init__(self) -> None:
        self._random = SystemRandom()

    def normal(self, count: int) -> Floats:
        """Independent standard normal numbers, float64 (count,)."""
        drawn = [self._random.normalvariate() for _ in range(count * _SUMMED)]
        return np.asarray(np.array(drawn).reshape(count, _SUMMED).sum(axis=1) / _SUMMED**0.5)


class SeededRandomness:
    """The same numbers for the same seed: over synthetic families alone."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def normal(self, count: int) -> Floats:
        """Independent standard normal numbers, float64 (count,)."""
        return self._random.standard_normal(count)
