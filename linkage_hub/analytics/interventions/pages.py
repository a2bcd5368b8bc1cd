"""The comparison as a page and as one flat table."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from linkage_hub.analytics.interventions.balance import MOST
from linkage_hub.analytics.interventions.report import (
    BalanceRow,
    Compared,
    InterventionReport,
    Strength,
)
from linkage_hub.analytics.outcomes.charts import intervals
from linkage_hub.analytics.outcomes.pages import (
    PageTable,
    Part,
    page,
    percent,
    with_interval,
)

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
_HEADS: Final = ("part", "row", "families", "value", "low", "high")


def as_page(report: InterventionReport) -> bytes:
    """The report to print."""
    given = report.comparison is not None
    return page(
        "Families helped, and families like them that were not",
        (
            "An association, with what it rests on. For professional consideration: nothing is "
            "decided by these figures."
            if given
            else "The comparison is not given, since not all checks held: "
            + "; ".join(REASONS[reason] for reason in report.withheld)
            + "."
        ),
        list(_parts(report)),
    )


def as_csv(report: InterventionReport) -> bytes:
    """One line a figure."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADS)
    writer.writerows(_lines(report))
    return text.getvalue().encode()


def _lines(report: InterventionReport) -> Iterator[tuple[object, ...]]:
    for name, found in (("comparison", report.comparison), ("placebo before", report.before)):
        if found is not None:
            yield (name, "helped", found.pairs, found.helped / found.pairs, "", "")
            yield (name, "not helped", found.pairs, found.others / found.pairs, "", "")
            yield (name, "difference", found.pairs, found.difference, found.low, found.high)
    yield ("placebo pretended", "tries", report.pretended, "", "", "")
    yield ("placebo pretended", "found", report.pretended_found, "", "", "")
    for row in report.balance:
        yield ("difference before matching", row.column, "", row.before, "", "")
        yield ("difference after matching", row.column, "", row.after, "", "")
    for quarter in report.quarters:
        share = quarter.share
        yield ("not helped, by quarter", quarter.month, quarter.cases, *_three(share))
    for reason in report.withheld:
        yield ("not given", reason, "", "", "", "")


def _three(share: object) -> tuple[object, object, object]:
    return tuple(getattr(share, name) for name in ("value", "low", "high"))


def _parts(report: InterventionReport) -> Iterator[Part]:
    if report.comparison is not None and report.strength is not None:
        yield _comparison(report, report.comparison, report.strength)
    yield Part("What these figures rest on", items=report.assumptions)
    yield _placebo(report)
    yield _balance(report)
    yield _trend(report)


def _comparison(report: InterventionReport, found: Compared, strength: Strength) -> Part:
    return Part(
        "The association",
        (
            _said(report, found),
            _bound(strength),
        ),
        None,
        (
            PageTable(
                "Pairs of a helped family and one like it",
                ("pairs", "how many"),
                (
                    ("both made progress", f"{found.helped - found.helped_only:,}"),
                    ("the helped one alone", f"{found.helped_only:,}"),
                    ("the other alone", f"{found.others_only:,}"),
                    ("neither", f"{found.pairs - found.helped - found.others_only:,}"),
                    (
                        "chance of so uneven a split by lot (McNemar)",
                        "below .001" if found.p < _SMALL else f"{found.p:.3f}",
                    ),
                ),
            ),
        ),
    )


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
    return Part(
        "Placebo tests",
        (
            said,
            pretended,
        ),
    )


def _balance(report: InterventionReport) -> Part:
    support = report.support
    return Part(
        "Whether families were alike before",
        (
            (f"{support.matched:,} of {support.known:,} helped families of which the outcome is "
            f"known found somebody like them, among {support.others:,} families that were not "
            "helped when they were looked at. Differences are in standard deviations; above "
            f"{MOST} in size the comparison is not given."),
        ),
        intervals(
            [point for row in report.balance for point in _points(row)],
            ("before matching", "after matching"), "difference in standard deviations",
            "Standardised differences before and after matching; the table below has them", ".2f",
        ),
        (
            PageTable(
                "Standardised differences",
                ("what was known", "helped", "not helped", "before matching", "after matching"),
                tuple(
                    (row.column.replace("_", " ").replace(":", ", "), f"{row.helped:.2f}",
                     f"{row.others:.2f}", f"{row.before:+.2f}", f"{row.after:+.2f}")
                    for row in report.balance
                ),
            ),
        ),
    )  # fmt: skip


def _points(row: BalanceRow) -> Iterator[dict[str, object]]:
    group = row.column.replace("_", " ").replace(":", ", ")
    yield {"group": group, "series": "before matching", "value": row.before}
    yield {"group": group, "series": "after matching", "value": row.after}


def _trend(report: InterventionReport) -> Part:
    earlier = report.earlier
    said = (
        "No family's time was over before help first began, or too few: there is no earlier cohort."
        if earlier is None
        else f"Of families whose time was over before help first began ({earlier.cases:,} cases) "
        f"{with_interval(earlier.share)} made progress."
    )
    return Part(
        "Families that were not helped, over time",
        (f"Weighed to the helped families' numbers of needs. {said}",),
        intervals(
            [
                {"group": row.month, "series": "not helped", **row.share.model_dump()}
                for row in report.quarters
            ],
            ("not helped", " "), "made progress",
            "Progress of families that were not helped by quarter; the table below has it",
        ) if report.quarters else None,
        (
            PageTable(
                "By the quarter in which their time began",
                ("quarter from", "cases", "made progress"),
                tuple(
                    (row.month, f"{row.cases:,}", with_interval(row.share))
                    for row in report.quarters
                ),
            ),
        ),
    )  # fmt: skip
