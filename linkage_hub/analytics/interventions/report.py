"""The comparison with all its checks, and what it rests on.

Rules: what is shown is an association, in these words; it is given only where there are enough
families, enough of the helped found somebody like them, these were alike before (no standardised
difference above .1), outcomes are known about as often on both sides, and both placebo tests find
nothing. Where one fails, the checks are shown and the comparison is not. The assumptions stand with
every result. Nothing here says what help did: families were not drawn by lot.
"""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from governance.canonical import Frozen, Hash
from governance.disclosure.counts import least_shown
from linkage_hub.analytics.engagement.report import Interval
from linkage_hub.analytics.engagement.survival import Chance
from linkage_hub.analytics.interventions import placebo, strength
from linkage_hub.analytics.interventions.balance import MOST as MOST_DIFFERENT
from linkage_hub.analytics.interventions.balance import balance
from linkage_hub.analytics.interventions.cases import NOT_KNOWN, YES, Cases
from linkage_hub.analytics.interventions.matching import Matched, clusters, match
from linkage_hub.analytics.interventions.paired import Difference, difference
from linkage_hub.analytics.interventions.trend import earlier, quarters
from linkage_hub.analytics.outcomes.errors import TooFew
from linkage_hub.analytics.outcomes.months import Month, text_of
from linkage_hub.analytics.outcomes.provenance import ELSEWHERE, TableProvenance

SEED: Final = 1
PAIRS_LEAST: Final = 50
SUPPORT_LEAST: Final = 0.6
"""Share of helped families, of known outcome, that has to find somebody like them."""
UNKNOWN_MOST: Final = 0.1
"""By how much the shares of unknown outcomes may differ."""
Count = Annotated[int, Field(ge=0)]
Signed = Annotated[float, Field(ge=-1, le=1)]
Reason = Literal[
    "few_pairs", "small_support", "not_alike", "unknown_unevenly", "placebo_before_untried",
    "placebo_before", "placebo_pretended",
]  # fmt: skip


class BalanceRow(Frozen):
    """One column that likeness was measured by; see ``balance.Balance``."""

    column: str
    helped: float
    others: float
    before: float
    after: float


class Compared(Frozen):
    """Shares of pairs with progress and their difference, helped less others.

    Attributes:
        pairs: of which both outcomes are known.
        helped, others: with progress.
        helped_only, others_only: pairs of which one family alone made progress.
        p: of McNemar's exact test.
    """

    pairs: Count
    helped: Count
    others: Count
    helped_only: Count
    others_only: Count
    difference: Signed
    low: Signed
    high: Signed
    p: Annotated[float, Field(ge=0, le=1)]


class Strength(Frozen):
    """What something unmeasured would have to be; None where a ratio does not exist.

    Attributes:
        ratio: of shares, with its interval.
        e_value, e_value_of_limit: VanderWeele and Ding's.
        gamma: Rosenbaum's.
    """

    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    e_value: float | None
    e_value_of_limit: float | None
    gamma: float


class QuarterRow(Frozen):
    """Families that were not helped; see ``trend.Quarter``."""

    month: Month
    cases: Count
    share: Interval


class EarlierCohort(Frozen):
    """Families whose time was over before the first help began."""

    cases: Count
    share: Interval


class Support(Frozen):
    """How many of the helped are compared.

    Attributes:
        helped: cases of helped families; ``known``: of which the outcome is known; ``matched``: of
            which somebody like them was found.
        others: families that were not helped when they were looked at.
        unknown_helped, unknown_others: shares of cases without a known outcome.
        later: share of the matched others that were helped before the outcome was looked at.
    """

    helped: Count
    known: Count
    matched: Count
    others: Count
    unknown_helped: float
    unknown_others: float
    later: float


class InterventionReport(Frozen):
    """``intervention-report/v1``.

    Attributes:
        withheld: why the comparison is not given; empty where it is.
        comparison, strength: None where it is withheld.
        before: the first placebo test; None where nothing is known of the time before.
        pretended, pretended_found, pretended_most: the second: tries, finds, and what chance
            explains.
    """

    format: Literal["intervention-report/v1"] = "intervention-report/v1"
    agreement: Hash
    table: Hash
    provenance: TableProvenance | None
    months: Annotated[int, Field(ge=1)]
    first: Month
    last: Month
    support: Support
    balance: tuple[BalanceRow, ...]
    before: Compared | None
    pretended: Count
    pretended_found: Count
    pretended_most: Count
    withheld: tuple[Reason, ...]
    comparison: Compared | None
    strength: Strength | None
    quarters: tuple[QuarterRow, ...]
    earlier: EarlierCohort | None
    assumptions: tuple[str, ...]
    use: Literal["for professional consideration"] = "for professional consideration"


