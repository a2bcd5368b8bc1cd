"""Counts of families by area, as a table."""

from dataclasses import dataclass

from governance.console.labels import Labels, name_of
from governance.disclosure.counts import Published
from governance.exchange.risk_api import AreaCounts, AreaRow
from governance.ui.show import Cell
from governance.ui.words import Words


@dataclass(frozen=True)
class AreaTable:
    """One agreement's.

    Attributes:
        title: of the agreement.
        heads: of the columns.
        rows: of cells.
    """

    title: str
    heads: list[str]
    rows: list[list[Cell]]


def area_table(words: Words, counts: AreaCounts, labels: Labels) -> AreaTable:
    """The counts of one agreement, in words."""
    told_apart = len(counts.needs) > 1  # one column would repeat the first
    needs = counts.needs if told_apart else ()
    columns = [_column(words, numbers, counts.most) for numbers in needs]
    rows: list[list[Cell]] = [
        [_named(words, row, labels), _count(words, row.total), *_cells(words, row, len(columns))]
        for row in counts.rows
    ]
    heads = [words("families.area"), words("families.area.all"), *columns]
    return AreaTable(name_of(labels, "agreements", counts.agreement), heads, rows)


def _cells(words: Words, row: AreaRow, columns: int) -> list[str]:
    if not row.by_needs:
        return [words("families.area.hidden")] * columns
    return [_count(words, count) for count in row.by_needs[:columns]]


def _column(words: Words, numbers: tuple[int, ...], most: int) -> str:
    first, last = numbers[0], numbers[-1]
    if last == most and last - first + 1 == len(numbers):
        return words("families.area.needs.at_least", number=first)
    return words("families.area.needs", number=" or ".join(map(str, numbers)), count=last)


def _named(words: Words, row: AreaRow, labels: Labels) -> str:
    names = [name_of(labels, "needs", area) for area in row.areas]
    names += [words("families.area.several")] * row.several
    names += [words("families.area.unknown")] * row.unknown
    return "; ".join(names)


def _count(words: Words, count: Published) -> str:
    if count.about is None:
        return words("families.area.few", most=count.most)
    return words("families.area.about", about=count.about)
