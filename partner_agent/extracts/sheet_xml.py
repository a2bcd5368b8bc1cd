"""What openpyxl's read-only mode does not tell of a sheet: merged cells, formulas, disorder.

Merged cells, and whether there are formulas, are read from the sheet's XML in one streaming pass
before any row is, since merged ranges stand behind the rows. The same pass refuses a sheet with a
row of more than ``ROW_MOST`` bytes: the XML parser holds a row at once, and a compressed file of a
few hundred kilobytes can hold one that fills any memory. It refuses one of more rows than a sheet
has, and merged ranges that hold more: of each the parser or we keep something.

A row or cell that stands twice or after a later one is one that openpyxl leaves out or overwrites
without a word: a sheet that has one is refused where it comes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import IO, Any

from openpyxl.utils import range_boundaries
from openpyxl.worksheet._reader import WorkSheetParser

ROW_MOST = 8_388_608  # bytes of XML in one row; a row of 16,384 short cells has a fifth of it
ROWS_MOST = 1_048_576  # rows of a sheet, as Excel has it; and of all its merged ranges together
_BLOCK = 1_048_576  # bytes read at once
_OVERLAP = 256  # bytes kept from the block before, so that no tag is cut in two
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z0-9:]{2,40})"')
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")


@dataclass(frozen=True, slots=True)
class MergedRange:
    """A merged range of cells; rows and columns of the sheet, from 1, both ends included."""

    first_column: int
    first_row: int
    last_column: int
    last_row: int


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """Merged ranges in reading order, and whether any cell holds a formula."""

    merged: tuple[MergedRange, ...]
    has_formulas: bool


class RowTooLargeError(Exception):
    """A row is larger than ``ROW_MOST``."""


class TooManyRowsError(Exception):
    """A sheet has more rows than ``ROWS_MOST``, or its merged ranges have."""


class DisorderError(Exception):
    """A row or a cell stands twice, or after a later one.

    Args:
        row: in which, from 1.
    """

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def rows_of(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Values of a sheet's rows in order, blank ones for those that it leaves out.

    Args:
        sheet: of a workbook that openpyxl has opened in its read-only mode.

    Raises:
        DisorderError: as its name says.
        TooManyRowsError: a row has a number past ``ROWS_MOST``.
    """
    book, before = sheet.parent, 0
    with sheet._get_source() as xml:  # noqa: SLF001 - openpyxl has no public way to the XML
        parser = WorkSheetParser(
            xml,
            sheet._shared_strings,  # noqa: SLF001 - likewise
            data_only=book.data_only,
            epoch=book.epoch,
            date_formats=book._date_formats,  # noqa: SLF001 - likewise
            timedelta_formats=book._timedelta_formats,  # noqa: SLF001 - likewise
        )
        for number, cells in parser.parse():
            if number <= before:
                raise DisorderError(number)
            if number > ROWS_MOST:
                raise TooManyRowsError
            yield from repeat((), number - before - 1)
            yield _values(number, cells)
            before = number


def _values(number: int, cells: list[dict[str, Any]]) -> tuple[Any, ...]:
    values: list[Any] = []
    for cell in cells:
        missing = cell["column"] - len(values) - 1
        if missing < 0:
            raise DisorderError(number)
        values += [*repeat(None, missing), cell["value"]]
    return tuple(values)


def scan_sheet(xml: IO[bytes]) -> SheetFacts:
    """Facts about a sheet from its XML stream.

    Raises:
        RowTooLargeError, TooManyRowsError: reading its rows would take boundless memory.
    """
    refs: dict[bytes, None] = {}
    formulas = False
    tail = b""
    since = 0  # bytes since a row began
    rows = 0
    while block := xml.read(_BLOCK):
        text = tail + block
        begun = []
        for found in _ROW.finditer(text):
            begun.append(found.start())
            rows += found.end() > len(tail)  # else the block before had it
        since = len(text) - begun[-1] if begun else since + len(block)
        if since > ROW_MOST:
            raise RowTooLargeError
        if rows > ROWS_MOST:
            raise TooManyRowsError
        refs.update(dict.fromkeys(_MERGE.findall(text)))
        if len(refs) > ROWS_MOST:
            raise TooManyRowsError
        formulas = formulas or bool(_FORMULA.search(text))
        tail = text[-_OVERLAP:]
    ranges = [_range(ref.decode("ascii")) for ref in refs]
    if sum(max(1, each.last_row - each.first_row + 1) for each in ranges) > ROWS_MOST:
        raise TooManyRowsError
    return SheetFacts(tuple(sorted(ranges, key=lambda r: (r.first_row, r.first_column))), formulas)


def _range(ref: str) -> MergedRange:
    left, top, right, bottom = range_boundaries(ref)
    return MergedRange(int(left or 1), int(top or 1), int(right or 1), int(bottom or 1))
