"""Logistic regression without privacy: only where an attack has been tried and has failed.

Rule: nothing made here is given out before :func:`linkage_hub.analytics.risk.attack.allow` lets it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from linkage_hub.analytics.risk.features import Features
from linkage_hub.analytics.risk.models import LinearModel, model_of

_STRENGTH: Final = 1.0
"""Inverse of the ridge, scikit-learn's own: it keeps rare columns from running away."""


def fit(families: Features, outcome: NDArray[np.bool_]) -> LinearModel:
    """Fit it.

    Args:
        families: what is learnt from.
        outcome: bool (f,), some of each.
    """
    found = LogisticRegression(C=_STRENGTH, max_iter=1_000).fit(families.values, outcome)
    return model_of(
        "logistic", families.needs, float(found.intercept_[0]), np.asarray(found.coef_[0])
    )
