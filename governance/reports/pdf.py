"""A report as PDF/A-2a and PDF/UA-1 (ISO 19005-2, ISO 14289-1), set by Typst on this computer.

Rules: what is shown goes in as data, and none of it is taken for markup; nothing is fetched;
its words are set in Typst's own fonts, and the same report gives the same file on one machine.
"""

import json
import re
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from governance.reports.cells import lines
from governance.reports.charts import svg_of
from governance.reports.models import Chart, Part, Report, Table
from governance.reports.page import NOTE, about, wide

_WIDTH: Final = re.compile(r'\bwidth="([0-9.]+)')


def as_pdf(report: Report) -> bytes:
    """The file, tagged for reading aloud."""
    import typst  # noqa: PLC0415 - eighty megabytes

    template = files("governance.reports").joinpath("templates", "report.typ").read_bytes()
    made = datetime.fromisoformat(report.made_on).replace(tzinfo=UTC)
    pdf: bytes = typst.compile(
        template,
        sys_inputs={"report": json.dumps(_data(report))},
        ignore_system_fonts=True,
        pdf_standards=["a-2a", "ua-1"],
        timestamp=made,
    )
    return pdf


def _data(report: Report) -> dict[str, Any]:
    return {
        "title": report.title,
        "note": NOTE,
        "lead": report.lead,
        "warnings": report.warnings,
        "highlights": [(each.name, f"{each.count:,}") for each in report.highlights],
        "parts": [_part(part) for part in report.parts],
        "about": list(about(report)),
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "heading": part.heading,
        "wide": wide(part),
        "texts": part.texts,
        "chart": None if part.chart is None else _chart(part.chart),
        "tables": [_table(table, part.heading) for table in part.tables],
        "items": part.items,
    }


def _chart(chart: Chart) -> dict[str, Any]:
    svg = str(svg_of(chart))
    found = _WIDTH.search(svg)
    return {"svg": svg, "label": chart.label, "width": float(found[1]) if found else 0.0}


def _table(table: Table, heading: str) -> dict[str, Any]:
    return {
        "title": None if table.title == heading else table.title,
        "notes": table.notes,
        "headings": table.headings,
        "numeric": table.numeric,
        "listed": table.listed,
        "rows": list(lines(table)),
    }
