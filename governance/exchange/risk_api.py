"""JSON bodies about the model of risk that a hub shares, and families by area.

Rules: a family's place is told as a band, and never as a probability, to whoever may ask who it is;
a family that a model says nothing of is told as such, with why; an area stands beside counts alone,
in no answer beside a family. All of it is for professional consideration, and decides nothing.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from governance.canonical import Frozen, Hash, Hex128, Slug, Time
from governance.disclosure.counts import Published
from governance.exchange.hub_api import Count, Share
from governance.release.models import FamilyId

RANKED_MOST: Final = 1_000
"""Lines of one answer about a list."""
LIST_SIZE: Final = 600
"""Families on a list, where nobody says."""
Band = Literal["first_1", "first_5", "first_20", "other"]
"""Among the first 1, 5 or 20 of a hundred in a model's order, or behind them."""
NotRanked = Literal["in_programme", "moved_away", "has_outcome", "too_little_known"]
"""Why a model says nothing of a family, the first that holds: the programme helps it already, it
does not live in the area as far as is known, it has what the model was trained to expect, or fewer
of its needs are known than the agreement puts a family forward by."""


class FamilyRank(Frozen):
    """Where a family stands in a model's order; exactly one of ``band`` and ``why``."""

    model: Hash
    band: Band | None
    why: NotRanked | None


class RankPart(Frozen):
    """What one need adds to the log odds of a family; one that is unmet adds nothing."""

    need: Slug
    state: Literal["met", "unknown"]
    adds: float


class FamilyRisk(Frozen):
    """What a model says of one family: its place, and everything that makes it, largest first."""

    rank: FamilyRank
    outcome: Slug
    parts: tuple[RankPart, ...]


class NeedWeight(Frozen):
    """What a need adds to the log odds where it is met, and where nobody knows."""

    need: Slug
    met: float
    unknown: float


class ModelView(Frozen):
    """A model that is shared: its card, and how far it goes in the current run.

    Attributes:
        id: hash of the model's document.
        agreement: under which it was trained, and is shown.
        families: that it was trained on.
        intercept: for analysts; null for others, who with it could tell a family's probability.
        epsilon, delta: what is promised to each of them; ``opacus``, ``dp_accounting``: the two
            accountants' figures; ``noise``, ``clip``, ``steps``: how.
        run: the current run; null where none is kept.
        ranked: of its families, those that are in the model's order.
        left_out: those that are not, by why.
        least_known: needs that have to be known of a family.
    """

    id: Hash
    agreement: Hash
    outcome: Slug
    trained: Time
    shared: Time
    families: Count
    intercept: float | None
    weights: tuple[NeedWeight, ...]
    epsilon: Annotated[float, Field(ge=0)]
    delta: Annotated[float, Field(ge=0)]
    opacus: Annotated[float, Field(ge=0)]
    dp_accounting: Annotated[float, Field(ge=0)]
    noise: Annotated[float, Field(ge=0)]
    clip: Annotated[float, Field(ge=0)]
    steps: Annotated[int, Field(ge=1)]
    randomness: Literal["operating system"]
    run: Hex128 | None
    ranked: Count
    left_out: dict[NotRanked, Count]
    least_known: Annotated[int, Field(ge=1)]


class ModelList(Frozen):
    """``GET /v1/risk``: models shared of the caller's agreements in force."""

    models: tuple[ModelView, ...]


class RankedFamily(Frozen):
    """One line of an analyst's list."""

    family: FamilyId
    needs_met: Count
    needs_unknown: Count
    probability: Share
    parts: tuple[RankPart, ...]  # those that add most
    untold: bool | None = None  # whether nobody tells where it lives; null of older runs


class RankedList(Frozen):
    """``GET /v1/risk/{model}/families``: by the model's figure, highest first."""

    run: Hex128
    families: tuple[RankedFamily, ...]
    total: Count


class AreaRow(Frozen):
    """Families put forward in one area, or in several that are counted together.

    Attributes:
        areas: ids of indicators.
        several, unknown: whether families of several areas, or of none that is known, are in it.
        total: all of them.
        by_needs: by how many needs are met; empty where that would give a small number away.
    """

    areas: tuple[Slug, ...]
    several: bool
    unknown: bool
    total: Published
    by_needs: tuple[Published, ...]


class AreaCounts(Frozen):
    """Families put forward in a current run, by area and by how many of their needs are met.

    Attributes:
        needs: what the columns of ``by_needs`` count: numbers of needs; the last of the agreement's
            stands for that many or more, and a column may hold several; none where no row may tell
            them apart.
        most: the last number.
    """

    agreement: Hash
    run: Hex128
    needs: tuple[tuple[int, ...], ...]
    most: Count
    rows: tuple[AreaRow, ...]


class AreaList(Frozen):
    """``GET /v1/areas``: for each of the caller's agreements that counts families by area."""

    agreements: tuple[AreaCounts, ...]
