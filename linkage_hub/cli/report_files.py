"""Reports of figures for staff: every form of one, and what of it stands on a screen."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table as Screen
from rich.text import Text

from governance.canonical import Frozen, canonical_bytes
from governance.reports.cells import lines
from governance.reports.models import Report, Table
from governance.terminal import write_bytes


def forms_of(folder: Path, name: str, report: Report) -> dict[Path, bytes]:
    """A page, PDF, a workbook and CSV of a report, by where they go."""
    from governance.reports.files import as_csv, as_workbook  # noqa: PLC0415 - jinja2
    from governance.reports.page import as_page  # noqa: PLC0415
    from governance.reports.pdf import as_pdf  # noqa: PLC0415

    return {
        folder / f"{name}.html": as_page(report),
        folder / f"{name}.pdf": as_pdf(report),
        folder / f"{name}.xlsx": as_workbook(report),
        folder / f"{name}.csv": as_csv(report),
    }


def write_report(folder: Path, name: str, own: Frozen, report: Report) -> list[str]:
    """Write a report's own file, JSON, and beside it each form to read; their paths."""
    data = canonical_bytes(own) + b"\n"
    files = {folder / f"{name}.json": data} | forms_of(folder, name, report)
    for path, content in files.items():
        write_bytes(path, content)
    return [str(path) for path in files]


def show_tables(tables: Iterable[Table], out: Console) -> None:
    """Counts on a screen; of a list of families how many there are."""
    for table in tables:
        if table.listed:
            out.print(f"{table.title}: {len(table.rows)}", markup=False)
            continue
        title = Text(table.title)  # whatever is written here is no markup of the screen's
        shown = Screen(title=title, title_justify="left")
        for heading in table.headings:
            shown.add_column(Text(heading))
        for row in lines(table):
            shown.add_row(*map(Text, row))
        out.print(shown)
