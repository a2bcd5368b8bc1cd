"""What a model sees of a family: its needs as columns.

Rules: each need has two columns, one where it is met and one where nobody knows; unmet is neither,
and unknown is never counted as unmet (invariant of the analytics, ADR 37); columns hold 0 or 1, so
that a family's row has a length that is known beforehand; nothing else of a family is seen, no
area, no age, no name of a source.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.analytics.needs import MET, UNKNOWN

Floats = NDArray[np.float64]
MET_COLUMN: Final = "met"
UNKNOWN_COLUMN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Features:
    """Families as a model sees them.

    Attributes:
        needs: ids, k of them.
        values: 0 or 1, float64 (f, 2k): which needs are met, then which are unknown.
    """

    needs: tuple[str, ...]
    values: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """One a column, such as ``debt:unknown``."""
        return names_of(self.needs)

    @property
    def met(self) -> Floats:
        """Needs that are met, float64 (f, k)."""
        return self.values[:, : len(self.needs)]

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> "Features":
        """Some of the families."""
        return Features(self.needs, self.values[at])


def names_of(needs: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns of these needs."""
    return tuple(f"{need}:{state}" for state in (MET_COLUMN, UNKNOWN_COLUMN) for need in needs)


def longest(needs: int) -> float:
    """The most that a row with its intercept can be long: a need is met or unknown, not both."""
    return math.sqrt(1 + needs)


def features_of(needs: Sequence[str], state: NDArray[np.int8]) -> Features:
    """Families' needs as columns.

    Args:
        needs: ids of indicators, or of a catalogue's needs.
        state: int8 (f, k), codes of ``STATES``.
    """
    if state.shape[1] != len(needs):
        raise ValueError("a column a need")
    values = np.concatenate([state == MET, state == UNKNOWN], axis=1).astype(np.float64)
    return Features(tuple(needs), values)
