"""The comparison as a report to read."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from governance.reports.cells import percent, shown
from governance.reports.models import Cell, Dot, Dots, Estimate, Highlight, Part, Report, Table
from linkage_hub.analytics.interventions.balance import MOST
from linkage_hub.analytics.interventions.report import (
    BalanceRow,
    Compared,
    InterventionReport,
    Strength,
)
from linkage_hub.analytics.outcomes.documents import estimate, origin

REASONS: Final = {
    "few_pairs": "too few pairs, or too few families with or without progress among them",
    "small_support": "too few of the helped families found somebody like them",
    "not_alike": f"helped families and the others differ in what was known before (above {MOST})",
    "unknown_unevenly": "outcomes are unknown much more often on one side",
    "placebo_before_untried": "too little is known of the time before help began to test it",
    "placebo_before": "the families fared differently before help began",
    "placebo_pretended": "pretended help goes with progress more often than by chance",
}
_SMALL: Final = 0.001
_HELPED, _OTHERS, _DIFFERENCE = "helped", "not helped", "difference"
_BEFORE, _AFTER = "before matching", "after matching"


def document_of(report: InterventionReport, made_on: date, program: str) -> Report:
    """A report to read.

    Args:
        report: the comparison with its checks, or the checks alone.
        made_on: today.
        program: hash of the one that makes it.
    """
    return Report(
        kind="interventions",
        title="Families helped, and families like them that were not",
        lead=(_lead(report),),
        made_on=made_on.isoformat(),
        program=program,
        highlights=(
            Highlight(name="helped families", count=report.support.helped),
            Highlight(name="found somebody like them", count=report.support.matched),
        ),
        parts=tuple(_parts(report)),
        **origin(report, "interventions.json", report.provenance),
    )


def _lead(report: InterventionReport) -> str:
    if report.comparison is None:
        reasons = "; ".join(REASONS[reason] for reason in report.withheld)
        return f"The comparison is not given, since not all checks held: {reasons}."
    return (
        "An association, with what it rests on. For professional consideration: nothing is "
        "decided by these figures."
    )


def _parts(report: InterventionReport) -> Iterator[Part]:
    if report.comparison is not None and report.strength is not None:
        yield _comparison(report, report.comparison, report.strength)
    yield Part(id="assumptions", heading="What these figures rest on", items=report.assumptions)
    yield _placebo(report)
    yield _balance(report)
    yield _trend(report)


def _comparison(report: InterventionReport, found: Compared, strength: Strength) -> Part:
    return Part(
        id="association",
        heading="The association",
        texts=(_said(report, found), _bound(strength)),
        tables=(
            _compared("comparison", f"Progress {report.months} months later", found),
            Table(
                id="pairs",
                title="Pairs of a helped family and one like it",
                headings=("pairs", "how many"),
                rows=(
                    ("both made progress", found.helped - found.helped_only),
                    ("the helped one alone", found.helped_only),
                    ("the other alone", found.others_only),
                    ("neither", found.pairs - found.helped - found.others_only),
                    (
                        "chance of so uneven a split by lot (McNemar)",
                        "below .001" if found.p < _SMALL else f"{found.p:.3f}",
                    ),
                ),
            ),
        ),
    )


def _compared(id_: str, title: str, found: Compared) -> Table:
    """Shares of pairs and their difference."""
    row = (
        "matched pairs", found.pairs, found.helped / found.pairs, found.others / found.pairs,
        _difference(found),
    )  # fmt: skip
    return Table(
        id=id_,
        title=title,
        headings=("", "pairs", _HELPED, _OTHERS, _DIFFERENCE),
        rows=(row,),
        forms={_HELPED: "share", _OTHERS: "share", _DIFFERENCE: "points"},
    )


def _difference(found: Compared) -> Estimate:
    return Estimate(value=found.difference, low=found.low, high=found.high)


def _said(report: InterventionReport, found: Compared) -> str:
    return (
        f"Of {found.pairs:,} helped families {percent(found.helped / found.pairs)} are known to "
        f"have made progress {report.months} months later, of as many families like them that were "
        f"not helped {percent(found.others / found.pairs)}: a difference of {_points_of(found)} "
        "percentage points, with its 95 % interval."
    )


def _points_of(found: Compared) -> str:
    return f"{100 * found.difference:+.0f} ({100 * found.low:+.0f} to {100 * found.high:+.0f})"


def _bound(found: Strength) -> str:
    text = (
        "How strong something unmeasured would have to be: were one of two matched families up to "
        f"{found.gamma:.1f} times likelier to be helped than it seems, the association could be "
        "that alone (Rosenbaum's gamma; at 1 it already could)."
    )
    if found.e_value_of_limit is None:
        return text
    return (
        f"{text} Something that goes with help and with progress by a ratio of "
        f"{found.e_value_of_limit:.1f} each could make up what the interval leaves (E-value)."
    )


def _placebo(report: InterventionReport) -> Part:
    before = report.before
    if before is None:
        said = "Of the time before help began too little is known: nothing was tested there."
    else:
        said = (
            f"Before help began, {before.pairs:,} of the pairs differed by {_points_of(before)} "
            "percentage points in progress over as many months. The interval has to hold nought."
        )
    pretended = (
        f"Of {report.pretended} times that help was pretended among families that were not helped "
        f"it went with progress {report.pretended_found}; up to {report.pretended_most} may be "
        "chance."
    )
    tries = Table(
        id="placebo-pretended",
        title="Pretended help",
        headings=("", "times"),
        rows=(
            ("tried", report.pretended),
            ("went with progress", report.pretended_found),
            ("may be chance, at most", report.pretended_most),
        ),
    )
    tested = () if before is None else (_compared("placebo-before", "Before help began", before),)
    return Part(
        id="placebo", heading="Placebo tests", texts=(said, pretended), tables=(*tested, tries)
    )


def _balance(report: InterventionReport) -> Part:
    support = report.support
    said = (
        f"{support.matched:,} of {support.known:,} helped families of which the outcome is "
        f"known found somebody like them, among {support.others:,} families that were not "
        "helped when they were looked at. Differences are in standard deviations; above "
        f"{MOST} in size the comparison is not given."
    )
    return Part(
        id="balance",
        heading="Whether families were alike before",
        texts=(said,),
        chart=Dots(
            label="Standardised differences before and after matching; the table below has them",
            axis="difference in standard deviations",
            series=(_BEFORE, _AFTER),
            form=".2f",
            points=tuple(point for row in report.balance for point in _points(row)),
        ),
        tables=(
            Table(
                id="balance",
                title="Standardised differences",
                headings=("what was known", _HELPED, _OTHERS, _BEFORE, _AFTER),
                rows=tuple(
                    (_column(row), row.helped, row.others, row.before, row.after)
                    for row in report.balance
                ),
                forms={_HELPED: ".2f", _OTHERS: ".2f", _BEFORE: "+.2f", _AFTER: "+.2f"},
            ),
        ),
    )


def _column(row: BalanceRow) -> str:
    return row.column.replace("_", " ").replace(":", ", ")


def _points(row: BalanceRow) -> Iterator[Dot]:
    yield Dot(line=_column(row), series=_BEFORE, value=row.before)
    yield Dot(line=_column(row), series=_AFTER, value=row.after)


def _trend(report: InterventionReport) -> Part:
    earlier = report.earlier
    said = (
        "No family's time was over before help first began, or too few: there is no earlier cohort."
        if earlier is None
        else f"Of families whose time was over before help first began ({earlier.cases:,} cases) "
        f"{shown(estimate(earlier.share), 'share')} made progress."
    )
    rows: list[tuple[Cell, ...]] = [
        (row.month, row.cases, estimate(row.share)) for row in report.quarters
    ]
    return Part(
        id="trend",
        heading="Families that were not helped, over time",
        texts=(f"Weighed to the helped families' numbers of needs. {said}",),
        chart=Dots(
            label="Progress of families that were not helped by quarter; the table below has it",
            axis="made progress",
            series=(_OTHERS,),
            points=tuple(
                Dot(line=row.month, series=_OTHERS, **row.share.model_dump())
                for row in report.quarters
            ),
        )
        if report.quarters
        else None,
        tables=(
            Table(
                id="quarters",
                title="By the quarter in which their time began",
                headings=("quarter from", "cases", "made progress"),
                rows=tuple(rows),
                forms={"made progress": "share"},
            ),
        ),
    )
