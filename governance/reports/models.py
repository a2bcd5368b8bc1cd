"""A report of figures for a programme's own staff (``staff-report/v1``).

Rules: a report is data, and whoever shows it draws it; every figure of a chart is in a table of the
same part; texts are plain, without markup. It holds exact counts, and where ``listed`` says so
pseudonyms of families: it is for staff of its agreement and never for publication.
"""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from governance.canonical import Frozen, Hash, Hex128

Text = Annotated[str, Field(max_length=5_000)]
Label = Annotated[str, Field(max_length=2_000)]
"""As long as a catalogue's titles may be."""
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Kind = Literal["programme", "needs", "later-referral", "engagement", "interventions"]
Form = Literal["share", "points", ".1f", ".2f", ".3f", "+.2f"]
"""How numbers of a column are written; ``points`` are differences of shares."""


class Estimate(Frozen):
    """An estimate and its interval."""

    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat


Cell = Text | int | FiniteFloat | Estimate | None
"""An integer is a count; null is a cell without a figure, and what is hidden says so in words."""


class Table(Frozen):
    """A table; the first cell of a row names it.

    Attributes:
        notes: what a reader has to know, a paragraph each.
        forms: of each column whose numbers are no counts, by its heading: canonical JSON writes a
            share of one as the count of one.
        listed: whether its lines are families, and not counts.
    """

    id: Id
    title: Label
    notes: tuple[Text, ...] = ()
    headings: Annotated[tuple[Label, ...], Field(min_length=1, max_length=1_000)]
    rows: Annotated[tuple[tuple[Cell, ...], ...], Field(max_length=100_000)]
    forms: dict[Label, Form] = Field(default_factory=dict, max_length=1_000)
    listed: bool = False

    @model_validator(mode="after")
    def _even(self) -> "Table":
        if any(len(row) != len(self.headings) for row in self.rows):
            raise ValueError("a row is expected to have as many cells as there are headings")
        counted = [at for at, heading in enumerate(self.headings) if heading not in self.forms]
        if any(isinstance(row[at], float | Estimate) for row in self.rows for at in counted):
            raise ValueError("forms is expected to say how numbers that are no counts are written")
        return self

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold numbers."""
        return tuple(
            any(isinstance(row[at], int | float | Estimate) for row in self.rows)
            for at in range(len(self.headings))
        )


class Bar(Frozen):
    """So many of a line and a series."""

    line: Label
    series: Label
    value: FiniteFloat


class Bars(Frozen):
    """Bars along lines: the series of a line end to end, or beside one another."""

    kind: Literal["bars"] = "bars"
    label: Label
    axis: Label
    series: tuple[Label, ...]
    stacked: bool
    points: tuple[Bar, ...]


class CurvePoint(Frozen):
    """A value, with its interval where it has one."""

    series: Label
    at: FiniteFloat
    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


class Curves(Frozen):
    """Shares over time, or along another number, a line a series."""

    kind: Literal["curves"] = "curves"
    label: Label
    axes: tuple[Label, Label]
    series: tuple[Label, ...]
    points: tuple[CurvePoint, ...]


class Dot(Frozen):
    """A value of a line and a series, with its interval where it has one."""

    line: Label
    series: Label
    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


class Dots(Frozen):
    """Dots beside labels, with intervals.

    Attributes:
        form: how values are written (d3-format); of differences, all but shares, nought is drawn.
    """

    kind: Literal["dots"] = "dots"
    label: Label
    axis: Label
    series: tuple[Label, ...]
    form: Literal["%", ".2f", "+.1%"] = "%"
    points: tuple[Dot, ...]


class Square(Frozen):
    """A share of two categories together."""

    across: Label
    down: Label
    share: Annotated[float, Field(ge=0, le=1)]


class Heat(Frozen):
    """A square for each two categories, darker for a larger share, which is written in it."""

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


class Highlight(Frozen):
    """A count that stands out; a table has it too."""

    name: Label
    count: Annotated[int, Field(ge=0)]


class Report(Frozen):
    """A report.

    Attributes:
        lead: what it is of, a paragraph each; the first one stands below the title.
        runs: that it was made from, oldest first; none where nobody can say, since its table was
            made elsewhere.
        program: hash of the program that made it (``governance.transparency``).
        inputs: hashes of what else it was made from, by what that is.
        warnings: what stands in front of everything else.
        highlights: the few counts that a reader looks for first.
    """

    v: Literal[1] = 1
    kind: Kind
    title: Label
    lead: tuple[Text, ...]
    agreement: Hash
    runs: Annotated[tuple[Hex128, ...], Field(max_length=240)]
    made_on: Day
    program: Hash
    inputs: dict[Label, Hash] = Field(default_factory=dict, max_length=300)
    warnings: tuple[Text, ...] = ()
    highlights: Annotated[tuple[Highlight, ...], Field(max_length=6)] = ()
    parts: Annotated[tuple[Part, ...], Field(max_length=100)]

    @model_validator(mode="after")
    def _once(self) -> "Report":
        for ids in ([part.id for part in self.parts], [table.id for table in self.tables]):
            if len(set(ids)) != len(ids):
                raise ValueError("each part and each table is expected to have an id of its own")
        return self

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, in order."""
        return tuple(table for part in self.parts for table in part.tables)
