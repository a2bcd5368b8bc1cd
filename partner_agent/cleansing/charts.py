"""Charts of the quality report as inline SVG: Altair's grammar drawn by vl-convert, offline."""

import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import vl_convert
from markupsafe import Markup

from partner_agent.cleansing.quality import Band, ColumnQuality

_WIDTH = 760  # pixels
_STEP = 24  # pixels a bar
_STATES = ("kept as given", "repaired", "queried", "dropped", "blank")
# told apart without colour vision, and at least 3:1 against white; a table stands beside each
_COLOURS = ("#1d70b8", "#00703c", "#b58800", "#d4351c", "#8e969c")
_BAR = "#1d70b8"


def column_chart(columns: dict[str, ColumnQuality]) -> Markup:
    """Stacked bars: what became of the cells of each column, in percent of the accepted rows."""
    records = []
    for name, quality in columns.items():
        rows = quality.present + quality.missing
        kept = quality.present - quality.repaired - quality.queried
        blank = quality.missing - quality.dropped
        counts = (kept, quality.repaired, quality.queried, quality.dropped, blank)
        for order, (state, count) in enumerate(zip(_STATES, counts, strict=True)):
            percent = 100 * max(count, 0) / rows if rows else 0
            records.append({"column": name, "state": state, "percent": percent, "order": order})
    chart = (
        alt.Chart(pd.DataFrame(records))
        .mark_bar()
        .encode(
            x=alt.X(
                "percent:Q", title="percent of accepted rows", scale=alt.Scale(domain=[0, 100])
            ),
            y=alt.Y("column:N", title=None, sort=None),
            color=alt.Color(
                "state:N",
                title=None,
                scale=alt.Scale(domain=list(_STATES), range=list(_COLOURS)),
                legend=alt.Legend(orient="top"),
            ),
            order="order:O",
        )
        .properties(width=_WIDTH, height=alt.Step(_STEP))
    )
    return _svg(
        chart, "What became of the cells of each column, in percent; the table below has it"
    )


def band_chart(bands: Sequence[Band], label: str, unit: str) -> Markup:
    """Bars of people by band; suppressed bands are left empty."""
    data = pd.DataFrame({"band": [b.label for b in bands], "people": [b.count or 0 for b in bands]})
    chart = (
        alt.Chart(data)
        .mark_bar(color=_BAR)
        .encode(
            x=alt.X("people:Q", title="rows", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("band:N", title=unit, sort=None),
        )
        .properties(width=_WIDTH, height=alt.Step(_STEP))
    )
    return _svg(chart, label)


def _svg(chart: Any, label: str) -> Markup:
    spec = (
        chart.configure(font="arial, sans-serif")
        .configure_axis(labelFontSize=13, titleFontSize=13, labelLimit=260)
        .configure_legend(labelFontSize=13)
        .configure_view(stroke=None)
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(spec)
    svg = re.sub(r"\saria-[a-z-]+=\"[^\"]*\"|\srole=\"[^\"]*\"", "", svg)
    opening = f'<svg role="img" aria-label="{label}" style="max-width:100%;height:auto" '
    return Markup(svg.replace("<svg ", opening, 1))  # noqa: S704 - drawn here, from counts only
