"""Later referral as figures (``later-referral/v1``), which another program reads and checks."""

from dataclasses import asdict
from itertools import pairwise, product
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from governance.agreements.models import Agreement
from governance.canonical import Frozen, Hash, Hex128
from governance.exchange.hub_api import Count
from governance.transparency.models import Program
from linkage_hub.analytics.figures.follow_up import GROUPS, HORIZONS, Followed, FollowUp


class FollowedRun(Frozen):
    """A run, and the hash of what its files came from."""

    run: Hex128
    provenance: Hash


class FollowedCounts(Frozen):
    """What became of one group within so many months; see ``follow_up.Followed``."""

    horizon: Literal[3, 6, 12]
    group: Literal["put forward", "not put forward"]
    referred: Count
    not_referred: Count
    unknown: Count
    gone: Count


class LaterReferral(Frozen):
    """Who was referred by the usual route since.

    Attributes:
        program: that counted.
        runs: the one that put families forward, then those that followed.
        window_months: how far the indicator of referral looks back.
        already, not_known: see ``follow_up.FollowUp``.
        followed: of each horizon that runs reach, families put forward, then others.
    """

    format: Literal["later-referral/v1"] = "later-referral/v1"
    agreement: Hash
    program: Program
    runs: Annotated[tuple[FollowedRun, ...], Field(min_length=2, max_length=240)]
    window_months: Annotated[int, Field(ge=1, le=120)]
    already: Count
    not_known: Count
    followed: Annotated[tuple[FollowedCounts, ...], Field(max_length=len(HORIZONS) * len(GROUPS))]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        order = [(each.horizon, each.group) for each in self.followed]
        every = [each for each in product(HORIZONS, GROUPS) if each in order]
        if order != every or len(order) % len(GROUPS):
            raise ValueError("expected both groups of each horizon, the shortest first")
        if any(one.run == other.run for one, other in pairwise(self.runs)):
            raise ValueError("expected each run once")
        return self

    @property
    def found(self) -> FollowUp:
        """As it was counted."""
        return FollowUp(
            tuple(Followed(**each.model_dump()) for each in self.followed),
            self.already,
            self.not_known,
        )


def later_referral(
    found: FollowUp,
    terms: Agreement,
    program: Program,
    runs: tuple[FollowedRun, ...],
    window_months: int,
) -> LaterReferral:
    """What was counted, as a document."""
    return LaterReferral(
        agreement=terms.hash,
        program=program,
        runs=runs,
        window_months=window_months,
        already=found.already,
        not_known=found.not_known,
        followed=tuple(FollowedCounts.model_validate(asdict(each)) for each in found.followed),
    )
