"""What a family's chance of progress is taken to be: its group's curve, or a model.

Rules: by number of needs, a family has the chance of the families with as many (``NeedsTable``);
a group has ``GROUP_LEAST`` families at least, and of its curve nothing is given but 6, 12 and 18
months, since a curve month by month tells who is in it (ADR 42). A model is used where there is
one. Neither decides anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.analytics.engagement.hazard import HazardModel
from linkage_hub.analytics.engagement.spells import Spells, Times
from linkage_hub.analytics.engagement.survival import (
    Chance,
    Curve,
    groups_by_count,
    kaplan_meier,
)
from linkage_hub.analytics.needs import MET
from linkage_hub.analytics.risk.features import Floats, features_of

HORIZONS: Final = (6, 12, 18)
"""Months."""
HALF_YEAR: Final = 6
GROUP_LEAST: Final = 30
QUANTILES: Final = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Families with as many needs, and their curve.

    Attributes:
        name: such as ``2 needs``.
        low: the fewest needs.
        times: of its families.
    """

    name: str
    low: int
    times: Times
    curve: Curve


class NeedsTable:
    """Progress by number of needs, learnt from families.

    Args:
        spells: what is learnt from.
        least: families that a group has at least.
    """

    def __init__(self, spells: Spells, least: int = GROUP_LEAST) -> None:
        self.groups = tuple(
            Group(name, int(spells.met[here].min()), times, kaplan_meier(times))
            for name, here in groups_by_count(spells.met, least)
            for times in [spells.times.rows(here)]
        )

    def group(self, state: NDArray[np.int8]) -> NDArray[np.int64]:
        """Number of each family's group, int64 (f,)."""
        lows = np.array([group.low for group in self.groups])
        met = (state == MET).sum(axis=1)
        return np.asarray(np.maximum(np.searchsorted(lows, met, "right") - 1, 0))

    def by(self, state: NDArray[np.int8], month: int, after: NDArray[np.int64]) -> Floats:
        """Chance of progress by a month of families without it after some.

        Args:
            state: needs on joining, int8 (f, k).
            month: since joining, one of ``HORIZONS``.
            after: months already without progress, int64 (f,); they count from the half year that
                is over.

        Returns:
            Float64 (f,); not a number where too few were watched for so long.
        """
        if month not in HORIZONS:
            raise ValueError("expected 6, 12 or 18 months")
        found = np.full(len(state), np.nan)
        group, past = self.group(state), after // HALF_YEAR * HALF_YEAR
        for number, each in enumerate(self.groups):
            for begun in np.unique(past[group == number]).tolist():
                chance = each.curve.within(month - begun, begun)
                if chance is not None:
                    found[(group == number) & (past == begun)] = chance
        return found

    def reasons(self, state: NDArray[np.int8]) -> list[str]:
        """What a family's figure rests on."""
        return [self.groups[at].name for at in self.group(state).tolist()]


class ModelChances:
    """The same by a model."""

    def __init__(self, model: HazardModel) -> None:
        self._model = model

    def by(self, state: NDArray[np.int8], month: int, after: NDArray[np.int64]) -> Floats:
        """Chance of progress by a month of families without it after some, float64 (f,)."""
        features = features_of(self._model.needs, state)
        found = np.zeros(len(state))
        for past in np.unique(after).tolist():
            here = after == past
            some = features.rows(here)
            before = self._model.still(some, past)
            found[here] = 1 - self._model.still(some, month) / before
        return found

    def reasons(self, state: NDArray[np.int8]) -> list[str]:
        """The needs that make progress likelier than the average family's do."""
        found = self._model.reasons(features_of(self._model.needs, state))
        return [" ".join(reason.column for reason in each) for each in found]


Chances = NeedsTable | ModelChances


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Families with like figures: what was expected of them, and what came.

    Attributes:
        name: of the group.
        families: in it.
        expected: mean figure.
        seen: by Kaplan and Meier; None where too few were watched so long.
    """

    name: str
    families: int
    expected: float
    seen: Chance | None


def calibration(times: Times, figures: Floats, horizon: int) -> list[Calibrated]:
    """All families, then fifths of them by figure, at one horizon.

    Equal figures are never parted, so there may be fewer groups than five.
    """
    edges = np.unique(np.quantile(figures, np.arange(1, QUANTILES) / QUANTILES))
    fifth = np.searchsorted(edges, figures, "left")
    parts: Sequence[tuple[str, NDArray[np.bool_]]] = [
        ("all families", np.ones(len(times), dtype=np.bool_)),
        *(
            (_expected(figures[here]), here)
            for here in (fifth == number for number in np.unique(fifth))
        ),
    ]
    return [
        Calibrated(
            name, int(here.sum()), float(figures[here].mean()),
            kaplan_meier(times.rows(here)).by(horizon),
        )
        for name, here in parts
    ]  # fmt: skip


def _expected(figures: Floats) -> str:
    low, high = f"{100 * figures.min():.0f}", f"{100 * figures.max():.0f}"
    return f"expected {low} %" if low == high else f"expected {low} to {high} %"


def chances_at(chances: Chances, spells: Spells) -> Callable[[int], Floats]:
    """Chance of progress by a month since joining, of families as they joined."""
    nothing = np.zeros(len(spells), dtype=np.int64)
    return lambda month: chances.by(spells.state, month, nothing)
