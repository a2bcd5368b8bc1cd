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

HUB = {"exact": "hub, exact, floors chosen", "fast": "fast, floor .80"}


def table(figures: dict[str, Any]) -> pd.DataFrame:
    """Seconds of one core by records and kind of work."""
    rows = [(row["records"], HUB[row["mode"]], row["processor_seconds"]) for row in figures["hub"]]
    rows += [(row["records"], "exact, floor .80", row["exact_seconds"]) for row in figures["fast"]]
    rates = [
        row["comparisons"] / row["seconds"]["anonlink"]
        for row in figures["joins"]
        if row["floor"] == 0.80  # noqa: PLR2004 the floor that the plot shows
    ]
    for records in sorted({row["records"] for row in figures["fast"] + figures["hub"]}):
        pairs = records * records / 2
        rows.append(
            (records, "physical limit: population counts", pairs / figures["limit"]["counts_alone"])
        )
        if rates:
            rows.append((records, "anonlink, from its rate", pairs / max(rates)))
    return pd.DataFrame(rows, columns=["records", "work", "seconds"])


def chart(frame: pd.DataFrame) -> alt.Chart:
    """Lines with points, both axes logarithmic."""
    base: alt.Chart = (
        alt.Chart(frame, width=560, height=360, title="Candidate pairs among all records, one core")
        .mark_line(point=True)
        .encode(
            x=alt.X("records:Q", title="records").scale(type="log").axis(format="~s"),
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
