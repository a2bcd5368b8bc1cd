"""Charts as SVG: Altair's grammar, drawn by vl-convert on this computer, no script needed.

Rules: the libraries, which take two seconds and a hundred megabytes, are loaded when they are first
needed; drawing holds up every other request of the process, so the newest pictures are kept, each
under the very figures and words that it shows, and whoever may have those may have it; labels are
never cut, since finding out where takes longer than all the rest: long ones go on in the next line,
and have room for a reader's font, which is not the one that they are measured by here.
"""

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from markupsafe import Markup

from governance.reports.cells import percent
from governance.reports.models import Bars, Chart, Curves, Dots, Heat

COLOURS: Final = (
    "#1d70b8", "#b58800", "#8e969c", "#110000", "#9900ff", "#772200", "#001188", "#663355",
)  # fmt: skip
"""Apart from each other without colour vision, and at least 3:1 against white."""
_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3], [10, 4], [3, 1])
_KEPT: Final = 64
"""Pictures; one has some 200 kB."""
_WIDTH: Final = 700  # pixels, labels and all
_PLOT: Final = 420  # pixels, beside labels
_HEIGHT: Final = 280  # pixels
_FONT: Final = 14  # pixels
_LETTER: Final = 8.2  # pixels, in the widest of the fonts that readers have
_LINE: Final = 17  # pixels a line of a label
_TICK: Final = 12  # pixels between a label and the plot
_STEP: Final = 26  # pixels a bar or a dot
_BAR: Final = 18  # pixels
_SQUARE: Final = 58  # pixels
_LETTERS: Final = 32  # of a label's line
_FEW_TICKS: Final = 8
_DARK: Final = 0.6  # share from which on words in a square are white
_POINTS: Final = "points"
_TAG: Final = re.compile(r'<[a-z][^<>"]*(?:"[^"]*"[^<>"]*)*>')
_SAID: Final = re.compile(r'\s(?:aria-[a-z-]+|role)="[^"]*"')
"""What Vega says of parts of a picture, in tags: a label may have words that look like it."""
_SPLIT: Final = r"split(datum.label, '\n')"

Points = list[dict[str, Any]]


@lru_cache(maxsize=_KEPT)
def svg_of(chart: Chart) -> Markup:
    """A chart as an SVG element, for a page or as a file by itself."""
    import vl_convert  # noqa: PLC0415 - see above

    made, points = _drawn(chart)
    spec = (
        made.configure(font="arial, sans-serif", background="white")
        .configure_axis(labelFontSize=_FONT, titleFontSize=_FONT, labelLimit=0)
        .configure_legend(labelFontSize=_FONT, labelLimit=0)
        .configure_view(stroke=None)
        .to_dict()
    )
    room = {"left": 5, "top": 5, "right": 40, "bottom": 5}
    # points are put in last, since Altair would check each three times
    svg: str = vl_convert.vegalite_to_svg(spec | {"datasets": {_POINTS: points}, "padding": room})
    svg = _TAG.sub(lambda tag: _SAID.sub("", tag[0]), svg)
    opening = Markup('<svg role="img" aria-label="{}" ').format(chart.label)
    return Markup(svg.replace("<svg ", opening, 1))  # noqa: S704 - drawn here; its text is escaped


def draw_first() -> None:
    """Load the libraries, which otherwise the first chart waits for."""
    svg_of(Curves(label="", axes=("", ""), series=("",), points=()))


def _drawn(chart: Chart) -> tuple[Any, Points]:
    match chart:
        case Bars():
            return _bars(chart)
        case Curves():
            return _curves(chart)
        case Dots():
            return _dots(chart)
        case Heat():
            return _heat(chart)


