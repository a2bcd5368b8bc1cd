"""XLSX in, through openpyxl's read-only mode: constant memory but for the shared strings.

Rules, in order: the sheet named by the mapping, else the first; the headings are the first row
that is not blank, and not merged; dates become ISO 8601; a formula counts by its cached value,
and without one its row is rejected; cells merged down one column all hold the merged value, and a
row with cells merged across columns is rejected. A row is cut to the headings as it comes, however
wide the sheet says it is; a sheet with a row past the last that Excel has, or with rows or cells
that repeat or run backwards, is refused.
"""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, repeat
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from partner_agent.extracts.cells import cell_text
from partner_agent.extracts.errors import (
    DamagedExtractError,
    EmptyExtractError,
    ExtractTooLargeError,
    MergedHeaderError,
    SheetNotFoundError,
)
from partner_agent.extracts.header import check_header
from partner_agent.extracts.model import KEPT, MAX_FIELD, Chunk, Extract, ReadRow, chunks_of
from partner_agent.extracts.sheet_xml import (
    ROW_MOST,
    ROWS_MOST,
    DisorderError,
    NotASheetError,
    RowTooLargeError,
    SheetFacts,
    TooManyRowsError,
    rows_of,
    scan_sheet,
)

_MAX_STRINGS = 536_870_912  # bytes of shared strings, which openpyxl holds in memory
_MAX_PART = 33_554_432  # bytes of each part that describes the workbook, likewise
_MAX_PARTS = 10_000  # files in the archive
_SHEETS = "xl/worksheets/"
_DESCRIBING = ("[Content_Types].xml", "_rels/", "docProps/", "xl/_rels/", "xl/styles.xml",
               "xl/theme/", "xl/workbook.xml")  # fmt: skip
_DAMAGE = (
    zipfile.BadZipFile,
    InvalidFileException,
    ParseError,
    ExpatError,
    KeyError,
    ValueError,
    IndexError,
    TypeError,
    EOFError,
    OSError,
)


