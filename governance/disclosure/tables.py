"""A table of counts as it may be published (ADR 30).

Rules, in order: the table is on its publisher's fixed list; every family is counted in exactly one
cell; categories are merged and rows hidden as ``margins`` has it; every number that remains is
published by itself, suppressed and rounded, so that totals need not add up. No percentage is
published: a share of an unrounded number gives it away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.canonical import Frozen
from governance.disclosure.counts import Published, least_shown, publish
from governance.disclosure.errors import DisclosureRefused, NotListed
from governance.disclosure.margins import shape_of

CATEGORIES_MOST: Final = 100
Ints = NDArray[np.int64]


class Listed(Frozen):
    """A table of the fixed list.

    Attributes:
        rows, columns: what its families are divided by; no columns: by one thing only.
    """

    id: str
    title: str
    rows: str
    columns: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, before anything is hidden.

    Attributes:
        population: of whom: a run's id.
        rows, columns: categories; columns ("",) where the table has none.
        cells: int64 (rows, columns); each family in one cell.
    """

    table: str
    population: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Ints


class Line(Frozen):
    """A row: the categories that it is made of, its total, and its cells where they are shown."""

    of: tuple[str, ...]
    total: Published
    cells: tuple[Published, ...] | None


class PublishedTable(Frozen):
    """A table as it may leave the house.

    Attributes:
        columns: the categories that each is made of; empty where a table has none, or none may be
            shown.
    """

    table: str
    title: str
    population: str
    rows_are: str
    columns_are: str | None
    columns: tuple[tuple[str, ...], ...]
    total: Published
    column_totals: tuple[Published, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One published number: whom it counts, and how many there are in truth.

    Attributes:
        where: for what families are divided by, the categories counted; conditions that everybody
            meets are left out.
    """

    where: Mapping[str, frozenset[str]]
    count: int


def protect(
    counted: Counted, listed: Sequence[Listed], threshold: int
) -> tuple[PublishedTable, tuple[Answer, ...]]:
    """A table as it may be published, and the numbers in it that are not hidden.

    Raises:
        NotListed: it is not on the list.
        DisclosureRefused: it is not a table of its kind.
    """
    kind = next((each for each in listed if each.id == counted.table), None)
    if kind is None:
        raise NotListed(
            "no such table on the list", next_step=f"one of {', '.join(e.id for e in listed)}"
        )
    _check(counted, kind)
    least = least_shown(threshold)
    shape = shape_of(counted.cells, least)
    divided = kind.columns is not None
    names = tuple(tuple(counted.columns[at] for at in group) for group in shape.columns)
    lines, answers = [], [_answer(kind, counted, (), (), int(counted.cells.sum()))]
    for at, group in enumerate(shape.rows):
        row = tuple(counted.rows[number] for number in group)
        answers.append(_answer(kind, counted, row, (), int(shape.row_totals[at])))
        shown = divided and bool(shape.shown[at])
        if shown:
            answers += [
                _answer(kind, counted, row, name, int(count))
                for name, count in zip(names, shape.cells[at], strict=True)
            ]
        cells = tuple(publish(int(count), threshold) for count in shape.cells[at])
        total = publish(int(shape.row_totals[at]), threshold)
        lines.append(Line(of=row, total=total, cells=cells if shown else None))
    totals = shape.cells.sum(axis=0)
    if divided:
        answers += [
            _answer(kind, counted, (), name, int(count))
            for name, count in zip(names, totals, strict=True)
        ]
    table = PublishedTable(
        table=kind.id,
        title=kind.title,
        population=counted.population,
        rows_are=kind.rows,
        columns_are=kind.columns,
        columns=names if divided else (),
        total=publish(int(counted.cells.sum()), threshold),
        column_totals=tuple(publish(int(t), threshold) for t in totals) if divided else (),
        lines=tuple(lines),
    )
    return table, tuple(answer for answer in answers if answer.count >= least)


def _check(counted: Counted, kind: Listed) -> None:
    shape = (len(counted.rows), len(counted.columns))
    unlike = (
        counted.cells.shape != shape
        or not np.issubdtype(counted.cells.dtype, np.integer)
        or bool((counted.cells < 0).any())
        or (kind.columns is None) != (counted.columns == ("",))
        or any(len(set(names)) != len(names) for names in (counted.rows, counted.columns))
    )
    if unlike or max(shape) > CATEGORIES_MOST or min(shape) == 0:
        raise DisclosureRefused(
            f"{kind.id}: expected counts of families by {kind.rows}"
            f"{f' and {kind.columns}' if kind.columns else ''}, each category once, "
            f"at most {CATEGORIES_MOST} of them"
        )


def _answer(
    kind: Listed, counted: Counted, row: Sequence[str], column: Sequence[str], count: int
) -> Answer:
    where = {}
    if row and len(row) < len(counted.rows):
        where[kind.rows] = frozenset(row)
    if kind.columns is not None and column and len(column) < len(counted.columns):
        where[kind.columns] = frozenset(column)
    return Answer(where, count)
