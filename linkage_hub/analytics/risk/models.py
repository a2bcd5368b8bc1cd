"""A model of one outcome: an intercept and a number a column, no more.

Rules: a model can be read: each number is the change of the log odds by one column; its document is
canonical, so that its hash names it; a family's reasons are exactly the parts that its figure is
the sum of; a figure is for professional consideration and decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from governance.canonical import Frozen, Slug
from linkage_hub.analytics.risk.features import Features, Floats, names_of

Coefficient = Annotated[float, Field(ge=-50, le=50, allow_inf_nan=False)]


class NeedsModel(Frozen):
    """Needs that are met and needs that are unknown, each with what it adds to log odds.

    Attributes:
        coefficients: of needs that are met, then of those that are unknown.
    """

    needs: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=60)]
    coefficients: tuple[Coefficient, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(set(self.needs)) != len(self.needs):
            raise ValueError("needs: one twice")
        if len(self.coefficients) != 2 * len(self.needs):
            raise ValueError("coefficients: expected two a need, met and unknown")
        return self

    def added(self, families: Features) -> Floats:
        """What needs add to the log odds, float64 (f,).

        Raises:
            ValueError: the families' needs are others than the model's.
        """
        if families.needs != self.needs:
            raise ValueError("the model was made for other needs")
        return np.asarray(families.values @ np.array(self.coefficients))


class LinearModel(NeedsModel):
    """The log odds of the outcome are the intercept and what needs add."""

    kind: Literal["rule", "logistic", "private-logistic"]
    intercept: Coefficient

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return names_of(self.needs)

    def log_odds(self, families: Features) -> Floats:
        """Of the outcome, float64 (f,).

        Raises:
            ValueError: the families' needs are others than the model's.
        """
        return self.added(families) + self.intercept

    def probability(self, families: Features) -> Floats:
        """Of the outcome, float64 (f,)."""
        return logistic(self.log_odds(families))

    def parts(self, family: Features) -> list["Reason"]:
        """Every column of one family that adds to its log odds or takes from them, largest first.

        Args:
            family: one row.
        """
        (row,) = family.values
        adds = row * np.array(self.coefficients)
        order = np.argsort(-adds, kind="stable")
        return [Reason(self.names[at], float(adds[at])) for at in order if row[at]]

    def reasons(self, families: Features, most: int = 3) -> list[tuple["Reason", ...]]:
        """Of each family the columns that add most to its log odds, those that add something."""
        parts = families.values * np.array(self.coefficients)
        order = np.argsort(-parts, axis=1, kind="stable")[:, :most]
        return [
            tuple(Reason(self.names[at], float(row[at])) for at in best if row[at] > 0)
            for row, best in zip(parts, order, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Reason:
    """One column of a family and what it adds to the log odds."""

    column: str
    adds: float


def logistic(log_odds: Floats) -> Floats:
    """Probability of log odds."""
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def log_odds_of(probability: float) -> float:
    """Log odds of a probability between 0 and 1."""
    return float(np.log(probability / (1 - probability)))


def model_of(
    kind: Literal["rule", "logistic", "private-logistic"],
    needs: Sequence[str],
    intercept: float,
    coefficients: Floats,
) -> LinearModel:
    """A model of numbers, to six places: more would only tell of the arithmetic."""
    return LinearModel(
        kind=kind,
        needs=tuple(needs),
        intercept=round(float(intercept), 6),
        coefficients=tuple(round(float(each), 6) for each in coefficients),
    )


def ranked(scores: Floats, families: NDArray[np.object_], most: int) -> NDArray[np.int64]:
    """Rows of the highest scores, highest first, int64 (most,).

    Among equal scores the order is by pseudonym: many families have the same needs, and the list
    must be the same however the rows come.
    """
    return np.lexsort((families.astype(str), -scores))[:most].astype(np.int64)
