"""What is said of families' time in the programme: curves, how far figures hold, teams.

Rules: figures are learnt from families that joined before a month, as they were known then, and
measured on those that joined later; of a curve there are three points, since one month by month
tells who is in it (ADR 42); a team or group with fewer families than the agreement's threshold is
put with others; whatever is estimated stands with its interval; a figure that nobody was watched
long enough for is absent. Staff of the agreement see it; what is published is :mod:`published`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from governance.canonical import Frozen, Hash
from governance.disclosure.counts import least_shown
from linkage_hub.analytics.engagement.chances import (
    GROUP_LEAST,
    HORIZONS,
    Chances,
    NeedsTable,
    calibration,
    chances_at,
)
from linkage_hub.analytics.engagement.concordance import with_interval
from linkage_hub.analytics.engagement.spells import Spells
from linkage_hub.analytics.engagement.survival import Chance, Curve, kaplan_meier
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.outcomes.errors import TooFew
from linkage_hub.analytics.outcomes.months import Month, text_of
from linkage_hub.analytics.outcomes.provenance import ELSEWHERE, TableProvenance
from linkage_hub.analytics.risk.features import Floats

LEAST: Final = 2 * GROUP_LEAST
"""Families of which anything is said at all."""
SEED: Final = 1
_MOST: Final = 0.5
"""Share of families without a figure from which on a horizon is not looked at."""
OTHERS: Final = "other teams and families without one"
Count = Annotated[int, Field(ge=0)]
Figure = Annotated[float, Field(ge=0, le=1)]


class Interval(Frozen):
    """An estimate and its 95 % interval."""

    value: Figure
    low: Figure
    high: Figure


class ByMonth(Frozen):
    """An estimate at a number of months since joining."""

    month: Annotated[int, Field(ge=1)]
    share: Interval


class GroupCurve(Frozen):
    """Progress of one group.

    Attributes:
        at: at 6, 12 and 18 months, those that families were watched for.
        half_by: the first of these by which half have made progress; None where none is.
    """

    group: str
    families: Count
    progressed: Count
    at: tuple[ByMonth, ...]
    half_by: int | None


class CalibrationRow(Frozen):
    """Families with like figures at a horizon."""

    month: int
    group: str
    families: Count
    expected: Figure
    seen: Interval | None


class Validation(Frozen):
    """How far figures hold for families of a later time.

    Attributes:
        split: what joined by then is learnt from, as it was known then; what joined later is
            measured on.
        by: what gives the figures.
        without: those among them of which no figure can be given, since too few like them were
            watched for so long.
        harrell, uno: concordance, of pairs whose order is known within 18 months.
    """

    split: Month
    by: Literal["number of needs", "model"]
    learnt_from: Count
    measured_on: Count
    without: Count
    harrell: Interval | None
    uno: Interval | None
    rows: tuple[CalibrationRow, ...]


class TeamRow(Frozen):
    """Length and mix of needs of one team's families; shares are of all of them."""

    team: str
    families: Count
    half_by: int | None
    in_a_year: Interval | None
    mean_needs: Annotated[float, Field(ge=0)]
    met: dict[str, Figure]
    unknown: dict[str, Figure]


class EngagementReport(Frozen):
    """``engagement-report/v1``.

    Attributes:
        table: SHA-256 of what it was made from; ``provenance``: where that comes from, None where
            the user says that it was made elsewhere.
        late: families that came under observation after they had joined.
    """

    format: Literal["engagement-report/v1"] = "engagement-report/v1"
    agreement: Hash
    table: Hash
    provenance: TableProvenance | None
    families: Count
    progressed: Count
    first: Month
    last: Month
    late: Count
    curves: tuple[GroupCurve, ...]
    validation: Validation | None
    teams: tuple[TeamRow, ...]
    notes: tuple[str, ...]
    use: Literal["for professional consideration"] = "for professional consideration"


def report_of(
    spells: Spells,
    agreement: str,
    table: str,
    provenance: TableProvenance | None,
    threshold: int,
    model: Chances | None = None,
    split: int | None = None,
) -> EngagementReport:
    """The report.

    Args:
        spells: families in the programme.
        agreement: its hash.
        table: SHA-256 of the table.
        provenance: of the table.
        threshold: of the agreement (suppression_threshold).
        model: in place of the number of needs, if it was learnt from families up to ``split``.
        split: month; where it is None, that by which two thirds had joined.

    Raises:
        TooFew: fewer families than ``LEAST``.
    """
    if len(spells) < LEAST:
        raise TooFew(f"{len(spells)} families: expected {LEAST} or more")
    least = max(GROUP_LEAST, least_shown(threshold))
    groups = NeedsTable(spells, least).groups
    times = spells.times
    return EngagementReport(
        agreement=agreement,
        table=table,
        provenance=provenance,
        families=len(spells),
        progressed=int(times.event.sum()),
        first=text_of(int(spells.joined.min())),
        last=text_of(int(spells.seen_to.max())),
        late=int((times.entry > 0).sum()),
        curves=(
            _curve("all families", len(spells), kaplan_meier(times)),
            *(_curve(group.name, len(group.times), group.curve) for group in groups),
        ),
        validation=validated(spells, model, split, least),
        teams=tuple(_teams(spells, least)),
        notes=notes_of(int((spells.times.entry > 0).sum()), provenance),
    )


