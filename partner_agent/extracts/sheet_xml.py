"""What openpyxl's read-only mode does not tell of a sheet: merged cells, formulas, disorder.

Merged cells, and whether there are formulas, are read from the sheet's XML in one streaming pass
before any row is, since merged ranges stand behind the rows. The pass takes the same parser as
openpyxl: what only looks like a row (in a comment, CDATA, another namespace) is none, and whatever
character set or prefix a sheet has, nothing is hidden from it.

Rules of that pass, in order: no document type; no row in a row; at most ``ROW_MOST`` bytes in a
row, and in all that stands outside rows, since openpyxl holds a row at once and the rest for good,
and a compressed file of a few hundred kilobytes can hold one that fills any memory; no more rows
than a sheet has, and no merged ranges that hold more: of each the parser or we keep something.

A row or cell that stands twice or after a later one is one that openpyxl leaves out or overwrites
without a word: a sheet that has one is refused where it comes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import IO, Any
from xml.parsers import expat

from openpyxl.utils import range_boundaries
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHEET_MAIN_NS

ROW_MOST = 8_388_608  # bytes of XML in one row; a row of 16,384 short cells has a fifth of it
ROWS_MOST = 1_048_576  # rows of a sheet, as Excel has it; and of all its merged ranges together
_BLOCK = 1_048_576  # bytes read at once
_ROW, _FORMULA, _MERGE = (f"{SHEET_MAIN_NS} {name}" for name in ("row", "f", "mergeCell"))


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
    """A row is larger than ``ROW_MOST``, or what stands outside rows is."""


class NotASheetError(Exception):
    """A sheet has a document type or a row in a row, as no spreadsheet program writes them."""


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
        NotASheetError: as its name says.
        ExpatError: it is no XML.
    """
    scan = _Scan()
    while block := xml.read(_BLOCK):
        scan.feed(block)
    return scan.facts()


class _Scan:
    """Where rows begin and end, in bytes, and what is between them."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._refs: dict[str, None] = {}
        self._formulas = False
        self._rows = 0
        self._fed = 0
        self._outside = 0  # bytes outside rows, up to where the last began
        self._since = 0  # where that row began, or ended
        self._in_row = False

    def feed(self, block: bytes) -> None:
        """Parse some bytes more."""
        self._parser.Parse(block)
        self._fed += len(block)
        self._require_room(self._fed)

    def facts(self) -> SheetFacts:
        """What was found, once all is parsed."""
        self._parser.Parse(b"", True)
        ranges = [_range(ref) for ref in self._refs]
        if sum(max(1, each.last_row - each.first_row + 1) for each in ranges) > ROWS_MOST:
            raise TooManyRowsError
        ranges.sort(key=lambda each: (each.first_row, each.first_column))
        return SheetFacts(tuple(ranges), self._formulas)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == _ROW:
            if self._in_row:
                raise NotASheetError
            at = self._parser.CurrentByteIndex
            self._require_room(at)
            self._outside += at - self._since
            self._since, self._in_row = at, True
            self._rows += 1
            if self._rows > ROWS_MOST:
                raise TooManyRowsError
        elif name == _FORMULA:
            self._formulas = True
        elif name == _MERGE:
            self._refs[attributes["ref"]] = None
            if len(self._refs) > ROWS_MOST:
                raise TooManyRowsError

    def _end(self, name: str) -> None:
        if name == _ROW:
            at = self._parser.CurrentByteIndex
            self._require_room(at)
            self._since, self._in_row = at, False

    def _require_room(self, at: int) -> None:
        """Check that what stands between the last row's edge and a place is not too much."""
        if at - self._since + (0 if self._in_row else self._outside) > ROW_MOST:
            raise RowTooLargeError

    def _doctype(self, *_: object) -> None:
        raise NotASheetError


def _range(ref: str) -> MergedRange:
    left, top, right, bottom = range_boundaries(ref)
    return MergedRange(int(left or 1), int(top or 1), int(right or 1), int(bottom or 1))
