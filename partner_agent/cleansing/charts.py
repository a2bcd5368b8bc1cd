"""Charts of the quality report; a table stands beside each."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from governance.reports.charts import svg_of
from governance.reports.models import Bar, Bars
from partner_agent.cleansing.quality import Band, ColumnQuality

_STATES: Final = ("kept as given", "repaired", "queried", "dropped", "blank")


def column_chart(columns: dict[str, ColumnQuality]) -> Markup:
    """Stacked bars: what became of the cells of each column, in percent of the accepted rows."""
    points = []
    for name, quality in columns.items():
        rows = quality.present + quality.missing
        kept = quality.present - quality.repaired - quality.queried
        blank = quality.missing - quality.dropped
        counts = (kept, quality.repaired, quality.queried, quality.dropped, blank)
        for state, count in zip(_STATES, counts, strict=True):
            percent = 100 * max(count, 0) / rows if rows else 0
            points.append(Bar(line=name, series=state, value=percent))
    return svg_of(
        Bars(
            label="What became of the cells of each column, in percent; the table below has it",
            axis="percent of accepted rows",
            series=_STATES,
            stacked=True,
            points=tuple(points),
        )
    )


def band_chart(bands: Sequence[Band], label: str) -> Markup:
    """Bars of people by band; suppressed bands are left empty."""
    points = tuple(Bar(line=band.label, series="", value=band.count or 0) for band in bands)
    return svg_of(Bars(label=label, axis="rows", series=("",), stacked=True, points=points))