def validated(
    spells: Spells, model: Chances | None, split: int | None, least: int
) -> Validation | None:
    """Learnt from what was known at a month, measured on who joined later.

    None where either is too few families, or nobody was watched long enough for a figure.
    """
    month = int(np.quantile(spells.joined, 2 / 3)) if split is None else split
    early, late = spells.as_known(month), spells.rows(spells.joined > month)
    if min(len(early), len(late)) < LEAST:
        return None
    chances = NeedsTable(early, least) if model is None else model
    at = chances_at(chances, late)
    figures = _longest(at)
    if figures is None:
        return None
    told, most = ~np.isnan(figures), HORIZONS[-1]
    times = late.times.rows(told)
    harrell = with_interval(times, figures[told], "harrell", most, SEED)
    uno = with_interval(times, figures[told], "uno", most, SEED)
    return Validation(
        split=text_of(month),
        by="number of needs" if model is None else "model",
        learnt_from=len(early),
        measured_on=len(late),
        without=int((~told).sum()),
        harrell=_interval(harrell),
        uno=_interval(uno),
        rows=tuple(_calibration(late, at)),
    )


def _longest(at: Callable[[int], Floats]) -> Floats | None:
    """Figures at the longest horizon at which most families have one."""
    figures = [at(month) for month in HORIZONS]
    return next((each for each in reversed(figures) if np.isnan(each).mean() < _MOST), None)


def _calibration(late: Spells, at: Callable[[int], Floats]) -> Iterator[CalibrationRow]:
    for month in HORIZONS:
        figures = at(month)
        told = ~np.isnan(figures)
        if int(told.sum()) < LEAST:
            continue
        for row in calibration(late.times.rows(told), figures[told], month):
            yield CalibrationRow(
                month=month,
                group=row.name,
                families=row.families,
                expected=round(row.expected, 4),
                seen=_interval(row.seen),
            )


def _curve(name: str, families: int, curve: Curve) -> GroupCurve:
    return GroupCurve(
        group=name,
        families=families,
        progressed=int(curve.progressed.sum()),
        at=tuple(_by(month, curve) for month in HORIZONS if month <= curve.followed),
        half_by=_half_by(curve),
    )


def _by(month: int, curve: Curve) -> ByMonth:
    share = _interval(curve.by(month))
    if share is None:
        raise ValueError("a month that was not watched for")
    return ByMonth(month=month, share=share)


def _half_by(curve: Curve) -> int | None:
    median = curve.median()
    return None if median is None else next((m for m in HORIZONS if median <= m), None)


def _interval(chance: Chance | None) -> Interval | None:
    if chance is None:
        return None
    return Interval(
        value=round(chance.value, 4), low=round(chance.low, 4), high=round(chance.high, 4)
    )


def _teams(spells: Spells, least: int) -> Iterator[TeamRow]:
    names, at = np.unique(spells.team.astype(str), return_inverse=True)
    if names.tolist() == [""]:
        return
    size = np.bincount(at)
    large = [number for number, name in enumerate(names) if name and size[number] >= least]
    rest = ~np.isin(at, large)
    for number in large:
        yield _team(str(names[number]), spells.rows(at == number))
    if int(rest.sum()) >= least:
        yield _team(OTHERS, spells.rows(rest))


def _team(name: str, spells: Spells) -> TeamRow:
    curve = kaplan_meier(spells.times)
    return TeamRow(
        team=name,
        families=len(spells),
        half_by=_half_by(curve),
        in_a_year=_interval(curve.by(12)),
        mean_needs=round(float(spells.met.mean()), 2),
        met=_shares(spells.needs, spells.state == MET),
        unknown=_shares(spells.needs, spells.state == UNKNOWN),
    )


def _shares(needs: Sequence[str], chosen: NDArray[np.bool_]) -> dict[str, float]:
    return dict(zip(needs, np.round(chosen.mean(axis=0), 3).tolist(), strict=True))


def notes_of(late: int, provenance: TableProvenance | None) -> tuple[str, ...]:
    """What the figures rest on.

    Args:
        late: families that came under observation after they had joined.
        provenance: of the table; None where it was made elsewhere.
    """
    return tuple(_notes(late, provenance))


def _notes(late: int, provenance: TableProvenance | None) -> Iterator[str]:
    yield (
        "Progress is known once what was met on joining is known to be unmet. A need of which "
        "nobody speaks any more is not resolved."
    )
    yield (
        "Families that are not watched any more count for the months in which they were, as if "
        "they then had the same chance as those still watched. Where families leave because "
        "things go well or badly, the figures are off."
    )
    if late:
        yield (
            f"{late} families came under observation after they had joined, and count from then "
            "on; those who made progress before anybody looked are not in the table."
        )
    if provenance is None:
        yield ELSEWHERE
        return
    for reason, families in provenance.left_out.items():
        if families:
            yield f"Left out: {families} families, {reason}."
