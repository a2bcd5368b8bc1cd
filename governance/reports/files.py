"""A report as a workbook and as CSV.

Rules: what a spreadsheet would take for a formula is text; numbers are numbers, an estimate three
of them; both may hold pseudonyms, and are for staff.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, Final

from governance.reports.models import Cell, Estimate, Form, Report, Table
from governance.reports.page import NOTE, about

HEADINGS: Final = ("table", "row", "line", "column", "value", "low", "high")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What no workbook may hold."""
_TITLE_MOST: Final = 31  # characters of a sheet's name
_WIDTHS: Final = (10, 46)  # characters of a column, least and most
_FORMATS: Final[dict[Form | None, str]] = {
    None: "#,##0", "share": "0%", "points": "+0%;-0%;0%", ".1f": "#,##0.0",
    ".2f": "#,##0.00", ".3f": "#,##0.000", "+.2f": "+0.00;-0.00;0.00",
}  # fmt: skip
_ENDS: Final = ("", ", low", ", high")

Plain = str | int | float | None


def as_csv(report: Report) -> bytes:
    """One line a figure, by table, number of the row from 1, the row's first cell, and column."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADINGS)
    for table in report.tables:
        for number, (first, *rest) in enumerate(table.rows, 1):
            for heading, cell in zip(table.headings[1:], rest, strict=True):
                figures = map(plain, (first, heading, *_three(cell)))
                writer.writerow((table.id, number, *figures))
    return text.getvalue().encode()


def as_workbook(report: Report) -> bytes:
    """XLSX: a sheet that says what it is of, and one a table."""
    from openpyxl import Workbook  # noqa: PLC0415 - commands without a workbook do without it

    book = Workbook()
    first = book.worksheets[0]
    first.title = "about"
    _fill(first, _front(report), ())
    names = {"about"}
    for table in report.tables:
        name = _sheet_name(table.id, names)
        names.add(name)
        _write(book.create_sheet(name), table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def plain(cell: Cell) -> Plain:
    """A cell that no spreadsheet takes for a formula, or refuses."""
    if isinstance(cell, Estimate):
        return cell.value
    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub("", cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _three(cell: Cell) -> tuple[Plain, Plain, Plain]:
    if isinstance(cell, Estimate):
        return cell.value, cell.low, cell.high
    return plain(cell), None, None


def _front(report: Report) -> Iterator[tuple[Plain, ...]]:
    yield (plain(report.title),)
    for text in (*report.lead, *report.warnings, NOTE):
        yield (plain(text),)
    yield ()
    for each in report.highlights:
        yield (plain(each.name), each.count)
    for name, value in about(report):
        yield (plain(name), plain(value))
    for part in report.parts:
        yield ()
        yield (plain(part.heading),)
        for text in (*part.texts, *part.items):
            yield ("", plain(text))


def _write(sheet: Any, table: Table) -> None:
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415 - see above
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    wide = [any(isinstance(row[at], Estimate) for row in table.rows)
            for at in range(len(table.headings))]  # fmt: skip
    names = [
        f"{heading}{end}"
        for heading, three in zip(table.headings, wide, strict=True)
        for end in (_ENDS if three else _ENDS[:1])
    ]
    _fill(sheet, [(plain(table.title),), *((plain(note),) for note in table.notes), ()], names)
    for cell in sheet[sheet.max_row]:
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = f"B{sheet.max_row + 1}"
    sheet.print_title_rows = f"{sheet.max_row}:{sheet.max_row}"
    start = sheet.max_row + 1
    for row in table.rows:
        cells = [_three(cell) if three else (plain(cell),)
                 for cell, three in zip(row, wide, strict=True)]  # fmt: skip
        sheet.append([figure for three in cells for figure in three])
    forms = [
        table.forms.get(heading)
        for heading, three in zip(table.headings, wide, strict=True)
        for _ in (_ENDS if three else _ENDS[:1])
    ]
    for at, (column, form) in enumerate(
        zip(sheet.iter_cols(min_row=start, max_col=len(names)), forms, strict=True), 1
    ):
        for cell in column:
            cell.number_format = _FORMATS[form] if cell.data_type == "n" else "General"
        longest = max((len(str(cell.value or "")) for cell in column), default=0)
        least, most = _WIDTHS
        sheet.column_dimensions[get_column_letter(at)].width = min(most, max(least, longest + 2))


def _fill(sheet: Any, front: Any, headings: Any) -> None:
    from openpyxl.styles import Font  # noqa: PLC0415 - see above

    for line in front:
        sheet.append(list(line))
    sheet["A1"].font = Font(bold=True, size=14)
    if headings:
        sheet.append([plain(heading) for heading in headings])
    sheet.oddFooter.left.text = NOTE
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9  # A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _sheet_name(id_: str, taken: set[str]) -> str:
    name, number = id_[:_TITLE_MOST], 1
    while name in taken:
        number += 1
        end = f"-{number}"
        name = id_[: _TITLE_MOST - len(end)] + end
    return name
