"""Charts of runs, as data that ``governance.reports.charts`` draws.

A table beside each chart has the same figures; the chart's name says what it shows.
"""

from typing import NamedTuple

from governance.exchange.analysis_api import ThresholdTable
from governance.exchange.hub_api import QualityTable
from governance.reports.models import CurvePoint, Curves, Dot, Dots


def threshold_chart(table: ThresholdTable, names: tuple[str, str], axes: tuple[str, str]) -> Curves:
    """Estimated precision and recall by threshold.

    Args:
        table: of a run.
        names: of precision and recall.
        axes: of the threshold and of the share.
    """
    points = tuple(
        CurvePoint(series=name, at=row.threshold, value=share)
        for row in table.rows
        for name, share in zip(names, (row.estimated_precision, row.estimated_recall), strict=True)
    )
    return Curves(label="", axes=axes, series=names, points=points)


def quality_chart(table: QualityTable, names: tuple[str, str], axis: str) -> Dots:
    """Predicted precision and recall of each group with their intervals.

    Args:
        table: of a run.
        names: of precision and recall.
        axis: of the share.
    """
    points = tuple(
        Dot(
            line=f"{row.group} {row.value}".strip().replace("_", " "),
            series=name,
            value=share.value,
            low=share.low,
            high=share.high,
        )
        for row in table.rows
        for name, share in zip(names, (row.predicted_precision, row.predicted_recall), strict=True)
        if share is not None
    )
    return Dots(label="", axis=axis, series=names, points=points)


class EffectBar(NamedTuple):
    """A figure of a run, and what it would be without errors of linkage."""

    name: str
    found: int
    value: int
    low: int
    high: int


def effects_chart(bars: tuple[EffectBar, ...], axis: str) -> Dots:
    """By how much each figure would differ without errors of linkage, with its interval.

    Args:
        bars: of figures that are not nought.
        axis: of the difference, as a share of the run's own figure.
    """
    points = tuple(
        Dot(line=bar.name, series="", **{end: getattr(bar, end) / bar.found - 1.0
                                         for end in ("value", "low", "high")})
        for bar in bars
    )  # fmt: skip
    return Dots(label="", axis=axis, series=("",), form="+.1%", points=points)
