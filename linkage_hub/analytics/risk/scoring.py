"""A model's order of a run's families, and where each of them stands in it.

Rules: in the order are families that are open to what the model was trained to expect, and of
which enough is known: at least so many needs, met or unmet, as the agreement puts a family forward
by, since of fewer not even the rule could say anything. Of every other family the model says
nothing, and why is said: no family is last because nobody knows it. Unknown is never unmet. A place
is a share of the families in the order, so that it means the same in every run; families with equal
figures have one place.
"""

from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from governance.agreements.models import Agreement
from governance.exchange.risk_api import Band, FamilyRank, FamilyRisk, NotRanked, RankPart
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.risk.documents import ModelDocument
from linkage_hub.analytics.risk.features import MET_COLUMN, Features, Floats, features_of
from linkage_hub.analytics.risk.models import LinearModel, Reason
from linkage_hub.analytics.risk.outcome import open_to, said_of

BANDS: Final[tuple[Band, ...]] = get_args(Band)
WHY: Final[tuple[NotRanked, ...]] = get_args(NotRanked)
_BOUNDS: Final = np.array([0.01, 0.05, 0.2])
"""Shares of the order before which each band ends."""


@dataclass(frozen=True, slots=True)
class Order:
    """A run's families by a model.

    Attributes:
        model: hash of the document.
        families: pseudonyms, str (f,).
        features: as the model sees them, (f, 2k).
        odds: log odds, float64 (f,); of the families in the order they say something.
        above: share of the order that has a higher figure, float64 (f,); nan outside of it.
        why: place in ``WHY``, int8 (f,); -1 of the families in the order.
        at: row of each pseudonym.
        untold: families of whom nobody tells where they live, bool (f,); None of older runs.
    """

    model: str
    document: ModelDocument
    families: NDArray[np.object_]
    features: Features
    odds: Floats
    above: Floats
    why: NDArray[np.int8]
    at: dict[str, int]
    untold: NDArray[np.bool_] | None = None

    @property
    def ranked(self) -> NDArray[np.bool_]:
        """Families in the order, bool (f,)."""
        return np.asarray(self.why < 0)

    def rank(self, family: str) -> FamilyRank:
        """Where a family of the run stands; of one taken out meanwhile nothing is known."""
        if (why := self.why_not(family)) is not None:
            return FamilyRank(model=self.model, band=None, why=why)
        return FamilyRank(model=self.model, band=band_of(self.place(family)), why=None)

    def why_not(self, family: str) -> NotRanked | None:
        """Why a family is not in the order; None where it is."""
        code = self.why[self.at[family]] if family in self.at else WHY.index("too_little_known")
        return None if code < 0 else WHY[code]

    def place(self, family: str) -> float:
        """The share of the order that is before a family; nan where it is not in it."""
        return float(self.above[self.at[family]]) if family in self.at else np.nan

    def risk(self, family: str) -> FamilyRisk:
        """What the model says of a family, and by what; of one that is not in its order, only that.

        All of it: what adds to the figure, and what takes from it.
        """
        rank = self.rank(family)
        parts: tuple[RankPart, ...] = ()
        if rank.band is not None:
            row = np.array([self.at[family]])
            parts = parts_of(self.document.model, self.features.rows(row))
        return FamilyRisk(rank=rank, outcome=self.document.outcome, parts=parts)

    def left_out(self) -> dict[NotRanked, int]:
        """How many families the model says nothing of, by why."""
        return {word: int((self.why == at).sum()) for at, word in enumerate(WHY)}


def order_of(
    model: str, document: ModelDocument, families: FamilyColumns, terms: Agreement
) -> Order:
    """Work out a model's order.

    Args:
        model: hash of the document.
        document: the model.
        families: of a run, with the columns of ``outcome.columns_for``.
        terms: the run's agreement.
    """
    needs = len(document.model.needs)
    state = families.state[:, :needs]
    features = features_of(families.needs[:needs], state)
    why = _why(families, terms, document)
    odds = document.model.log_odds(features)
    above = np.full(len(families), np.nan)
    above[why < 0] = shares_above(odds[why < 0])
    at = {name: row for row, name in enumerate(families.family.tolist())}
    return Order(model, document, families.family, features, odds, above, why, at, families.untold)


def least_known(terms: Agreement, model: LinearModel) -> int:
    """Needs of a model that have to be known of a family."""
    return min(terms.minimum_needs, len(model.needs))


def known_enough(
    terms: Agreement, model: LinearModel, state: NDArray[np.int8]
) -> NDArray[np.bool_]:
    """Families of which enough needs are known, bool (f,).

    Args:
        terms: the run's agreement.
        model: what they are to be put in order by.
        state: of the model's needs, int8 (f, k), codes of ``STATES``.
    """
    return np.asarray((state != UNKNOWN).sum(axis=1) >= least_known(terms, model))


def shares_above(odds: Floats) -> Floats:
    """Of each figure the share of all that are higher, float64 (n,)."""
    if not len(odds):
        return odds
    ascending = np.sort(odds)
    higher = len(odds) - np.searchsorted(ascending, odds, side="right")
    return np.asarray(higher / len(odds))


def band_of(above: float) -> Band:
    """The band of a place."""
    return BANDS[int(np.searchsorted(_BOUNDS, above, side="right"))]


def parts_of(model: LinearModel, family: Features) -> tuple[RankPart, ...]:
    """What a family's figure is the sum of, beside the intercept, largest first.

    Args:
        model: the model.
        family: one row.
    """
    return tuple(map(part_of, model.parts(family)))


def part_of(reason: Reason) -> RankPart:
    """A reason, by its need and the need's state."""
    need, _, state = reason.column.rpartition(":")
    return RankPart(
        need=need, state="met" if state == MET_COLUMN else "unknown", adds=round(reason.adds, 6)
    )


def _why(families: FamilyColumns, terms: Agreement, document: ModelDocument) -> NDArray[np.int8]:
    said = said_of(families, terms, document.outcome)
    open_ = open_to(families, said)
    known = known_enough(terms, document.model, families.state[:, : len(document.model.needs)])
    why = np.where(open_ & known, -1, WHY.index("too_little_known"))
    for word, holds in (
        ("has_outcome", said == MET),
        ("moved_away", ~families.resident),
        ("in_programme", families.in_programme),
    ):
        why[holds] = WHY.index(word)
    return why.astype(np.int8)
