"""Charts of runs: Altair's grammar, drawn by vl-convert on this computer, no script needed.

A table beside each chart has the same figures; the chart's name says what it shows. The libraries
are loaded with the first chart: they take a second and a hundred megabytes.
"""

from typing import Any, Final

from governance.exchange.analysis_api import ThresholdTable
from governance.exchange.hub_api import QualityTable

_WIDTH: Final = 560  # pixels
_HEIGHT: Final = 260
_STEP: Final = 26  # pixels a line
_COLOURS: Final = ("#1d70b8", "#b58800")
"""Told apart without colour vision, and at least 3:1 against white."""


def threshold_chart(table: ThresholdTable, names: tuple[str, str], axes: tuple[str, str]) -> bytes:
    """Estimated precision and recall by threshold, SVG.

    Args:
        table: of a run.
        names: of precision and recall.
        axes: of the threshold and of the share.
    """
    alt = _altair()
    points = [
        {"threshold": row.threshold, "share": share, "figure": name}
        for row in table.rows
        for name, share in zip(names, (row.estimated_precision, row.estimated_recall), strict=True)
    ]
    chart = (
        alt.Chart(alt.Data(values=points))
        .mark_line(point=True)
        .encode(
            x=alt.X("threshold:Q", title=axes[0], scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("share:Q", title=axes[1], scale=alt.Scale(zero=False)),
            color=_colour(alt, names),
            shape=alt.Shape("figure:N", sort=list(names), legend=None),
        )
        .properties(width=_WIDTH, height=_HEIGHT)
    )
    return _svg(chart)


def quality_chart(table: QualityTable, names: tuple[str, str], axis: str) -> bytes:
    """Predicted precision and recall of each group with their intervals, SVG.

    Args:
        table: of a run.
        names: of precision and recall.
        axis: of the share.
    """
    alt = _altair()
    points = [
        {
            "group": f"{row.group} {row.value}".strip().replace("_", " "),
            "share": share.value,
            "low": share.low,
            "high": share.high,
            "figure": name,
        }
        for row in table.rows
        for name, share in zip(names, (row.predicted_precision, row.predicted_recall), strict=True)
        if share is not None
    ]
    base = alt.Chart(alt.Data(values=points)).encode(
        y=alt.Y("group:N", title=None, sort=None),
        yOffset=alt.YOffset("figure:N", sort=list(names)),
        color=_colour(alt, names),
    )
    scale = alt.Scale(zero=False)
    dots = base.mark_point(filled=True, size=60).encode(
        x=alt.X("share:Q", title=axis, scale=scale),
        shape=alt.Shape("figure:N", sort=list(names), legend=None),
    )
    lines = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    return _svg((lines + dots).properties(width=_WIDTH, height=alt.Step(_STEP)))


def _altair() -> Any:
    import altair as alt  # noqa: PLC0415 - see above

    return alt


def _colour(alt: Any, names: tuple[str, str]) -> Any:
    return alt.Color(
        "figure:N",
        title=None,
        scale=alt.Scale(domain=list(names), range=list(_COLOURS)),
        legend=alt.Legend(orient="top", columnPadding=60, labelLimit=400),
    )


def _svg(chart: Any) -> bytes:
    import vl_convert  # noqa: PLC0415 - see above

    spec = (
        chart.configure(font="arial, sans-serif", background="white")
        .configure_axis(labelFontSize=14, titleFontSize=14, labelLimit=220)
        .configure_legend(labelFontSize=14)
        .configure_view(stroke=None)
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg.encode()
