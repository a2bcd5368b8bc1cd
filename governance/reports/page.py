"""A report as one page to print: no script, no other file; a table beside each chart."""

from collections.abc import Iterator
from typing import Final

from governance.pages import page_template
from governance.reports.cells import lines
from governance.reports.charts import svg_of
from governance.reports.models import Part, Report

NOTE: Final = "For staff of the agreement; not for publication"
"""What stands at the foot of every printed page."""
_SMALL: Final = 9  # columns from which on letters are smaller
_WIDE: Final = 12  # columns from which on paper is turned


def as_page(report: Report) -> bytes:
    """The page, HTML."""
    page = page_template("governance.reports", "report.html")
    return page.render(
        report=report, note=NOTE, lines=lines, svg_of=svg_of, about=about, kind=_kind
    ).encode()


def about(report: Report) -> Iterator[tuple[str, str]]:
    """Where a report comes from: names and values."""
    yield "made on", report.made_on
    yield "agreement", report.agreement
    for number, run in enumerate(report.runs, 1):
        yield "run" if len(report.runs) == 1 else f"run {number}", run
    yield "program", report.program
    yield from report.inputs.items()


def wide(part: Part) -> bool:
    """Whether a section is printed on turned paper."""
    return _columns(part) >= _WIDE


def _kind(part: Part) -> str:
    """How a section is laid out."""
    return "wide turned" if wide(part) else "wide" if _columns(part) >= _SMALL else ""


def _columns(part: Part) -> int:
    return max((len(table.headings) for table in part.tables), default=0)