def report_of(
    cases: Cases,
    agreement: str,
    table: str,
    provenance: TableProvenance | None,
    months: int,
    threshold: int,
) -> InterventionReport:
    """Compare.

    Args:
        cases: helped ones and others.
        agreement: its hash.
        table: SHA-256 of the table.
        provenance: of the table.
        months: after which outcomes were looked at.
        threshold: of the agreement (suppression_threshold).

    Raises:
        TooFew: fewer families helped, or others, or with progress or without, than may be shown.
    """
    least = least_shown(threshold)
    _enough(cases, least)
    known = cases.outcome != NOT_KNOWN
    pairs = match(cases, known)
    alike = balance(cases, pairs)
    tried = placebo.before(cases, pairs, SEED) if len(pairs) else None
    pretended = placebo.pretended(cases, SEED, placebo.TRIES)
    found = _found(cases, pairs) if len(pairs) else None
    support = _support(cases, pairs)
    reasons: list[Reason] = []
    if found is None or len(pairs) < PAIRS_LEAST or _smallest(found) < least:
        reasons.append("few_pairs")
    if support.matched < SUPPORT_LEAST * support.known:
        reasons.append("small_support")
    if any(abs(row.after) > MOST_DIFFERENT for row in alike):
        reasons.append("not_alike")
    if abs(support.unknown_helped - support.unknown_others) > UNKNOWN_MOST:
        reasons.append("unknown_unevenly")
    if tried is None or tried.table.pairs < PAIRS_LEAST:
        reasons.append("placebo_before_untried")
    elif not tried.is_nothing:
        reasons.append("placebo_before")
    if not pretended.holds:
        reasons.append("placebo_pretended")
    given = found if not reasons else None
    cohort = earlier(cases, months)
    return InterventionReport(
        agreement=agreement,
        table=table,
        provenance=provenance,
        months=months,
        first=text_of(int(cases.month.min())),
        last=text_of(int(cases.month.max())),
        support=support,
        balance=tuple(
            BalanceRow(
                column=row.column,
                helped=round(row.helped, 4),
                others=round(row.others, 4),
                before=round(row.before, 4),
                after=round(row.after, 4),
            )
            for row in alike
        ),
        before=None if tried is None else _compared(tried),
        pretended=pretended.tries,
        pretended_found=pretended.found,
        pretended_most=pretended.most,
        withheld=tuple(reasons),
        comparison=None if given is None else _compared(given),
        strength=None if given is None else _strength(given),
        quarters=tuple(
            QuarterRow(month=text_of(each.month), cases=each.cases, share=_interval(each.share))
            for each in quarters(cases)
        ),
        earlier=None
        if cohort is None
        else EarlierCohort(cases=cohort[0], share=_interval(cohort[1])),
        assumptions=assumptions_of(support, months, provenance),
    )


def _enough(cases: Cases, least: int) -> None:
    parts = (
        cases.helped & (cases.outcome == YES), cases.helped & (cases.outcome != YES),
        ~cases.helped & (cases.outcome == YES), ~cases.helped & (cases.outcome != YES),
    )  # fmt: skip
    if min(len(set(cases.family[part].tolist())) for part in parts) < least:
        raise TooFew(
            f"fewer than {least} families helped or not, with progress or without: "
            "nothing is compared"
        )


def _found(cases: Cases, pairs: Matched) -> Difference:
    return difference(
        cases.outcome[pairs.helped] == YES,
        cases.outcome[pairs.other] == YES,
        clusters(cases, pairs),
        SEED,
    )


def _smallest(found: Difference) -> int:
    """The smallest count that a reader learns."""
    table = found.table
    helped, others = table.both + table.helped_only, table.both + table.other_only
    return min(helped, others, table.pairs - helped, table.pairs - others)


