"""The table of a run's quality as text for a terminal, CSV and a page."""

import csv
import io
from collections.abc import Iterator
from html import escape
from typing import Final

from governance.exchange.analysis_api import EffectRow
from governance.exchange.hub_api import QualityRow, QualityTable, Share3

HEADINGS: Final = (
    "group",
    "records",
    "predicted precision",
    "predicted recall",
    "sentinel pairs",
    "sentinel recall",
    "sentinel precision",
    "note",
)
EXPLAINED: Final = (
    "Precision: of the pairs of records that were taken for one person, the share that is right. "
    "Recall: of the pairs that are one person, the share that was found. In brackets the interval "
    "that holds the true share in 95 of 100 runs. Sentinels are people who do not exist, put into "
    "the extracts by the partners, so that the right answer is known; predicted figures are the "
    "hub's expectation for real people, corrected by them. No figure rests on anybody's true data."
)
EFFECTS_EXPLAINED: Final = (
    "Found: what the run has. Without errors: what it would be if false links were undone and "
    "missed ones made, from {draws} draws of persons that may be the true ones, with precision "
    "{precision} and recall {recall} of pairs of records. False and missed links: what undoing "
    "each changes. Errors of other kinds are not in it: families that are put together wrongly, "
    "needs that no source knows."
)
_FIGURES: Final = {
    "persons": "persons",
    "families": "families",
    "put_forward": "families put forward",
    "kept": "of these, put forward without errors too",
    "in_programme": "families in the programme",
}
_SHARES: Final = (
    "predicted_precision", "predicted_recall", "sentinel_recall", "sentinel_precision",
)  # fmt: skip


def cells(row: QualityRow) -> tuple[str, ...]:
    """One line as text, in the order of ``HEADINGS``."""
    return (
        name_of(row),
        "" if row.records is None else f"{row.records:,}",
        share_text(row.predicted_precision),
        share_text(row.predicted_recall),
        str(row.sentinel_pairs),
        share_text(row.sentinel_recall),
        share_text(row.sentinel_precision),
        row.note,
    )


def name_of(row: QualityRow) -> str:
    """What a line is about."""
    group = row.group.replace("_", " ")
    value = row.value.replace("_", " ")
    return f"{group}: {value}" if group else value


def name_of_effect(row: EffectRow) -> str:
    """What a figure is, in words."""
    if row.figure in _FIGURES:
        return _FIGURES[row.figure]
    return " and ".join(need.replace("_", " ") for need in row.needs)


def share_text(share: Share3 | None) -> str:
    """``.976 [.968, .983]``."""
    if share is None:
        return ""
    return f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]"


def as_csv(table: QualityTable) -> bytes:
    """Every number in a column of its own, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [f"{name}{end}" for name in _SHARES for end in ("", "_low", "_high")]
    writer.writerow(["group", "value", "records", "sentinel_pairs", *columns, "note"])
    for row in table.rows:
        shares = [number for name in _SHARES for number in _numbers(getattr(row, name))]
        records = "" if row.records is None else row.records
        writer.writerow([row.group, row.value, records, row.sentinel_pairs, *shares, row.note])
    return text.getvalue().encode()


def _numbers(share: Share3 | None) -> tuple[float | str, ...]:
    return ("", "", "") if share is None else (share.value, share.low, share.high)


def as_page(table: QualityTable, run: str) -> bytes:
    """A page that stands by itself."""
    return "".join(_page(table, run)).encode()


def _page(table: QualityTable, run: str) -> Iterator[str]:
    yield (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        "<title>Quality of a link run</title>\n<style>body{font-family:arial,sans-serif;margin:2em}"
        "table{border-collapse:collapse}th,td{padding:.3em .8em;border-bottom:1px solid #b1b4b6;"
        "text-align:left}p{max-width:44em}</style></head>\n<body>\n"
        f"<h1>Quality of link run {escape(run)}</h1>\n<p>{escape(EXPLAINED)}</p>\n<table>\n<thead>"
        "<tr>"
    )
    yield "".join(f'<th scope="col">{escape(heading)}</th>' for heading in HEADINGS)
    yield "</tr></thead>\n<tbody>\n"
    for row in table.rows:
        first, *rest = (escape(cell) for cell in cells(row))
        yield f'<tr><th scope="row">{first}</th>'
        yield "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>\n"
    yield "</tbody>\n</table>\n</body>\n</html>\n"
