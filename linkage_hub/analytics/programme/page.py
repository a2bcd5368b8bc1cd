"""A report as one page to print."""

from markupsafe import Markup

from governance.pages import page_template
from linkage_hub.analytics.programme.charts import claims_chart, distance_chart, needs_chart
from linkage_hub.analytics.programme.models import ProgrammeReport
from linkage_hub.analytics.programme.tables import Cell, Figures

NOTE = (
    "Exact figures and pseudonyms, for staff whom the agreement allows to analyse; not for "
    "publication. What is not known is never counted as unmet."
)


def as_page(report: ProgrammeReport, tables: list[Figures]) -> bytes:
    """HTML without script or other files."""
    charts: dict[str, Markup] = {"claims-by-need": claims_chart(report.claims)}
    for each, table in zip(
        report.distances, [t for t in tables if t.id.startswith("distance-")], strict=True
    ):
        charts[table.id] = distance_chart(each)
    if report.forward is not None:
        charts["needs"] = needs_chart(report.forward)
    page = page_template("linkage_hub.analytics.programme", "report.html", cell=_cell)
    return page.render(
        report=report, counted=[t for t in tables if not t.listed], note=NOTE,
        listed=[t for t in tables if t.listed], charts=charts,
    ).encode()  # fmt: skip


def _cell(value: Cell) -> str:
    return f"{value:,}" if isinstance(value, int) else value