def _support(cases: Cases, pairs: Matched) -> Support:
    known = cases.outcome != NOT_KNOWN
    later = cases.later[pairs.other].mean() if len(pairs) else 0.0
    return Support(
        helped=int(cases.helped.sum()),
        known=int((cases.helped & known).sum()),
        matched=len(pairs),
        others=len(set(cases.family[~cases.helped].tolist())),
        unknown_helped=round(float((~known)[cases.helped].mean()), 4),
        unknown_others=round(float((~known)[~cases.helped].mean()), 4),
        later=round(float(later), 4),
    )


def _compared(found: Difference) -> Compared:
    table = found.table
    return Compared(
        pairs=table.pairs,
        helped=table.both + table.helped_only,
        others=table.both + table.other_only,
        helped_only=table.helped_only,
        others_only=table.other_only,
        difference=round(found.value, 4),
        low=round(found.low, 4),
        high=round(found.high, 4),
        p=round(found.p, 4),
    )


def _strength(found: Difference) -> Strength:
    ratio, low, high = found.ratio, found.ratio_low, found.ratio_high
    there = ratio is not None and low is not None and high is not None and ratio > 0 and low > 0
    return Strength(
        ratio=_rounded(ratio),
        ratio_low=_rounded(low),
        ratio_high=_rounded(high),
        e_value=_rounded(strength.e_value(ratio)) if there and ratio is not None else None,
        e_value_of_limit=_rounded(strength.e_value_of_limit(low, high))
        if there and low is not None and high is not None
        else None,
        gamma=round(strength.gamma(found.table.helped_only, found.table.other_only), 2),
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


def _interval(chance: Chance) -> Interval:
    return Interval(
        value=round(chance.value, 4), low=round(chance.low, 4), high=round(chance.high, 4)
    )


def assumptions_of(
    support: Support, months: int, provenance: TableProvenance | None
) -> tuple[str, ...]:
    """What the comparison rests on.

    Args:
        support: how many are compared.
        months: after which outcomes were looked at.
        provenance: of the table; None where it was made elsewhere.
    """
    return tuple(_assumptions(support, months, provenance))


def failing(report: InterventionReport, threshold: int) -> tuple[Reason, ...]:
    """Checks that a comparison which is given does not pass, by the figures beside it.

    Args:
        report: with a comparison.
        threshold: of the agreement (suppression_threshold).
    """
    found, support = report.comparison, report.support
    reasons: list[Reason] = []
    if found is None or found.pairs < PAIRS_LEAST or _least(found) < least_shown(threshold):
        reasons.append("few_pairs")
    if support.matched < SUPPORT_LEAST * support.known:
        reasons.append("small_support")
    if any(abs(row.after) > MOST_DIFFERENT for row in report.balance):
        reasons.append("not_alike")
    if abs(support.unknown_helped - support.unknown_others) > UNKNOWN_MOST:
        reasons.append("unknown_unevenly")
    if report.before is None or report.before.pairs < PAIRS_LEAST:
        reasons.append("placebo_before_untried")
    elif not report.before.low <= 0 <= report.before.high:
        reasons.append("placebo_before")
    if not placebo.Pretended(report.pretended, report.pretended_found).holds:
        reasons.append("placebo_pretended")
    return tuple(reasons)


def _least(found: Compared) -> int:
    helped, others = found.helped, found.others
    return min(helped, others, found.pairs - helped, found.pairs - others)


def _assumptions(
    support: Support, months: int, provenance: TableProvenance | None
) -> Iterator[str]:
    yield (
        "What is shown is an association. Families were not drawn by lot; whether help brought it "
        "about cannot be told from these figures."
    )
    yield (
        "Families are alike in the needs that services know of, in the month before help began, "
        "and in nothing else that matters, as far as is assumed. A readiness to take part, the "
        "work of other services and what nobody records are not seen."
    )
    yield (
        "Helped are families that are in the programme in the month after they were looked at. "
        "Others were not by then; "
        f"{100 * support.later:.0f} % of those compared were helped before their outcome was "
        "looked at, and count as not helped, which makes differences smaller."
    )
    yield (
        f"Outcomes are looked at after {months} months. Families of which the outcome is unknown "
        f"({100 * support.unknown_helped:.0f} % of helped ones, "
        f"{100 * support.unknown_others:.0f} % of others) are left out, as if they fared "
        "like those of which it is known."
    )
    yield "One family's help changes nothing for another, as far as is assumed."
    if provenance is None:
        yield ELSEWHERE
