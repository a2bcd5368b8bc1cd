"""The engagement report as a page and as one flat table."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from linkage_hub.analytics.engagement.chances import HORIZONS
from linkage_hub.analytics.engagement.report import (
    CalibrationRow,
    EngagementReport,
    GroupCurve,
    Interval,
    TeamRow,
    Validation,
)
from linkage_hub.analytics.outcomes.charts import curves, intervals
from linkage_hub.analytics.outcomes.pages import (
    PageTable,
    Part,
    number,
    page,
    percent,
    with_interval,
)

_CURVES: Final = (
    "The share of families that have made progress by 6, 12 and 18 months since joining, as it "
    "would be had all been watched for so long (Kaplan and Meier)."
)
_HEADS: Final = ("part", "group", "month", "families", "value", "low", "high", "expected")


def as_page(report: EngagementReport) -> bytes:
    """The report to print."""
    return page(
        "Time to progress in the programme",
        f"{report.families:,} families that joined from {report.first} on, watched until "
        f"{report.last}; {report.progressed:,} are known to have made progress. In brackets 95 % "
        "intervals. For professional consideration: nothing is decided by these figures.",
        list(_parts(report)),
    )


def as_csv(report: EngagementReport) -> bytes:
    """One line an estimate."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADS)
    writer.writerows(_lines(report))
    return text.getvalue().encode()


def _lines(report: EngagementReport) -> Iterator[tuple[object, ...]]:
    for curve in report.curves:
        for point in curve.at:
            yield ("progress", curve.group, point.month, curve.families, *_three(point.share), "")
    found = report.validation
    if found is not None:
        for kind, c in (("harrell", found.harrell), ("uno", found.uno)):
            yield ("concordance", kind, HORIZONS[-1], found.measured_on, *_three(c), "")
        for row in found.rows:
            yield (
                "calibration", row.group, row.month, row.families, *_three(row.seen), row.expected
            )  # fmt: skip
    for team in report.teams:
        yield ("team, progress", team.team, 12, team.families, *_three(team.in_a_year), "")
        for need, share in team.met.items():
            yield (f"team, {need} met", team.team, "", team.families, share, "", "", "")
            unknown = team.unknown[need]
            yield (f"team, {need} unknown", team.team, "", team.families, unknown, "", "", "")


def _three(found: Interval | None) -> tuple[object, object, object]:
    return ("", "", "") if found is None else (found.value, found.low, found.high)


def _parts(report: EngagementReport) -> Iterator[Part]:
    yield _curves(report.curves)
    if report.validation is not None:
        yield _validation(report.validation)
    if report.teams:
        yield _teams(report.teams)
    yield Part("What these figures rest on", items=report.notes)


def _curves(found: tuple[GroupCurve, ...]) -> Part:
    points = [
        {"group": curve.group, "month": month, **share}
        for curve in found
        for month, share in [
            (0, {"value": 0, "low": 0, "high": 0}),
            *((point.month, point.share.model_dump()) for point in curve.at),
        ]
    ]
    rows = []
    for curve in found:
        at = {point.month: point.share for point in curve.at}
        rows.append(
            (
                curve.group, f"{curve.families:,}", f"{curve.progressed:,}",
                *(with_interval(at.get(month)) for month in HORIZONS),
                _half(curve.half_by),
            )
        )  # fmt: skip
    return Part(
        "Progress by number of needs on joining",
        (_CURVES,),
        curves(
            points, [curve.group for curve in found], ("months since joining", "made progress"),
            "Share of families that made progress by months since joining, by number of needs; "
            "the table below has it",
        ),
        (
            PageTable(
                "Chance of progress",
                ("needs on joining", "families", "made progress",
                 *(f"by {month} months" for month in HORIZONS), "half have by"),
                tuple(rows),
            ),
        ),
    )  # fmt: skip


def _half(month: int | None) -> str:
    return "not by 18 months" if month is None else f"{month} months"


def _validation(found: Validation) -> Part:
    longest = max((row.month for row in found.rows if row.seen is not None), default=None)
    shown = [row for row in found.rows if row.month == longest and row.seen is not None]
    return Part(
        "How far figures hold for later families", (_held_against(found),),
        intervals(
            [point for row in shown for point in _expected_and_seen(row)],
            ("expected", "came"), f"made progress by {longest} months",
            "Expected and observed progress of groups of families; the table below has it",
        ) if shown else None,
        (
            PageTable(
                "Expected and what came",
                ("families", "by months", "how many", "expected", "came"),
                tuple(
                    (row.group, str(row.month), f"{row.families:,}", percent(row.expected),
                     with_interval(row.seen))
                    for row in found.rows
                ),
            ),
        ),
    )  # fmt: skip


def _held_against(found: Validation) -> str:
    return (
        f"Figures by {found.by}, learnt from {found.learnt_from:,} families that had joined by "
        f"{found.split}, as they were known then, and held against {found.measured_on:,} that "
        f"joined later ({found.without:,} of which have no figure). "
        "Concordance is how often, of two families, the one that is expected to make progress "
        "sooner does; a half is guessing. Harrell's: "
        f"{number(found.harrell)}; Uno's, which does not hang on how long families were watched: "
        f"{number(found.uno)}."
    )


def _expected_and_seen(row: CalibrationRow) -> Iterator[dict[str, object]]:
    group = row.group
    yield {"group": group, "series": "expected", "value": row.expected}
    if row.seen is not None:
        yield {"group": group, "series": "came", **row.seen.model_dump()}


def _teams(teams: tuple[TeamRow, ...]) -> Part:
    needs = list(teams[0].met)
    return Part(
        "Length and mix of needs by team",
        ("Teams work with different families: a longer time says nothing of a team's work.",),
        None,
        (
            PageTable(
                "Length",
                ("team", "families", "needs on joining, mean", "half have by",
                 "progress by 12 months"),
                tuple(
                    (team.team, f"{team.families:,}", f"{team.mean_needs:.1f}",
                     _half(team.half_by),
                     with_interval(team.in_a_year))
                    for team in teams
                ),
            ),
            PageTable(
                "Families with each need on joining, and of how many it is unknown",
                ("need", *(team.team for team in teams)),
                tuple(
                    (need.replace("_", " "),
                     *(f"{percent(team.met[need])} ({percent(team.unknown[need])} unknown)"
                       for team in teams))
                    for need in needs
                ),
            ),
        ),
    )  # fmt: skip
