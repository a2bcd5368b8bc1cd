"""A report as CSV and as a workbook.

Rules: what a spreadsheet would take for a formula is text; both hold pseudonyms, and are for staff.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final

from linkage_hub.analytics.programme.tables import Cell, Figures

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_WIDE: Final = 46  # characters
_HEADINGS: Final = ("table", "line", "column", "value")


def as_csv(tables: Sequence[Figures]) -> bytes:
    """One line a figure; lists of families one line a field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADINGS)
    for table in tables:
        for first, *rest in table.rows:
            for heading, value in zip(table.headings[1:], rest, strict=True):
                writer.writerow((table.id, *map(plain, (first, heading, value))))
    return text.getvalue().encode()


def as_workbook(tables: Sequence[Figures], note: str) -> bytes:
    """XLSX: a sheet a table.

    Args:
        tables: of the report.
        note: what the report is about, on every sheet.
    """
    from openpyxl import Workbook  # noqa: PLC0415 - commands without a workbook do without it
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415

    book = Workbook()
    for empty in book.worksheets:
        book.remove(empty)
    for table in tables:
        sheet = book.create_sheet(table.id[:31])
        for line in (table.title, table.note, note):
            sheet.append([plain(line)])
        sheet["A1"].font = Font(bold=True, size=14)
        sheet.append([])
        sheet.append([plain(heading) for heading in table.headings])
        for cell in sheet[sheet.max_row]:
            cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        sheet.freeze_panes = f"A{sheet.max_row + 1}"
        for row in table.rows:
            sheet.append([plain(cell) for cell in row])
        sheet.column_dimensions["A"].width = _WIDE
        for at in range(1, len(table.headings)):
            sheet.column_dimensions["ABCDEFGHIJKLMNOP"[at]].width = _WIDE if table.listed else 16
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def plain(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
