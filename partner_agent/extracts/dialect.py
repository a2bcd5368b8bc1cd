"""Which delimiter an extract has: the one that cuts most of its first rows into equal parts."""

import csv
from collections import Counter
from dataclasses import dataclass

from partner_agent.extracts.errors import DelimiterError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
SAMPLE_ROWS = 500
_CLEAR_SHARE = 0.9  # rows that must agree on another delimiter before the headings are doubted


@dataclass(frozen=True)
class _Shape:
    """How one delimiter cuts the sample: fields of the headings, and how the rows compare."""

    delimiter: str
    header_fields: int
    agreeing: float  # share of rows with as many fields as the headings
    usual_fields: int
    usual_share: float


def sniff_delimiter(lines: list[str], name: str) -> str:
    """One of `DELIMITERS`; comma when nothing speaks for any (one column, refused later).

    Args:
        lines: the first lines of the extract, the headings first.
        name: the file's name, for messages.

    Raises:
        DelimiterError: the headings are cut by one delimiter and nearly all rows by another.
    """
    shapes = [_shape(lines, delimiter) for delimiter in DELIMITERS]
    cutting = [shape for shape in shapes if shape.header_fields > 1]
    if not cutting:
        return ","
    best = max(cutting, key=lambda shape: (round(shape.agreeing, 2), shape.header_fields))
    if best.agreeing < 1 - _CLEAR_SHARE:
        _compare_rows(best, shapes, name)
    return best.delimiter


def _compare_rows(best: _Shape, shapes: list[_Shape], name: str) -> None:
    for shape in shapes:
        clear = shape.usual_fields > 1 and shape.usual_share >= _CLEAR_SHARE
        if shape.delimiter != best.delimiter and clear:
            raise DelimiterError(
                f"the headings of {name} are separated by {DELIMITERS[best.delimiter]}, its rows "
                f"by {DELIMITERS[shape.delimiter]}",
                next_step="export the extract again with one delimiter",
            )


def _shape(lines: list[str], delimiter: str) -> _Shape:
    counts = _field_counts(lines, delimiter)
    if not counts:
        return _Shape(delimiter, 0, 0.0, 0, 0.0)
    header, rows = counts[0], counts[1:]
    if not rows:
        return _Shape(delimiter, header, 1.0, header, 1.0)
    usual, times = Counter(rows).most_common(1)[0]
    return _Shape(delimiter, header, rows.count(header) / len(rows), usual, times / len(rows))


def _field_counts(lines: list[str], delimiter: str) -> list[int]:
    counts = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            if row:
                counts.append(len(row))
            if len(counts) > SAMPLE_ROWS:
                break
    except csv.Error:  # a cell past the limit: judge by what came before
        pass
    return counts
