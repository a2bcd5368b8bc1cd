"""A table of figures, and the files it is written to: JSON, CSV, a workbook, a page with charts.

Rules: a page stands by itself, without a script and without anything fetched; every figure of a
chart is in the table beside it; libraries that take seconds to load are loaded when one is drawn.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

Cell = str | int | float | None
HIDDEN: Final = "not shown"
_TITLE_MOST: Final = 31  # characters, in a workbook
_STYLE: Final = (
    "body{font-family:arial,sans-serif;margin:2em;color:#0b0c0c}table{border-collapse:collapse;"
    "margin:1em 0}th,td{padding:.3em .8em;border-bottom:1px solid #b1b4b6;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}p{max-width:44em}svg{max-width:100%;"
    "height:auto}@media print{section{break-inside:avoid}}"
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table.

    Attributes:
        id: names its CSV file.
        notes: what a reader has to know, a paragraph each.
        chart: draws it as SVG, where a picture says more.
    """

    id: str
    title: str
    notes: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    chart: "Callable[[Sheet], str] | None" = None

    def records(self) -> list[dict[str, Cell]]:
        """One a row, by heading."""
        return [dict(zip(self.headings, row, strict=True)) for row in self.rows]


def files_of(
    name: str, about: dict[str, Any], sheets: Sequence[Sheet]
) -> Iterator[tuple[str, bytes]]:
    """Every file of some sheets, by its name.

    Args:
        name: of the files that hold all of them.
        about: what they are of: run, agreement, hashes.
        sheets: in the order they are read.
    """
    yield f"{name}.json", as_json(about, sheets)
    for sheet in sheets:
        yield f"{sheet.id}.csv", as_csv(sheet)
    yield f"{name}.xlsx", as_workbook(about, sheets)
    yield f"{name}.html", as_page(about, sheets)


def as_json(about: dict[str, Any], sheets: Sequence[Sheet]) -> bytes:
    """All of them, for a program."""
    tables = {
        sheet.id: {"title": sheet.title, "notes": list(sheet.notes), "rows": sheet.records()}
        for sheet in sheets
    }
    return json.dumps({**about, "tables": tables}, indent=2).encode() + b"\n"


def as_csv(sheet: Sheet) -> bytes:
    """One of them, for a spreadsheet."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([sheet.headings, *sheet.rows])
    return text.getvalue().encode()


def as_workbook(about: dict[str, Any], sheets: Sequence[Sheet]) -> bytes:
    """A workbook, a sheet each, with a first one that says what they are of."""
    from openpyxl import Workbook  # noqa: PLC0415 - see above

    book = Workbook(write_only=True)
    first = book.create_sheet("about")
    for name, value in about.items():
        first.append([name, str(value)])
    for sheet in sheets:
        first.append([sheet.id, sheet.title])
        for note in sheet.notes:
            first.append(["", note])
        page = book.create_sheet(sheet.id[:_TITLE_MOST])
        page.append(list(sheet.headings))
        for row in sheet.rows:
            page.append(list(row))
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def as_page(about: dict[str, Any], sheets: Sequence[Sheet]) -> bytes:
    """A page that stands by itself."""
    return "".join(_page(about, sheets)).encode()


def _page(about: dict[str, Any], sheets: Sequence[Sheet]) -> Iterator[str]:
    title = escape(str(about.get("title", "Figures")))
    yield (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n"
    )
    said = "; ".join(f"{name} {value}" for name, value in about.items() if name != "title")
    yield f"<p>{escape(said)}</p>\n"
    for sheet in sheets:
        yield f'<section>\n<h2 id="{sheet.id}">{escape(sheet.title)}</h2>\n'
        yield "".join(f"<p>{escape(note)}</p>\n" for note in sheet.notes)
        if sheet.chart is not None and sheet.rows:
            yield sheet.chart(sheet)
        yield "\n<table>\n<thead><tr>"
        yield "".join(f'<th scope="col">{escape(name)}</th>' for name in sheet.headings)
        yield "</tr></thead>\n<tbody>\n"
        for first, *rest in sheet.rows:
            yield f'<tr><th scope="row">{escape(_text(first))}</th>'
            yield "".join(_cell(cell) for cell in rest) + "</tr>\n"
        yield "</tbody>\n</table>\n</section>\n"
    yield "</body>\n</html>\n"


def _cell(cell: Cell) -> str:
    kind = "" if isinstance(cell, str) else ' class="n"'
    return f"<td{kind}>{escape(_text(cell))}</td>"


def _text(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:.3f}"
    return "" if cell is None else f"{cell:,}" if isinstance(cell, int) else in_words(cell)


def in_words(code: str) -> str:
    """An id as a page and a chart show it; files keep ids."""
    return code.replace("_", " ")
