"""Write a quality report as one HTML file that needs nothing else, and as JSON."""

from pathlib import Path

from governance.pages import page_template
from partner_agent.cleansing.charts import band_chart, column_chart
from partner_agent.cleansing.files import whole_file
from partner_agent.cleansing.outcome import NOTES, REJECTS
from partner_agent.cleansing.quality import QualityReport


def render_html(report: QualityReport) -> str:
    """The report as HTML: charts as inline SVG, each with a table; no script, no outside file."""
    return page_template("partner_agent.cleansing", "quality.html").render(
        report=report,
        rejects=REJECTS,
        reasons=_reasons(report),
        column_chart=column_chart(report.columns) if report.columns else "",
        age_chart=band_chart(report.ages, "Rows by age; the table below has the figures"),
        decade_chart=band_chart(
            report.birth_decades, "Rows by decade of birth; the table below has them"
        ),
    )


def write_report(report: QualityReport, html: Path, json: Path) -> None:
    """Write both files, each whole or not at all, mode 0600.

    Raises:
        OutputNotWrittenError: the disk is full, or a folder cannot be written to.
    """
    with whole_file(html) as stream:
        stream.write(render_html(report))
    with whole_file(json) as stream:
        stream.write(report.model_dump_json(indent=2) + "\n")


def _reasons(report: QualityReport) -> list[tuple[str, str, str, str, int]]:
    """(column, kind, note, words, count), the most frequent first."""
    rows = [
        (name, NOTES[note][0].value, note, NOTES[note][1], count)
        for name, column in report.columns.items()
        for note, count in column.reasons.items()
    ]
    return sorted(rows, key=lambda row: (-row[4], row[0], row[2]))
