"""A model of progress in discrete time: the chance of it in a month, if it has not come before.

Rules: the log odds of progress in a month are a level for the time since joining (``BANDS``) and a
number a column of needs, met and unknown (unmet is neither); nothing else of a family is seen. What
comes out is a sum that can be read; a family's reasons are exactly its parts, less the average
family's. Families that are not watched any more count for the months in which they were.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from sklearn.linear_model import LogisticRegression

from governance.canonical import Frozen, Slug
from linkage_hub.analytics.engagement.spells import Spells, Times
from linkage_hub.analytics.needs import STATES
from linkage_hub.analytics.risk.features import Features, Floats
from linkage_hub.analytics.risk.models import (
    Coefficient,
    NeedsModel,
    Reason,
    log_odds_of,
    logistic,
)
from linkage_hub.analytics.risk.rule import Weight

BANDS: Final = (3, 6, 12, 18)
"""Ends of times since joining that have a level of their own, months; later is the last."""
LEVELS: Final = len(BANDS) + 1
YEAR: Final = 12
SLOPE: Final = 0.2
"""Log odds of progress in a month that a need takes away, before anything is learnt."""


class HazardModel(NeedsModel):
    """What a family's log odds of progress in a month are the sum of: a level and what needs add.

    Attributes:
        levels: of each band.
    """

    kind: Literal["rule", "hazard", "private-hazard"]
    levels: Annotated[tuple[Coefficient, ...], Field(min_length=LEVELS, max_length=LEVELS)]

    def still(self, families: Features, months: int) -> Floats:
        """Share without progress after so many months, float64 (f,)."""
        odds = self.added(families)[:, None] + np.array(self.levels)
        return np.asarray(np.prod((1 - logistic(odds)) ** _lengths(0, months), axis=1))

    def chance(self, families: Features, months: int) -> Floats:
        """Of progress by so many months, float64 (f,)."""
        return 1 - self.still(families, months)

    def reasons(self, families: Features, most: int = 3) -> list[tuple[Reason, ...]]:
        """Of each family the needs that make progress likelier than the average family's do."""
        k = len(self.needs)
        parts = (families.values - families.values.mean(axis=0)) * np.array(self.coefficients)
        by_need = parts[:, :k] + parts[:, k:]
        code = np.where(families.met > 0, 2, np.where(families.values[:, k:] > 0, 0, 1))
        order = np.argsort(-by_need, axis=1, kind="stable")[:, :most]
        return [
            tuple(
                Reason(f"{self.needs[at]}:{STATES[int(said[at])]}", float(row[at]))
                for at in best
                if row[at] > 0
            )
            for row, said, best in zip(by_need, code, order, strict=True)
        ]


class ProgressRule(Frozen):
    """What is declared before anybody looks at outcomes.

    Attributes:
        needs: ids, in the order of the columns.
        weights: of needs whose weight is not 1.
        chance_in_a_year: of progress within twelve months, as published or expected.
        mean_needs: needs met when a family joins, as published or expected.
        mean_unknown: needs that nobody knows of then, likewise.
        slope: log odds that a need of weight 1 takes away.
    """

    needs: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=60)]
    weights: Mapping[Slug, Weight] = Field(default_factory=dict)
    chance_in_a_year: Annotated[float, Field(ge=0.02, le=0.98)]
    mean_needs: Annotated[float, Field(ge=0, le=60)]
    mean_unknown: Annotated[float, Field(ge=0, le=60)]
    slope: Annotated[float, Field(ge=0, le=2)] = SLOPE

    @model_validator(mode="after")
    def _known(self) -> Self:
        if set(self.weights) - set(self.needs):
            raise ValueError("weights: a need that is not one of needs")
        if self.mean_unknown > len(self.needs):
            raise ValueError("mean_unknown: more needs than there are")
        return self

    @property
    def monthly(self) -> float:
        """Chance of progress in a month."""
        return float(1 - (1 - self.chance_in_a_year) ** (1 / YEAR))

    def as_model(self) -> HazardModel:
        """The rule as a model: what a private one starts from."""
        weights = np.array([self.weights.get(need, 1.0) for need in self.needs])
        level = log_odds_of(self.monthly) + self.slope * self.mean_needs
        return hazard_of(
            "rule",
            self.needs,
            np.full(LEVELS, level),
            np.concatenate([-self.slope * weights, np.zeros(len(weights))]),
        )


def hazard_of(
    kind: Literal["rule", "hazard", "private-hazard"],
    needs: Sequence[str],
    levels: Floats,
    coefficients: Floats,
) -> HazardModel:
    """A model of numbers, to six places."""
    return HazardModel(
        kind=kind,
        needs=tuple(needs),
        levels=tuple(round(float(each), 6) for each in levels),
        coefficients=tuple(round(float(each), 6) for each in coefficients),
    )


def _lengths(start: int, end: int) -> Floats:
    """Months of each band after ``start`` and up to ``end``, float64 (5,)."""
    edges = np.array([0, *BANDS, np.inf])
    return np.asarray(np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, None))


def exposure(times: Times) -> tuple[Floats, Floats]:
    """Months at risk and progress of each family in each band, float64 (f, 5) each."""
    edges = np.array([0, *BANDS, np.inf])
    upper = np.minimum(edges[1:], times.last[:, None])
    lower = np.maximum(edges[:-1], times.entry[:, None])
    months = np.clip(upper - lower, 0, None)
    inside = (times.last[:, None] > edges[:-1]) & (times.last[:, None] <= edges[1:])
    return months, (inside & times.event[:, None] & (months > 0)).astype(np.float64)


def fit(spells: Spells) -> HazardModel:
    """Without privacy: for comparison, and never given out (ADR 42)."""
    months, events = exposure(spells.times)
    values = spells.features.values
    family, band = np.nonzero(months)
    level = np.eye(LEVELS)[band][:, 1:]  # the first band's is the intercept
    rows = np.concatenate([values[family], level], axis=1)
    came = events[family, band]
    without = months[family, band] - came
    keep = without > 0
    found = LogisticRegression(C=1.0, max_iter=2_000).fit(
        np.concatenate([rows[came > 0], rows[keep]]),
        np.concatenate([np.ones(int(came.sum())), np.zeros(int(keep.sum()))]),
        np.concatenate([came[came > 0], without[keep]]),
    )
    first, numbers = float(found.intercept_[0]), np.asarray(found.coef_[0])
    return hazard_of(
        "hazard", spells.needs, first + np.append(0, numbers[values.shape[1] :]),
        numbers[: values.shape[1]],
    )  # fmt: skip