class XlsxExtract(Extract):
    """One sheet of a workbook."""

    kind = "xlsx"

    def __init__(self, path: Path, *, sheet: str | None, chunk_rows: int) -> None:
        self._path = path
        self._chunk_rows = chunk_rows
        self._check_size()
        with self._damage_translated(), self._workbook() as book:
            self._sheet = self._choose(book.sheetnames, sheet)
            self._facts = self._scan(book)
            self._header_row, cells = self._header(book)
        self._check_header_not_merged()
        self.columns = check_header(cells, path.name)
        self._first_column = 1
        self.details = {"sheet": self._sheet, "merged ranges": str(len(self._facts.merged))}

    def _check_size(self) -> None:
        with zipfile.ZipFile(self._path) as archive:
            parts = archive.infolist()
        if len(parts) > _MAX_PARTS:
            raise ExtractTooLargeError(
                f"{self._path.name} has more than {_MAX_PARTS:,} parts",
                next_step="export the extract as CSV or Parquet",
            )
        for part in parts:
            if part.filename.startswith(_SHEETS):
                continue  # read as they come; see scan_sheet
            most = _MAX_PART if part.filename.startswith(_DESCRIBING) else _MAX_STRINGS
            if part.file_size > most:
                raise ExtractTooLargeError(
                    f"a part of {self._path.name} needs more than {most:,} bytes of memory",
                    next_step="export the extract as CSV or Parquet",
                )

    def _choose(self, names: list[str], wanted: str | None) -> str:
        if wanted is None:
            return names[0]
        if wanted not in names:
            raise SheetNotFoundError(
                f"{self._path.name} has no sheet {wanted!r}; it has {', '.join(names)}",
                next_step="correct `sheet` in the mapping",
            )
        return wanted

    @contextmanager
    def _workbook(self, *, values: bool = True) -> Iterator[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's warnings hold the cell's value
            with self._path.open("rb") as stream:  # by its path it would go by the file's name
                book = openpyxl.load_workbook(stream, read_only=True, data_only=values)
                try:
                    yield book
                finally:
                    book.close()

    @contextmanager
    def _damage_translated(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            raise DamagedExtractError(
                f"{self._path.name} is damaged and cannot be read ({type(error).__name__})",
                next_step="open it in a spreadsheet program and save it again as XLSX or CSV",
            ) from None

    def _scan(self, book: Any) -> SheetFacts:
        sheet = book[self._sheet]
        with sheet._get_source() as xml:  # noqa: SLF001 - openpyxl has no public way to the XML
            try:
                return scan_sheet(xml)
            except TooManyRowsError:
                raise self._too_many_rows() from None
            except NotASheetError:
                raise DamagedExtractError(
                    f"sheet {self._sheet!r} of {self._path.name} has a document type or a row in a "
                    "row, as no spreadsheet program writes them",
                    next_step="open it in a spreadsheet program and save it again as XLSX or CSV",
                ) from None
            except RowTooLargeError:
                raise ExtractTooLargeError(
                    f"a row of sheet {self._sheet!r} of {self._path.name}, or what stands outside "
                    f"its rows, holds more than {ROW_MOST:,} bytes",
                    next_step="look at the sheet, and export the extract as CSV or Parquet",
                ) from None

    def _too_many_rows(self) -> ExtractTooLargeError:
        return ExtractTooLargeError(
            f"sheet {self._sheet!r} of {self._path.name} has more than {ROWS_MOST:,} rows, "
            "which is the most that Excel has, or merged cells over more than that",
            next_step="look at the sheet, and export the extract as CSV or Parquet",
        )

    def _rows(self, book: Any) -> Iterator[tuple[Any, ...]]:
        try:
            yield from rows_of(book[self._sheet])
        except TooManyRowsError:
            raise self._too_many_rows() from None
        except DisorderError as error:
            raise DamagedExtractError(
                f"row {error.row} of sheet {self._sheet!r} of {self._path.name}, or a cell of it, "
                "stands there twice or after a later one",
                next_step="open it in a spreadsheet program and save it again as XLSX or CSV",
            ) from None

    def _header(self, book: Any) -> tuple[int, list[str]]:
        for number, row in enumerate(self._rows(book), start=1):
            cells = [cell_text(value) for value in row]
            if any(cell.strip() for cell in cells):
                return number, cells
        raise EmptyExtractError(
            f"sheet {self._sheet!r} of {self._path.name} is empty",
            next_step="name the right sheet in the mapping",
        )

    def _check_header_not_merged(self) -> None:
        for area in self._facts.merged:
            if area.first_row <= self._header_row <= area.last_row:
                raise MergedHeaderError(
                    f"the first row of sheet {self._sheet!r} has merged cells (from column "
                    f"{area.first_column} to {area.last_column})",
                    next_step="remove title rows, and give each column one heading in one cell",
                )

    def __iter__(self) -> Iterator[Chunk]:
        reader = _RowReader(self._facts, self._header_row, len(self.columns))
        with self._damage_translated(), self._workbook() as values:
            rows = islice(self._rows(values), self._header_row, None)
            if not self._facts.has_formulas:
                yield from self._chunks(rows, repeat(()), reader)
                return
            with self._workbook(values=False) as formulas:
                written = islice(self._rows(formulas), self._header_row, None)
                yield from self._chunks(rows, written, reader)

    def _chunks(
        self,
        rows: Iterator[tuple[Any, ...]],
        written: Iterator[tuple[Any, ...]],
        reader: "_RowReader",
    ) -> Iterator[Chunk]:
        read = (
            self._read(number, row, formulas, reader)
            for number, (row, formulas) in enumerate(zip(rows, written, strict=False), start=1)
        )
        yield from chunks_of(self.columns, read, chunk_rows=self._chunk_rows)

    def _read(
        self, number: int, row: tuple[Any, ...], written: tuple[Any, ...], reader: "_RowReader"
    ) -> ReadRow:
        texts = reader.texts(number, row)
        fault, at = reader.fault(number, row, written)
        if not fault:
            at = next((at for at, text in enumerate(texts) if len(text) > MAX_FIELD), None)
            fault = "" if at is None else "row.field_too_long"
        if fault:
            column = self.columns[at] if at is not None else ""
            return ReadRow([text[:KEPT] for text in texts], fault, column)
        return ReadRow(texts if any(texts) else ())


class _RowReader:
    """Texts and faults of the rows below the headings, merged cells filled in."""

    def __init__(self, facts: SheetFacts, header_row: int, width: int) -> None:
        self._width = width
        self._across: set[int] = set()
        self._down: dict[int, list[tuple[int, bool]]] = {}
        self._held: dict[int, Any] = {}
        for area in facts.merged:
            rows = range(area.first_row - header_row, area.last_row - header_row + 1)
            if area.first_column > width or rows.stop <= 1:
                continue
            if area.last_column > area.first_column:
                self._across.update(rows)
            else:
                for row in rows:
                    start = row == rows.start
                    self._down.setdefault(row, []).append((area.first_column - 1, start))

    def texts(self, number: int, row: tuple[Any, ...]) -> list[str]:
        """Cells of one row as text, as many as there are headings."""
        texts = [cell_text(value) for value in row[: self._width]]
        texts += [""] * (self._width - len(texts))
        for column, start in self._down.get(number, ()):
            if start:
                self._held[column] = texts[column]
            else:
                texts[column] = self._held.get(column, "")
        return texts

    def fault(
        self, number: int, row: tuple[Any, ...], written: tuple[Any, ...]
    ) -> tuple[str, int | None]:
        """A reason code, or "", and the position of the column at fault where there is one."""
        if number in self._across:
            return "row.merged_cells", None
        if any(value not in (None, "") for value in row[self._width :]):
            return "row.field_count", None
        for at, formula in enumerate(written[: self._width]):
            is_formula = formula is not None and (
                not isinstance(formula, str) or formula.startswith("=")
            )
            if is_formula and (at >= len(row) or row[at] is None):
                return "row.formula_without_value", at
        return "", None
