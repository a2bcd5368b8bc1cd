"""Charts drawn from data: every word, nothing that runs, colours that everybody tells apart."""

import re
from itertools import combinations
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

from governance.reports import charts
from governance.reports.charts import COLOURS, svg_of
from governance.reports.models import Chart, Square
from tests.governance.reports.world import BARS, CURVES, DOTS, HEAT

Floats = NDArray[np.float64]
SIGHT: Final = {
    "all": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                 [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
"""Machado, Oliveira and Fernandes (2009), severity 1."""
TO_XYZ: Final = np.array([
    [0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip


def linear(colour: str) -> Floats:
    """Of ``#rrggbb``, without sRGB's curve."""
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(light: Floats) -> Floats:
    """CIE L*a*b*, D65."""
    scaled = TO_XYZ @ np.clip(light, 0, 1) / np.array([0.95047, 1, 1.08883])
    x, y, z = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_are_told_apart_by_everybody(sight: str) -> None:
    """Whoever lacks a kind of cone has 25 units of CIE 1976 between each two, too."""
    seen = [lab(np.array(SIGHT[sight]) @ linear(colour)) for colour in COLOURS]
    assert min(float(np.linalg.norm(one - two)) for one, two in combinations(seen, 2)) > 25
    for colour in COLOURS:  # WCAG 1.4.11
        assert 1.05 / (float(TO_XYZ[1] @ linear(colour)) + 0.05) >= 3


@pytest.mark.parametrize("chart", [BARS, CURVES, DOTS, HEAT], ids=lambda each: each.kind)
def test_a_chart_says_what_it_shows_and_runs_nothing(chart: Chart) -> None:
    """No script, no link, no id that another picture of a page may have; its name is escaped."""
    svg = svg_of(chart)
    assert svg.startswith('<svg role="img" aria-label="')
    assert svg.count("aria-") == svg.count("role=") == 1
    for word in ("<script", "href=", "<image", "<style", " id=", "url("):
        assert word not in svg
    assert svg_of(chart.model_copy()) is svg  # kept under what it shows


def words(svg: str) -> list[str]:
    """Every text of a picture."""
    return re.findall(r"<(?:text|tspan)[^>]*>([^<]+)<", svg)


def test_labels_are_whole_and_markup_is_text() -> None:
    """A long label goes on in the next line, however long it is."""
    svg = svg_of(BARS)
    said = words(svg)
    at = said.index("Getting a good education:")
    assert said[at : at + 3] == [
        "Getting a good education:", "attendance of at least 90", "percent over three terms",
    ]  # fmt: skip
    assert "&lt;b&gt;debt&lt;/b&gt; &amp; rent" in said
    assert svg.count('stroke="white"') == 2 + len(BARS.series)  # two bars, and the legend
    assert "…" not in svg
    assert 'aria-label="families by &#34;need&#34;"' in svg


def test_a_label_with_words_of_attributes_is_whole() -> None:
    """What is taken out of tags stays in texts, and the picture is one still."""
    label = 'a role="b and aria-label="c"'
    points = tuple(each.model_copy(update={"line": label}) for each in BARS.points[:1])
    svg = svg_of(BARS.model_copy(update={"points": points}))
    ET.fromstring(svg)  # noqa: S314 - drawn here
    assert label in words(svg)
    assert svg.count("role=") == 2  # the picture's own, and the label's


def test_a_square_has_its_share_written_in_it() -> None:
    """As the tables have it, without further digits."""
    assert {"27\u00a0%", "100\u00a0%"} <= set(words(svg_of(HEAT)))


def test_differences_stand_beside_nought() -> None:
    """A dashed line where there would be none; shares have no such line."""
    assert "stroke-dasharray" in svg_of(DOTS)
    assert "stroke-dasharray" not in svg_of(DOTS.model_copy(update={"form": "%"}))


def test_one_more_family_is_another_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only pictures that show the same are kept as one, and so many of them."""
    more = BARS.points[0].model_copy(update={"value": 4.0})
    assert svg_of(BARS.model_copy(update={"points": (more, *BARS.points[1:])})) != svg_of(BARS)
    svg_of.cache_clear()
    drawn: list[Chart] = []
    inner = charts._drawn

    def count(chart: Chart) -> tuple[Any, list[dict[str, Any]]]:
        drawn.append(chart)
        return inner(chart)

    monkeypatch.setattr(charts, "_drawn", count)
    for _ in range(3):
        svg_of(HEAT)
    assert len(drawn) == 1


def test_a_square_of_needs_has_both_sides_in_one_order() -> None:
    """Otherwise the diagonal, where there is nothing, would be hard to see."""
    names = ("debt", "health", "work")
    points = tuple(
        Square(down=down, across=across, share=0.5)
        for down in names for across in names if down != across
    )  # fmt: skip
    svg = svg_of(HEAT.model_copy(update={"points": points}))
    assert [word for word in words(svg) if word in names] == [*names, *names]


@pytest.mark.parametrize(("most", "ticks"), [(0, "01"), (2, "012"), (3, "0123")])
def test_few_families_are_counted_one_by_one(most: int, ticks: str) -> None:
    """There is no half a family; an axis begins at nought, also where there is nobody."""
    points = (BARS.points[0].model_copy(update={"value": float(most)}),)
    svg = svg_of(BARS.model_copy(update={"points": points}))
    assert [word for word in words(svg) if word[0].isdigit()] == list(ticks)
