"""Parts of figures for staff: as JSON with the ids that programs know, and as a report in words."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from governance.reports.models import Bar, Bars, Cell, Dots, Estimate, Heat, Part, Square, Table

HIDDEN: Final = "not shown"
NOTE: Final = (
    "For staff whom the agreement allows to analyse; not for publication. What is not known is "
    "never counted as unmet."
)


def part_of(table: Table, chart: Bars | Dots | Heat | None = None) -> Part:
    """A part with one table, under one name; without its picture where that would be empty."""
    return Part(
        id=table.id,
        heading=table.title,
        chart=chart if chart is not None and chart.points else None,
        tables=(table,),
    )


def stacked(label: str, rows: Iterable[Sequence[Cell]], series: tuple[str, ...]) -> Bars:
    """Bars of families: one a row, named by its first cell; counts of the series come next."""
    points = tuple(
        Bar(line=in_words(str(first)), series=name, value=count)
        for first, *counts in rows
        for name, count in zip(series, counts, strict=False)
        if isinstance(count, int)
    )
    return Bars(label=label, axis="families", series=series, stacked=True, points=points)


def heat(label: str, table: Table, down: str, across: str, share: str) -> Heat:
    """A square for each row of a table that has a share, by its columns' headings."""
    at = [table.headings.index(heading) for heading in (down, across, share)]
    points = []
    for row in table.rows:
        one, other, value = (row[column] for column in at)
        if isinstance(value, float):
            names = in_words(str(one)), in_words(str(other))
            points.append(Square(down=names[0], across=names[1], share=value))
    return Heat(label=label, axes=(across, down), axis=label, points=tuple(points))


def worded(part: Part) -> Part:
    """A part whose tables have words where they have ids."""
    tables = [
        table.model_copy(
            update={
                "rows": tuple(
                    tuple(in_words(cell) if isinstance(cell, str) else cell for cell in row)
                    for row in table.rows
                )
            }
        )
        for table in part.tables
    ]
    return part.model_copy(update={"tables": tuple(tables)})


def records(table: Table, estimates: Collection[str] = ()) -> list[dict[str, Any]]:
    """A table's rows by heading; ``low`` and ``high`` beside those that are estimates."""
    return [
        {
            name: value
            for heading, cell in zip(table.headings, row, strict=True)
            for name, value in _fields(heading, cell, heading in estimates)
        }
        for row in table.rows
    ]


def as_json(about: dict[str, Any], parts: Iterable[Part], estimates: Collection[str] = ()) -> bytes:
    """Tables for a program.

    Args:
        about: what they are of: run, agreement.
        parts: in the order they are read.
        estimates: headings of columns that have intervals.
    """
    tables = {
        table.id: {
            "title": table.title,
            "notes": list(table.notes),
            "rows": records(table, estimates),
        }
        for part in parts
        for table in part.tables
    }
    return json.dumps({**about, "tables": tables}, indent=2).encode() + b"\n"


def in_words(code: str) -> str:
    """An id as people read it."""
    return code.replace("_", " ")


def _fields(heading: str, cell: Cell, estimate: bool) -> list[tuple[str, Any]]:
    if not estimate:
        return [(heading, cell)]
    ends = (cell.value, cell.low, cell.high) if isinstance(cell, Estimate) else (None,) * 3
    return list(zip((heading, "low", "high"), ends, strict=True))
