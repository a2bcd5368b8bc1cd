"""A report with one part of each kind."""

from typing import Final

from governance.reports.models import (
    Bar,
    Bars,
    CurvePoint,
    Curves,
    Dot,
    Dots,
    Estimate,
    Heat,
    Highlight,
    Part,
    Report,
    Square,
    Table,
)

LONG: Final = "Getting a good education: attendance of at least 90 percent over three terms"
MARKED: Final = "<b>debt</b> & rent"
BARS: Final = Bars(
    label='families by "need"', axis="families", series=("met", "unknown"), stacked=True,
    points=(
        Bar(line=LONG, series="met", value=3), Bar(line=LONG, series="unknown", value=1_000),
        Bar(line=MARKED, series="met", value=0),
    ),
)  # fmt: skip
CURVES: Final = Curves(
    label="progress", axes=("months", "share"), series=("1 need", "2 needs"),
    points=(
        CurvePoint(series="1 need", at=6, value=0.2, low=0.1, high=0.3),
        CurvePoint(series="1 need", at=12, value=0.3, low=0.2, high=0.4),
        CurvePoint(series="2 needs", at=6, value=0.1),
    ),
)  # fmt: skip
DOTS: Final = Dots(
    label="balance", axis="standard deviations", series=("before", "after"), form=".2f",
    points=(
        Dot(line="children", series="before", value=0.4),
        Dot(line="children", series="after", value=-0.1, low=-0.2, high=0.1),
    ),
)  # fmt: skip
HEAT: Final = Heat(
    label="together", axes=("second", "first"), axis="share of the first",
    points=(Square(across="debt", down="work", share=0.274), Square(across="work", down="debt",
                                                                   share=1.0)),
)  # fmt: skip
COUNTS: Final = Table(
    id="counts", title="Needs", notes=("What is not known stands by itself.",),
    headings=("need", "families", "share", "progress", "times", "apart"),
    forms={"share": "share", "progress": "share", "times": ".2f", "apart": "points"},
    rows=(
        (MARKED, 1_234, 0.274, Estimate(value=0.27, low=0.251, high=0.286), 1.5,
         Estimate(value=0.08, low=-0.02, high=0.18)),
        ("=cmd|' /C calc'!A0", "not shown", 1.0, None, -0.25, None),
    ),
)  # fmt: skip
LIST: Final = Table(
    id="put-forward", title="Put forward", listed=True, headings=("family", "why"),
    rows=((f"f-{'0' * 32}", "+1 need"),),
)  # fmt: skip
REPORT: Final = Report(
    kind="needs", title="Needs <of> families", lead=("Of one run.", "For staff."),
    agreement=f"sha256:{'0' * 64}", runs=("a" * 32, "b" * 32), made_on="2026-11-29",
    program=f"sha256:{'1' * 64}", inputs={"criteria": f"sha256:{'2' * 64}"},
    warnings=("Made elsewhere.",), highlights=(Highlight(name="put forward", count=1_234),),
    parts=(
        Part(id="needs", heading="Needs", texts=("Two of them.",), chart=BARS, tables=(COUNTS,)),
        Part(id="time", heading="Time", chart=CURVES),
        Part(id="alike", heading="Alike", chart=DOTS, items=("An assumption.",)),
        Part(id="together", heading="Together", chart=HEAT),
        Part(id="lists", heading="Lists", tables=(LIST,)),
    ),
)  # fmt: skip
