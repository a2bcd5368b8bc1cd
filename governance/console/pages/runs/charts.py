"""Charts of runs: Altair's grammar, drawn by vl-convert on this computer, no script needed.

A table beside each chart has the same figures; the chart's name says what it shows. Rules: the
libraries, which take two seconds and a hundred megabytes, are loaded when they are first needed;
drawing holds up every other request of the process, so the newest pictures are kept, each under the
very figures and words that it shows, and whoever may have those may have it; labels have their own
length, since finding out where each is to be cut takes longer than all the rest.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from governance.exchange.analysis_api import ThresholdTable
from governance.exchange.hub_api import QualityTable

_KEPT: Final = 64
"""Pictures of each kind; a picture has some 200 kB."""
_WIDTH: Final = 560  # pixels
_BESIDE_LABELS: Final = 440  # pixels
_HEIGHT: Final = 260
_POINTS: Final = "points"
_STEP: Final = 26  # pixels a line
_COLOURS: Final = ("#1d70b8", "#b58800")
"""Told apart without colour vision, and at least 3:1 against white."""


@lru_cache(maxsize=_KEPT)
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
        alt.Chart(alt.NamedData(name=_POINTS))
        .mark_line(point=True)
        .encode(
            x=alt.X("threshold:Q", title=axes[0], scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("share:Q", title=axes[1], scale=alt.Scale(zero=False)),
            color=_colour(alt, names),
            shape=alt.Shape("figure:N", sort=list(names), legend=None),
        )
        .properties(width=_WIDTH, height=_HEIGHT)
    )
    return _svg(chart, points)


@lru_cache(maxsize=_KEPT)
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
    base = alt.Chart(alt.NamedData(name=_POINTS)).encode(
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
    return _svg((lines + dots).properties(width=_BESIDE_LABELS, height=alt.Step(_STEP)), points)


class EffectBar(NamedTuple):
    """A figure of a run, and what it would be without errors of linkage."""

    name: str
    found: int
    value: int
    low: int
    high: int


@lru_cache(maxsize=_KEPT)
def effects_chart(bars: tuple[EffectBar, ...], axis: str) -> bytes:
    """By how much each figure would differ without errors of linkage, with its interval, SVG.

    Args:
        bars: of figures that are not nought.
        axis: of the difference, as a share of the run's own figure.
    """
    alt = _altair()
    points = [
        {"figure": bar.name, **{end: getattr(bar, end) / bar.found - 1.0
                                for end in ("value", "low", "high")}}
        for bar in bars
    ]  # fmt: skip
    chart = alt.Chart(alt.NamedData(name=_POINTS))
    base = chart.encode(y=alt.Y("figure:N", title=None, sort=None))
    side = alt.Axis(format="+.1%", tickCount=6)
    dots = base.mark_point(filled=True, size=60, opacity=1, color=_COLOURS[0]).encode(
        x=alt.X("value:Q", title=axis, axis=side)
    )
    lines = base.mark_rule(strokeWidth=2, color=_COLOURS[0]).encode(x="low:Q", x2="high:Q")
    own = chart.mark_rule(strokeDash=[4, 4], color="#505a5f").encode(x=alt.datum(0))
    return _svg(
        (own + lines + dots).properties(width=_BESIDE_LABELS, height=alt.Step(_STEP)), points
    )


def draw_first() -> None:
    """Load the libraries, which otherwise the first chart waits for."""
    nothing = ThresholdTable(run="0" * 32, families=0, flagged=0, rows=())
    threshold_chart(nothing, ("", " "), ("", ""))


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


def _svg(chart: Any, points: list[dict[str, Any]]) -> bytes:
    """A picture; the points are put in last, since Altair would check each three times."""
    import vl_convert  # noqa: PLC0415 - see above

    spec = (
        chart.configure(font="arial, sans-serif", background="white")
        .configure_axis(labelFontSize=14, titleFontSize=14, labelLimit=0)
        .configure_legend(labelFontSize=14)
        .configure_view(stroke=None)
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(spec | {"datasets": {_POINTS: points}})
    return svg.encode()