def _bars(chart: Bars) -> tuple[Any, Points]:
    alt = _altair()
    order = {name: at for at, name in enumerate(chart.series)}
    points = [
        {"line": _lines(each.line), "series": each.series, "value": each.value,
         "order": order[each.series]}
        for each in chart.points
        if each.value
    ]  # fmt: skip
    names = _names(each.line for each in chart.points)
    made = _base(alt).mark_bar(stroke="white", strokeWidth=0.5).encode(
        x=_along(alt, chart),
        y=_down(alt, names),
        color=_colour(alt, chart.series),
    )  # fmt: skip
    if chart.stacked:
        made, beside = made.mark_bar(size=_BAR, stroke="white", strokeWidth=0.5), 1
        made = made.encode(order="order:O")
    else:
        made = made.encode(yOffset=_beside(alt, chart.series))
        beside = len(chart.series)
    return made.properties(width=_PLOT, height=_step(alt, names, beside / 2 + 0.5)), points


def _along(alt: Any, chart: Bars) -> Any:
    """Where bars end; few families are counted one by one, without halves."""
    longest: dict[tuple[str, str], float] = {}
    for each in chart.points:
        bar = (each.line, "" if chart.stacked else each.series)
        longest[bar] = longest.get(bar, 0) + each.value
    most = max(1, math.ceil(max(longest.values(), default=0)))
    if most > _FEW_TICKS:
        return alt.X("value:Q", title=chart.axis)
    axis = alt.Axis(values=list(range(most + 1)), format="d")
    return alt.X("value:Q", title=chart.axis, axis=axis, scale=alt.Scale(domain=[0, most]))


def _curves(chart: Curves) -> tuple[Any, Points]:
    alt = _altair()
    points = [each.model_dump() for each in chart.points]
    ticks = sorted({each.at for each in chart.points})
    few = {"values": ticks} if len(ticks) <= _FEW_TICKS else {}
    names = list(chart.series)
    dashes = alt.Scale(domain=names, range=[_DASHES[i % len(_DASHES)] for i in range(len(names))])
    base = _base(alt).encode(
        x=alt.X("at:Q", title=chart.axes[0], axis=alt.Axis(**few)),
        color=_colour(alt, chart.series, symbolType="stroke", symbolSize=500, symbolOpacity=1),
    )
    lines = base.mark_line(strokeWidth=2, point=True).encode(
        y=alt.Y(
            "value:Q", title=chart.axes[1], axis=alt.Axis(format="%"), scale=alt.Scale(zero=False)
        ),
        strokeDash=alt.StrokeDash("series:N", title=None, scale=dashes),
    )
    made = lines
    if any(each.low is not None for each in chart.points):
        made = base.mark_area(opacity=0.12).encode(y=alt.Y("low:Q"), y2="high:Q") + lines
    return made.properties(width=_WIDTH - 80, height=_HEIGHT), points


def _dots(chart: Dots) -> tuple[Any, Points]:
    alt = _altair()
    points = [each.model_dump() | {"line": _lines(each.line)} for each in chart.points]
    names = _names(each.line for each in chart.points)
    base = _base(alt).encode(
        y=_down(alt, names),
        yOffset=_beside(alt, chart.series),
        color=_colour(alt, chart.series),
    )
    scale = alt.Scale(zero=False)
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X(
            "value:Q", title=chart.axis, scale=scale, axis=alt.Axis(format=chart.form, tickCount=6)
        ),
        shape=alt.Shape("series:N", sort=list(chart.series), legend=None),
    )
    made = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", scale=scale), x2="high:Q") + dots
    if chart.form != "%":
        nought = _base(alt).mark_rule(strokeDash=[4, 4], color="#505a5f")
        made = nought.encode(x=alt.datum(0)) + made
    return made.properties(width=_PLOT, height=_step(alt, names, 1)), points


