"""A report of figures for a programme's own staff (``staff-report/v1``).

Rules: a report is data, and whoever shows it draws it; every figure of a chart is in a table of the
same part; texts are plain, without markup. It holds exact counts, and where ``listed`` says so
pseudonyms of families: it is for staff of its agreement and never for publication.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from governance.canonical import Frozen, Hash, Hex128

Cell = Annotated[str, Field(max_length=2_000)] | int | float | None
"""A share is a float, a count an integer; null is what is not shown."""
Text = Annotated[str, Field(max_length=2_000)]
Label = Annotated[str, Field(max_length=300)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Kind = Literal["programme", "needs", "later-referral", "engagement", "interventions"]


class Table(Frozen):
    """A table; the first cell of a row names it.

    Attributes:
        notes: what a reader has to know, a paragraph each.
        listed: whether its lines are families, and not counts.
    """

    id: Id
    title: Label
    notes: tuple[Text, ...] = ()
    headings: Annotated[tuple[Label, ...], Field(min_length=1, max_length=100)]
    rows: Annotated[tuple[tuple[Cell, ...], ...], Field(max_length=100_000)]
    listed: bool = False

    @model_validator(mode="after")
    def _even(self) -> "Table":
        if any(len(row) != len(self.headings) for row in self.rows):
            raise ValueError("a row is expected to have as many cells as there are headings")
        return self


class Bar(Frozen):
    """So many of a line and a series."""

    line: Label
    series: Label
    value: float


class Bars(Frozen):
    """Bars along lines: the series of a line end to end, or beside one another."""

    kind: Literal["bars"] = "bars"
    label: Label
    axis: Label
    series: tuple[Label, ...]
    stacked: bool
    points: tuple[Bar, ...]


class CurvePoint(Frozen):
    """A value at a month, with its interval."""

    series: Label
    at: float
    value: float
    low: float
    high: float


class Curves(Frozen):
    """Shares over time, a line a series, with their intervals."""

    kind: Literal["curves"] = "curves"
    label: Label
    axes: tuple[Label, Label]
    series: tuple[Label, ...]
    points: tuple[CurvePoint, ...]


class Dot(Frozen):
    """A value of a line and a series, with its interval where it has one."""

    line: Label
    series: Label
    value: float
    low: float | None = None
    high: float | None = None


class Dots(Frozen):
    """Dots beside labels, with intervals; ``form`` is how values are written (d3-format)."""

    kind: Literal["dots"] = "dots"
    label: Label
    axis: Label
    series: tuple[Label, ...]
    form: Literal["%", ".2f"] = "%"
    points: tuple[Dot, ...]


class Square(Frozen):
    """A share of two categories together."""

    across: Label
    down: Label
    share: Annotated[float, Field(ge=0, le=1)]


class Heat(Frozen):
    """A square for each two categories, darker for a larger share."""

    kind: Literal["heat"] = "heat"
    label: Label
    axes: tuple[Label, Label]
    axis: Label
    points: tuple[Square, ...]


Chart = Annotated[Bars | Curves | Dots | Heat, Field(discriminator="kind")]
"""What a picture shows; ``label`` says it for who cannot see it."""


class Part(Frozen):
    """A section.

    Attributes:
        items: a list, after the tables.
    """

    id: Id
    heading: Label
    texts: tuple[Text, ...] = ()
    chart: Chart | None = None
    tables: Annotated[tuple[Table, ...], Field(max_length=50)] = ()
    items: tuple[Text, ...] = ()


class Report(Frozen):
    """A report.

    Attributes:
        lead: what it is of, a paragraph each; the first one stands below the title.
        runs: that it was made from, oldest first.
        program: hash of the program that made it (``governance.transparency``).
        inputs: hashes of what else it was made from, by what that is.
        warnings: what stands in front of everything else.
    """

    v: Literal[1] = 1
    kind: Kind
    title: Label
    lead: tuple[Text, ...]
    agreement: Hash
    runs: Annotated[tuple[Hex128, ...], Field(min_length=1, max_length=240)]
    made_on: Day
    program: Hash
    inputs: Annotated[dict[Label, Hash], Field(default_factory=dict, max_length=300)]
    warnings: tuple[Text, ...] = ()
    parts: Annotated[tuple[Part, ...], Field(max_length=100)]

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, in order."""
        return tuple(table for part in self.parts for table in part.tables)
