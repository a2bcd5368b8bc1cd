"""The engagement report as a report to read."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from governance.reports.models import (
    Cell,
    CurvePoint,
    Curves,
    Dot,
    Dots,
    Highlight,
    Part,
    Report,
    Table,
)
from linkage_hub.analytics.engagement.chances import HORIZONS
from linkage_hub.analytics.engagement.report import (
    CalibrationRow,
    EngagementReport,
    GroupCurve,
    TeamRow,
    Validation,
)
from linkage_hub.analytics.outcomes.documents import estimate, origin

_CURVES: Final = (
    "The share of families that have made progress by 6, 12 and 18 months since joining, as it "
    "would be had all been watched for so long (Kaplan and Meier)."
)
_TEAMS: Final = "Teams work with different families: a longer time says nothing of a team's work."
_CONCORDANCE: Final = (
    "Concordance is how often, of two families, the one that is expected to make progress sooner "
    "does; a half is guessing."
)
_EXPECTED, _CAME = "expected", "came"


def document_of(report: EngagementReport, made_on: date, program: str) -> Report:
    """A report to read.

    Args:
        report: what is said of families' time in the programme.
        made_on: today.
        program: hash of the one that makes it.
    """
    return Report(
        kind="engagement",
        title="Time to progress in the programme",
        lead=(_lead(report),),
        made_on=made_on.isoformat(),
        program=program,
        highlights=(
            Highlight(name="families", count=report.families),
            Highlight(name="known to have made progress", count=report.progressed),
        ),
        parts=tuple(_parts(report)),
        **origin(report, "engagement.json", report.provenance),
    )


def _lead(report: EngagementReport) -> str:
    return (
        f"{report.families:,} families that joined from {report.first} on, watched until "
        f"{report.last}; {report.progressed:,} are known to have made progress. In brackets "
        "95 % intervals. For professional consideration: nothing is decided by these figures."
    )


def _parts(report: EngagementReport) -> Iterator[Part]:
    yield _curves(report.curves)
    if report.validation is not None:
        yield _validation(report.validation)
    if report.teams:
        yield _teams(report.teams)
    yield Part(id="notes", heading="What these figures rest on", items=report.notes)


def _curves(found: tuple[GroupCurve, ...]) -> Part:
    headings = [f"by {month} months" for month in HORIZONS]
    rows = []
    for curve in found:
        at = {point.month: point.share for point in curve.at}
        shares = [estimate(at.get(month)) for month in HORIZONS]
        rows.append((curve.group, curve.families, curve.progressed, *shares, _half(curve.half_by)))
    return Part(
        id="progress",
        heading="Progress by number of needs on joining",
        texts=(_CURVES,),
        chart=Curves(
            label=(
                "Share of families that made progress by months since joining, by number of "
                "needs; the table below has it"
            ),
            axes=("months since joining", "made progress"),
            series=tuple(curve.group for curve in found),
            points=tuple(point for curve in found for point in _points(curve)),
        ),
        tables=(
            Table(
                id="progress",
                title="Chance of progress",
                headings=(
                    "needs on joining", "families", "made progress", *headings, "half have by",
                ),
                rows=tuple(rows),
                forms=dict.fromkeys(headings, "share"),
            ),
        ),
    )  # fmt: skip


def _points(curve: GroupCurve) -> Iterator[CurvePoint]:
    yield CurvePoint(series=curve.group, at=0, value=0, low=0, high=0)
    for point in curve.at:
        yield CurvePoint(series=curve.group, at=point.month, **point.share.model_dump())


def _half(month: int | None) -> str:
    return "not by 18 months" if month is None else f"{month} months"


def _validation(found: Validation) -> Part:
    longest = max((row.month for row in found.rows if row.seen is not None), default=None)
    shown = [row for row in found.rows if row.month == longest and row.seen is not None]
    calibration = Table(
        id="calibration",
        title="Expected and what came",
        headings=("families", "by months", "how many", _EXPECTED, _CAME),
        rows=tuple(
            (row.group, row.month, row.families, row.expected, estimate(row.seen))
            for row in found.rows
        ),
        forms={_EXPECTED: "share", _CAME: "share"},
    )
    concordance = Table(
        id="concordance",
        title="Concordance",
        notes=(_CONCORDANCE,),
        headings=("", "concordance"),
        rows=(
            ("Harrell's", estimate(found.harrell)),
            ("Uno's, which does not hang on how long families were watched", estimate(found.uno)),
        ),
        forms={"concordance": ".3f"},
    )
    return Part(
        id="validation",
        heading="How far figures hold for later families",
        texts=(_held_against(found),),
        chart=Dots(
            label="Expected and observed progress of groups of families; the table below has it",
            axis=f"made progress by {longest} months",
            series=(_EXPECTED, _CAME),
            points=tuple(point for row in shown for point in _expected_and_seen(row)),
        )
        if shown
        else None,
        tables=(calibration, concordance),
    )


def _held_against(found: Validation) -> str:
    return (
        f"Figures by {found.by}, learnt from {found.learnt_from:,} families that had joined by "
        f"{found.split}, as they were known then, and held against {found.measured_on:,} that "
        f"joined later ({found.without:,} of which have no figure)."
    )


def _expected_and_seen(row: CalibrationRow) -> Iterator[Dot]:
    yield Dot(line=row.group, series=_EXPECTED, value=row.expected)
    if row.seen is not None:
        yield Dot(line=row.group, series=_CAME, **row.seen.model_dump())


def _teams(teams: tuple[TeamRow, ...]) -> Part:
    mean, year = "needs on joining, mean", "progress by 12 months"
    length = Table(
        id="team-length",
        title="Length",
        headings=("team", "families", mean, "half have by", year),
        rows=tuple(
            (team.team, team.families, team.mean_needs, _half(team.half_by),
             estimate(team.in_a_year))
            for team in teams
        ),
        forms={mean: ".1f", year: "share"},
    )  # fmt: skip
    return Part(
        id="teams",
        heading="Length and mix of needs by team",
        texts=(_TEAMS,),
        tables=(
            length,
            _mix("team-needs", "Families with each need on joining",
                 {team.team: team.met for team in teams}),
            _mix("team-unknown", "Families of which it is unknown",
                 {team.team: team.unknown for team in teams}),
        ),
    )  # fmt: skip


def _mix(id_: str, title: str, by_team: dict[str, dict[str, float]]) -> Table:
    teams = list(by_team)
    rows: list[tuple[Cell, ...]] = [
        (need.replace("_", " "), *(by_team[team][need] for team in teams))
        for need in by_team[teams[0]]
    ]
    return Table(
        id=id_,
        title=title,
        headings=("need", *teams),
        rows=tuple(rows),
        forms=dict.fromkeys(teams, "share"),
    )