def _heat(chart: Heat) -> tuple[Any, Points]:
    alt = _altair()
    points = [
        {"across": each.across, "line": _lines(each.down),
         "share": each.share, "words": percent(each.share)}
        for each in chart.points
    ]  # fmt: skip
    rows = list(dict.fromkeys(each.down for each in chart.points))
    columns = list(dict.fromkeys(each.across for each in chart.points))
    same = set(rows) == set(columns)  # then in one order
    down = _names(rows)
    labels = alt.Axis(orient="top", labelAngle=-45, domain=False, ticks=False)
    base = _base(alt).encode(
        x=alt.X(
            "across:N",
            title=chart.axes[0],
            axis=labels,
            sort=rows if same else None,
        ),
        y=_down(alt, down, chart.axes[1]),
    )
    shades = alt.Scale(domain=[0, 1], range=["#ffffff", COLOURS[0]], interpolate="rgb")
    squares = base.mark_rect(stroke="#b1b4b6", strokeWidth=0.5).encode(
        color=alt.Color("share:Q", scale=shades, legend=None)
    )
    white = alt.condition(f"datum.share > {_DARK}", alt.value("white"), alt.value("#0b0c0c"))
    words = base.mark_text(fontSize=_FONT - 1).encode(text="words:N", color=white)
    made = (squares + words).properties(
        width=alt.Step(_SQUARE),
        height=_step(alt, down, 1),
        title=alt.Title(
            _names([chart.axis])[0].split("\n"),
            anchor="start",
            fontSize=_FONT,
            fontWeight="normal",
            offset=_TICK,
        ),
    )
    return made, points


def _altair() -> Any:
    import altair as alt  # noqa: PLC0415 - see above

    return alt


def _base(alt: Any) -> Any:
    return alt.Chart(alt.NamedData(name=_POINTS))


def _down(alt: Any, names: Sequence[str], title: str | None = None) -> Any:
    """Labels beside a plot, those among them of which all is nought."""
    longest = max((len(line) for name in names for line in name.split("\n")), default=0)
    higher = [
        {"test": f"length({_SPLIT}) == {lines}", "value": -(lines - 1) * _LINE / 2}
        for lines in range(2, _most_lines(names) + 1)
    ]  # or the first of several lines would be beside the bar
    axis = alt.Axis(
        minExtent=longest * _LETTER + _TICK, labelExpr=_SPLIT, labelLineHeight=_LINE,
        labelOffset={"condition": higher, "value": 0} if higher else 0,
        titleAngle=0, titleAlign="right", titleBaseline="bottom", titleX=-_TICK, titleY=-_TICK,
    )  # fmt: skip
    return alt.Y("line:N", title=title, sort=None, axis=axis, scale=alt.Scale(domain=list(names)))


def _beside(alt: Any, series: Sequence[str]) -> Any:
    return alt.YOffset("series:N", scale=alt.Scale(domain=list(series)))


def _step(alt: Any, names: Sequence[str], beside: float) -> Any:
    """The height of a line with so many bars beside one another, and its label."""
    least = _most_lines(names) * _LINE + 8
    return alt.Step(max(_STEP * beside, least), **{"for": "position"})


def _most_lines(names: Sequence[str]) -> int:
    return max((name.count("\n") + 1 for name in names), default=1)


def _names(labels: Iterable[str]) -> list[str]:
    """Each once, in order, its lines apart."""
    return list(dict.fromkeys(map(_lines, labels)))


def _colour(alt: Any, names: tuple[str, ...], **symbol: Any) -> Any:
    colours = [COLOURS[at % len(COLOURS)] for at in range(len(names))]
    wide = max((len(name) for name in names), default=0) * _LETTER + 40
    legend = (
        None
        if not any(names)
        else alt.Legend(
            orient="top", columns=max(1, int(_WIDTH // wide)), columnPadding=wide / 4, **symbol
        )
    )
    return alt.Color(
        "series:N", title=None, scale=alt.Scale(domain=list(names), range=colours), legend=legend
    )


def _lines(label: str) -> str:
    """A label, its lines apart."""
    return "\n".join(textwrap.wrap(label, _LETTERS, break_long_words=False)) or label
