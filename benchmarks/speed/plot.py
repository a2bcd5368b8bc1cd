"""How the cost of candidates grows, on a log-log plot.

``python -m benchmarks.speed.plot FIGURES.json PLOT.svg``: from the figures of ``benchmarks.speed``.
The physical limit is every pair compared in full at the processor's rate of vector counts.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

HUB = {"exact": "hub, exact, floors chosen", "fast": "hub, fast, floors from .70"}


def table(figures: dict[str, Any]) -> pd.DataFrame:
    """Seconds of one core by pairs of records that meet, and kind of work.

    By pairs and not by records: the hub compares all sources with each other, the fast mode is
    measured on two halves of the same records, which have half as many pairs.
    """
    rows = [
        (row["comparisons"], HUB[row["mode"]], row["processor_seconds"]) for row in figures["hub"]
    ]
    for row in figures["fast"]:
        rows.append((row["comparisons"], "exact, floor .80", row["exact_seconds"]))
        rows.append((row["comparisons"], "fast, floor .80", row["fast_seconds"]))
    rates = [
        row["comparisons"] / row["seconds"]["anonlink"]
        for row in figures["joins"]
        if row["floor"] == 0.80  # noqa: PLR2004 the floor that the plot shows
    ]
    for pairs in sorted({row["comparisons"] for row in figures["fast"] + figures["hub"]}):
        rows.append(
            (pairs, "physical limit: population counts", pairs / figures["limit"]["counts_alone"])
        )
        if rates:
            rows.append((pairs, "anonlink, from its rate", pairs / max(rates)))
    return pd.DataFrame(rows, columns=["pairs", "work", "seconds"])


def chart(frame: pd.DataFrame) -> alt.Chart:
    """Lines with points, both axes logarithmic."""
    base: alt.Chart = (
        alt.Chart(frame, width=560, height=360, title="Cost of finding candidate pairs, one core")
        .mark_line(point=True)
        .encode(
            x=alt.X("pairs:Q", title="pairs of records").scale(type="log").axis(format="~e"),
            y=alt.Y("seconds:Q", title="processor seconds").scale(type="log").axis(format="~g"),
            color=alt.Color("work:N", title=None).legend(orient="bottom", columns=2),
            strokeDash=alt.StrokeDash("work:N", title=None).legend(None),
        )
        .configure(font="sans-serif")
    )
    return base


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.plot", description=__doc__)
    parser.add_argument("figures", type=Path)
    parser.add_argument("plot", type=Path)
    options = parser.parse_args()
    frame = table(json.loads(options.figures.read_text(encoding="utf-8")))
    svg = vl_convert.vegalite_to_svg(chart(frame).to_json())
    options.plot.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
