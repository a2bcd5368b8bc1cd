"""How much may be told of the families of an agreement: its budget of privacy (ADR 39).

Rules: a budget is for a calendar year (UTC) and for all versions of an agreement together; models
that learn from families and tables with noise are paid from it, in whole millionths of epsilon and
trillionths of delta, so that every party adds up the same; an agreement without a budget allows
neither. ``MOST_EPSILON`` lies between what the membership attack passes and what it does not
(docs/risk.md): nobody can agree to more.
"""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from governance.canonical import Frozen

MICRO: Final = 1_000_000  # of an epsilon of 1
PICO: Final = 1_000_000_000_000  # of a delta of 1
LEAST_EPSILON: Final = 0.1
MOST_EPSILON: Final = 3.0
LEAST_DELTA: Final = 1e-6
MOST_DELTA: Final = 1e-5


class PrivacyBudget(Frozen):
    """What models and tables with noise of one calendar year may cost together.

    Attributes:
        epsilon, delta: of differential privacy, each cost added to the others'.
    """

    epsilon: Annotated[float, Field(ge=LEAST_EPSILON, le=MOST_EPSILON, allow_inf_nan=False)]
    delta: Annotated[float, Field(ge=LEAST_DELTA, le=MOST_DELTA, allow_inf_nan=False)]

    @property
    def epsilon_millionths(self) -> int:
        """Whole millionths, never more than was agreed."""
        return _whole(self.epsilon, MICRO)

    @property
    def delta_trillionths(self) -> int:
        """Whole trillionths, likewise."""
        return _whole(self.delta, PICO)

    @property
    def words(self) -> str:
        """For people: ``epsilon 1 and delta 0.00001``."""
        return f"epsilon {self.epsilon:g} and delta {Decimal(repr(self.delta)).normalize():f}"


def _whole(number: float, unit: int) -> int:
    """By the digits that are written in the agreement, not by binary fractions."""
    return int(Decimal(repr(number)) * unit)
