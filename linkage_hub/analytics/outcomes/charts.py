"""Charts of reports as inline SVG: Altair's grammar drawn by vl-convert on this computer.

A table beside each has the same figures. The libraries are loaded when they are first needed.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup, escape

_WIDTH: Final = 640  # pixels
_BESIDE_LABELS: Final = 440
_HEIGHT: Final = 280
_STEP: Final = 26  # pixels a line
_POINTS: Final = "points"
_CHARACTER: Final = 7.5
"""A label's; fonts are not measured here as they are drawn."""
COLOURS: Final = (
    "#0b0c0c", "#1d70b8", "#b58800", "#00703c", "#d4351c", "#4c2c92", "#505a5f", "#c2185b",
)  # fmt: skip
"""Told apart without colour vision with the dashes beside them, and at least 3:1 against white."""
_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3], [10, 4], [3, 1])
_MOST: Final = len(COLOURS)

Rows = Sequence[dict[str, Any]]


def curves(points: Rows, names: Sequence[str], axes: tuple[str, str], label: str) -> Markup:
    """Lines with their intervals.

    Args:
        points: ``group``, ``month``, ``value``, ``low``, ``high``.
        names: of groups, in order.
        axes: of months and values.
        label: what the chart shows.
    """
    alt = _altair()
    count = len(names)
    base = alt.Chart(alt.NamedData(name=_POINTS)).encode(
        x=alt.X("month:Q", title=axes[0], axis=alt.Axis(tickMinStep=1)),
        color=alt.Color(
            "group:N",
            title=None,
            scale=alt.Scale(domain=list(names), range=[COLOURS[i % _MOST] for i in range(count)]),
            legend=alt.Legend(orient="right", symbolOpacity=1, symbolType="stroke"),
        ),
    )
    lines = base.mark_line(strokeWidth=2).encode(
        y=alt.Y("value:Q", title=axes[1], axis=alt.Axis(format="%")),
        strokeDash=alt.StrokeDash(
            "group:N",
            title=None,
            scale=alt.Scale(domain=list(names), range=[_DASHES[i % _MOST] for i in range(count)]),
        ),
    )
    bands = base.mark_area(opacity=0.12).encode(y=alt.Y("low:Q"), y2="high:Q")
    return _svg((bands + lines).properties(width=_WIDTH, height=_HEIGHT), points, label)


def intervals(
    points: Rows, names: tuple[str, str], axis: str, label: str, form: str = "%"
) -> Markup:
    """Two series of dots beside labels, the second with intervals where it has them.

    Args:
        points: ``group``, ``series`` (one of ``names``), ``value``, and ``low`` and ``high``.
        names: of the two.
        axis: of values.
        label: what the chart shows.
        form: how values are written.
    """
    alt = _altair()
    longest = _CHARACTER * max((len(str(point["group"])) for point in points), default=0)
    base = alt.Chart(alt.NamedData(name=_POINTS)).encode(
        y=alt.Y("group:N", title=None, sort=None, axis=alt.Axis(minExtent=longest)),
        yOffset=alt.YOffset("series:N", sort=list(names)),
        color=alt.Color(
            "series:N",
            title=None,
            scale=alt.Scale(domain=list(names), range=list(COLOURS[1:3])),
            legend=alt.Legend(orient="top", columnPadding=60, labelLimit=400),
        ),
    )
    scale = alt.Scale(zero=False)
    dots = base.mark_point(filled=True, size=60).encode(
        x=alt.X("value:Q", title=axis, scale=scale, axis=alt.Axis(format=form)),
        shape=alt.Shape("series:N", sort=list(names), legend=None),
    )
    rules = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    chart = (rules + dots).properties(
        width=_BESIDE_LABELS, height=alt.Step(_STEP, **{"for": "position"})
    )
    return _svg(chart, points, label)


def _altair() -> Any:
    import altair as alt  # noqa: PLC0415 - see above

    return alt


def _svg(chart: Any, points: Rows, label: str) -> Markup:
    import vl_convert  # noqa: PLC0415 - see above

    spec = (
        chart.configure(font="arial, sans-serif", background="white")
        .configure_axis(labelFontSize=13, titleFontSize=13, labelLimit=0)
        .configure_legend(labelFontSize=13, labelLimit=0)
        .configure_view(stroke=None)
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(
        spec
        | {
            "padding": {"left": 5, "top": 5, "right": 60, "bottom": 5},
            "datasets": {_POINTS: list(points)},
        }
    )
    svg = re.sub(r"\saria-[a-z-]+=\"[^\"]*\"|\srole=\"[^\"]*\"", "", svg)
    opening = f'<svg role="img" aria-label="{escape(label)}" '
    return Markup(svg.replace("<svg ", opening, 1))  # noqa: S704 - drawn here, of escaped text
