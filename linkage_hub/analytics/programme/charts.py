"""Charts of a report as inline SVG: Altair's grammar drawn by vl-convert, without a script.

A table beside each chart has the same figures. Colours are told apart without colour vision, and
have a contrast of 3:1 or more against white.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from linkage_hub.analytics.programme.models import (
    ClaimsFigures,
    DistanceFigures,
    ForwardFigures,
    Named,
)
from linkage_hub.analytics.programme.words import words

_WIDTH: Final = 520  # pixels
_STEP: Final = 26  # pixels a bar
_ROOM: Final = 70  # pixels: a reader's font may be wider than the one that labels are measured by
_POINTS: Final = "points"
_COLOURS: Final = ("#1d70b8", "#b58800", "#d4351c", "#00703c", "#6f777b", "#4c2c92")


def claims_chart(found: ClaimsFigures) -> Markup:
    """Bars of families by need: claimed for, and each thing that stands in the way."""
    names = ["claimed for", *map(words, found.needs[0].bars)]
    points = [
        {"line": each.title, "figure": name, "families": count, "order": at}
        for each in found.needs
        for at, (name, count) in enumerate(
            zip(names, (each.claimed, *each.bars.values()), strict=True)
        )
    ]
    return _stacked(points, names, "What is claimed for and what stands in the way, by need")


def distance_chart(found: DistanceFigures) -> Markup:
    """Bars of families by band, when they joined, the month before and now."""
    times: dict[str, Named | None] = {
        "when it joined": found.at_start, "the month before": found.before, "now": found.now,
    }  # fmt: skip
    shown = {name: counts for name, counts in times.items() if counts is not None}
    points = [
        {"line": words(band), "figure": name, "families": count}
        for name, counts in shown.items()
        for band, count in counts.items()
    ]
    return _grouped(points, list(shown), f"{found.title} by band")


def needs_chart(found: ForwardFigures) -> Markup:
    """Bars of families of which a need is met now and was not, and the other way."""
    names = ("met now", "met no longer")
    points = [
        {"line": each.title, "figure": name, "families": count}
        for each in found.needs
        for name, count in zip(names, (each.came, each.went), strict=True)
    ]
    return _grouped(points, names, "Needs that changed since the month before")


def _stacked(points: list[dict[str, Any]], names: Sequence[str], label: str) -> Markup:
    alt = _altair()
    chart = _base(alt, names).encode(order="order:O")
    return _svg(chart.properties(width=_WIDTH, height=alt.Step(_STEP)), points, label)


def _grouped(points: list[dict[str, Any]], names: Sequence[str], label: str) -> Markup:
    alt = _altair()
    chart = _base(alt, names).encode(yOffset=alt.YOffset("figure:N", sort=list(names)))
    return _svg(chart.properties(width=_WIDTH, height=alt.Step(_STEP // 2)), points, label)


def _base(alt: Any, names: Sequence[str]) -> Any:
    return (
        alt.Chart(alt.NamedData(name=_POINTS))
        .mark_bar()
        .encode(
            x=alt.X("families:Q", title="families", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("line:N", title=None, sort=None),
            color=alt.Color(
                "figure:N",
                title=None,
                scale=alt.Scale(domain=list(names), range=list(_COLOURS[: len(names)])),
                legend=alt.Legend(orient="top", columns=3, columnPadding=60, labelLimit=400),
            ),
        )
    )


def _altair() -> Any:
    import altair as alt  # noqa: PLC0415 - two seconds and a hundred megabytes

    return alt


def _svg(chart: Any, points: list[dict[str, Any]], label: str) -> Markup:
    import vl_convert  # noqa: PLC0415 - as above

    spec = (
        chart.configure(font="arial, sans-serif", background="white")
        .configure_axis(labelFontSize=13, titleFontSize=13, labelLimit=360)
        .configure_legend(labelFontSize=13)
        .configure_view(stroke=None)
        .to_dict()
    )
    room = {"left": _ROOM, "top": 5, "right": _ROOM, "bottom": 5}
    svg: str = vl_convert.vegalite_to_svg(spec | {"datasets": {_POINTS: points}, "padding": room})
    svg = re.sub(r"\saria-[a-z-]+=\"[^\"]*\"|\srole=\"[^\"]*\"", "", svg)
    opening = Markup('<svg role="img" aria-label="{}" style="max-width:100%;height:auto" ').format(
        label
    )
    return Markup(svg.replace("<svg ", opening, 1))  # noqa: S704 - drawn here; its text is escaped
