"""Figures that an analyst might share of the two runs of ``world``, made up."""

from typing import Any, Final

from governance.canonical import sha256
from governance.transparency.code import installed
from linkage_hub.analytics.engagement.report import (
    ByMonth,
    EngagementReport,
    GroupCurve,
    Interval,
    TeamRow,
)
from linkage_hub.analytics.engagement.spells import LEFT_OUT
from linkage_hub.analytics.figures.later import FollowedCounts, FollowedRun, LaterReferral
from linkage_hub.analytics.interventions.report import (
    BalanceRow,
    Compared,
    EarlierCohort,
    InterventionReport,
    QuarterRow,
    Strength,
    Support,
)
from linkage_hub.analytics.outcomes.provenance import FromRun, TableProvenance
from tests.linkage_hub.reports.world import NEWER, OLDER

TABLE: Final = sha256(b"table")
_HALF: Final = Interval(value=0.5, low=0.4, high=0.6)
_TYPED: Final = ("Jane of Hill Road did well", "typed by hand")
"""Words that only a dishonest analyst shares."""


def provenance(agreement: str, kind: Any, months: int) -> TableProvenance:
    """Of a table of both runs."""
    return TableProvenance(
        kind=kind, agreement=agreement, table=TABLE, progress="every", months=months,
        runs=tuple(
            FromRun(month=month, run=run, provenance=sha256(run.encode()))
            for month, run in (("2026-09", OLDER), ("2026-10", NEWER))
        ),
        left_out={LEFT_OUT[0]: 3, LEFT_OUT[1]: 0} if kind == "spells" else {}, program=installed(),
    )  # fmt: skip


def engagement(agreement: str) -> EngagementReport:
    """Time to progress of 40 families, with one team."""
    curve = GroupCurve(
        group="all families", families=40, progressed=20, at=(ByMonth(month=6, share=_HALF),),
        half_by=6,
    )  # fmt: skip
    return EngagementReport(
        agreement=agreement, table=TABLE, provenance=provenance(agreement, "spells", 0),
        families=40, progressed=20, first="2026-01", last="2026-10", late=2,
        curves=(curve, curve.model_copy(update={"group": "2 or more needs"})), validation=None,
        teams=(
            TeamRow(
                team="North team", families=40, half_by=None, in_a_year=None, mean_needs=2.5,
                met={"neet": 1.0}, unknown={"neet": 0.0},
            ),
        ),
        notes=_TYPED,
    )  # fmt: skip


def interventions(agreement: str, *, given: bool) -> InterventionReport:
    """A comparison of 200 pairs that passes its checks, or one that is withheld."""
    found = Compared(
        pairs=200, helped=120, others=100, helped_only=60, others_only=40, difference=0.1,
        low=0.02, high=0.18, p=0.04,
    )  # fmt: skip
    before = found.model_copy(update={"difference": 0.01, "low": -0.05, "high": 0.06})
    return InterventionReport(
        agreement=agreement, table=TABLE, provenance=provenance(agreement, "cases", 12), months=12,
        first="2025-01", last="2025-10",
        support=Support(
            helped=260, known=250, matched=200, others=900, unknown_helped=0.04,
            unknown_others=0.05, later=0.1,
        ),
        balance=(BalanceRow(column="neet:met", helped=0.6, others=0.4, before=0.4, after=0.02),),
        before=before, pretended=20, pretended_found=1, pretended_most=5,
        withheld=() if given else ("few_pairs",),
        comparison=found if given else None,
        strength=Strength(
            ratio=1.2, ratio_low=1.02, ratio_high=1.4, e_value=1.69, e_value_of_limit=1.16,
            gamma=1.1,
        ) if given else None,
        quarters=(QuarterRow(month="2025-01", cases=100, share=_HALF),),
        earlier=EarlierCohort(cases=80, share=_HALF), assumptions=_TYPED,
    )  # fmt: skip


def later_referral(agreement: str) -> LaterReferral:
    """What became of 100 families within three months."""
    return LaterReferral(
        agreement=agreement, program=installed(), window_months=12, already=3, not_known=2,
        runs=tuple(FollowedRun(run=run, provenance=sha256(run.encode())) for run in (OLDER, NEWER)),
        followed=tuple(
            FollowedCounts(
                horizon=3, group=group, referred=10, not_referred=30, unknown=5, gone=5
            )
            for group in ("put forward", "not put forward")
        ),
    )  # fmt: skip
