"""Charts of sheets, drawn by Altair and vl-convert on this computer, as SVG within a page."""

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final

from linkage_hub.analytics.figures.sheets import Sheet, in_words

_WIDTH: Final = 560  # pixels
_STEP: Final = 26  # pixels a line
_COLOURS: Final = ("#1d70b8", "#b58800", "#8e969c")
"""Told apart without colour vision, and at least 3:1 against white."""
_FONT: Final = 14
_PADDING: Final = {"left": 24, "right": 16, "top": 8, "bottom": 8}
"""Browsers' letters are wider than those that the picture was measured with."""


def stacked(label: str, parts: Sequence[str]) -> Callable[[Sheet], str]:
    """Bars of a sheet's parts: one a row, named by the first column."""

    def draw(sheet: Sheet) -> str:
        alt = _altair()
        first = sheet.headings[0]
        points = [
            {"what": in_words(str(row[first])), "part": part, "order": order, "families": row[part]}
            for row in sheet.records()
            for order, part in enumerate(parts)
            if isinstance(row[part], int)
        ]
        chart = (
            alt.Chart(alt.Data(values=points))
            .mark_bar()
            .encode(
                x=alt.X("families:Q", title="families"),
                y=alt.Y("what:N", title=None, sort=None),
                color=_colour(alt, parts),
                order="order:O",
            )
            .properties(width=_WIDTH, height=alt.Step(_STEP))
        )
        return _svg(chart, label)

    return draw


def heat(label: str, across: str, down: str, value: str) -> Callable[[Sheet], str]:
    """A square for each row of a sheet, darker for a larger share, with the share written in it."""

    def draw(sheet: Sheet) -> str:
        alt = _altair()
        points = [
            {
                "across": in_words(str(row[across])),
                "down": in_words(str(row[down])),
                "share": row[value],
            }
            for row in sheet.records()
            if isinstance(row[value], float)
        ]
        base = alt.Chart(alt.Data(values=points)).encode(
            x=alt.X("across:N", title=across, sort=None, axis=alt.Axis(labelAngle=-40)),
            y=alt.Y("down:N", title=down, sort=None),
        )
        squares = base.mark_rect().encode(
            color=alt.Color(
                "share:Q",
                title=value,
                scale=alt.Scale(domain=[0, 1], range=["#ffffff", "#1d70b8"]),
            )
        )
        words = base.mark_text(fontSize=_FONT - 2).encode(
            text=alt.Text("share:Q", format=".2f"),
            color=alt.condition("datum.share > .6", alt.value("white"), alt.value("#0b0c0c")),
        )
        return _svg((squares + words).properties(width=alt.Step(56), height=alt.Step(_STEP)), label)

    return draw


def shares(label: str, across: str, series: str, names: Sequence[str]) -> Callable[[Sheet], str]:
    """Shares with intervals, one a row: columns ``share``, ``low``, ``high``."""

    def draw(sheet: Sheet) -> str:
        alt = _altair()
        points = [
            {
                "across": in_words(str(row[across])),
                "part": str(row[series]),
                **{name: row[name] for name in ("share", "low", "high")},
            }
            for row in sheet.records()
            if isinstance(row["share"], float)
        ]
        base = alt.Chart(alt.Data(values=points)).encode(
            x=alt.X("across:N", title=across, sort=None, axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("part:N", sort=list(names)),
            color=_colour(alt, names),
        )
        dots = base.mark_point(filled=True, size=70).encode(
            y=alt.Y("share:Q", title="share", scale=alt.Scale(domainMin=0)),
            shape=alt.Shape("part:N", sort=list(names), legend=None),
        )
        lines = base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q")
        return _svg((lines + dots).properties(width=_WIDTH, height=260), label)

    return draw


def _altair() -> Any:
    import altair as alt  # noqa: PLC0415 - takes a second

    return alt


def _colour(alt: Any, names: Sequence[str]) -> Any:
    return alt.Color(
        "part:N",
        title=None,
        scale=alt.Scale(domain=list(names), range=list(_COLOURS[: len(names)])),
        legend=alt.Legend(orient="top", columnPadding=40, labelLimit=400),
    )


def _svg(chart: Any, label: str) -> str:
    import vl_convert  # noqa: PLC0415 - takes a second

    spec = (
        chart.configure(font="arial, sans-serif", background="white", padding=_PADDING)
        .configure_axis(labelFontSize=_FONT, titleFontSize=_FONT, labelLimit=0)
        .configure_legend(labelFontSize=_FONT)
        .configure_view(stroke=None)
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(spec)
    svg = re.sub(r"\saria-[a-z-]+=\"[^\"]*\"|\srole=\"[^\"]*\"", "", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
