"""The rule that stands beside every model: how many needs are met.

Rules: it is public, made from the catalogue and figures that are declared, and from no family's
outcome; a need counts 1 unless the catalogue's editor declares another weight; unknown adds
nothing, and how many needs are unknown is shown beside the count.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Self

import numpy as np
from pydantic import Field, model_validator

from governance.canonical import Frozen, Slug
from linkage_hub.analytics.risk.features import Features, Floats
from linkage_hub.analytics.risk.models import LinearModel, log_odds_of, model_of

Weight = Annotated[float, Field(gt=0, le=10)]
SLOPE: Final = 0.5
"""Log odds a need that is met adds, before anything is learnt: odds 1.65 times as high."""


class PublicRule(Frozen):
    """What is declared before anybody looks at outcomes.

    Attributes:
        needs: ids, in the order of the columns.
        weights: of needs whose weight is not 1.
        outcome_rate: share of families with the outcome, as published or expected.
        mean_needs: needs met a family, as published or expected.
        mean_unknown: needs that nobody knows of, a family, as published or expected; a private
            training asks for it (docs/risk.md).
        slope: log odds of a need of weight 1.
    """

    needs: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=60)]
    weights: Mapping[Slug, Weight] = Field(default_factory=dict)
    outcome_rate: Annotated[float, Field(ge=0.001, le=0.5)]
    mean_needs: Annotated[float, Field(ge=0, le=60)]
    mean_unknown: Annotated[float, Field(ge=0, le=60)] | None = None
    slope: Annotated[float, Field(gt=0, le=2)] = SLOPE

    @model_validator(mode="after")
    def _known(self) -> Self:
        if set(self.weights) - set(self.needs):
            raise ValueError("weights: a need that is not one of needs")
        if self.mean_unknown is not None and self.mean_unknown > len(self.needs):
            raise ValueError("mean_unknown: more needs than there are")
        return self

    @property
    def by_need(self) -> Floats:
        """Weight of each need, float64 (k,)."""
        return np.array([self.weights.get(need, 1.0) for need in self.needs])

    def score(self, families: Features) -> Floats:
        """Needs that are met, by weight, float64 (f,)."""
        if families.needs != self.needs:
            raise ValueError("the rule is for other needs")
        return np.asarray(families.met @ self.by_need)

    def as_model(self) -> LinearModel:
        """The rule as a model: what a private one starts from."""
        met = self.slope * self.by_need
        return model_of(
            "rule",
            self.needs,
            log_odds_of(self.outcome_rate) - self.slope * self.mean_needs,
            np.concatenate([met, np.zeros(len(self.needs))]),
        )
