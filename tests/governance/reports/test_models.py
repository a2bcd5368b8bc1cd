"""What a report may hold."""

import pytest
from pydantic import ValidationError

from governance.reports.models import Report

TABLE = {"id": "t", "title": "T", "headings": ["need", "families"], "rows": [["debt", 3]]}
REPORT = {
    "kind": "needs", "title": "Needs", "lead": ["Of one run."], "agreement": "sha256:" + "0" * 64,
    "runs": ["0" * 32], "made_on": "2026-11-01", "program": "sha256:" + "1" * 64,
    "parts": [{"id": "needs", "heading": "Needs", "tables": [TABLE]}],
}  # fmt: skip


def test_counts_shares_and_what_is_not_shown_stay_what_they_are() -> None:
    """An integer does not become a share on the way, nor a share a count."""
    rows = [["debt", 3], ["health", 0.25], ["work", None]]
    report = Report.model_validate(
        REPORT
        | {"parts": [{"id": "needs", "heading": "Needs", "tables": [TABLE | {"rows": rows}]}]}
    )
    again = Report.model_validate_json(report.model_dump_json())
    assert again == report
    assert [type(row[1]) for row in again.tables[0].rows] == [int, float, type(None)]


@pytest.mark.parametrize("row", [["debt"], ["debt", 3, 4]])
def test_a_row_of_another_length_is_refused(row: list[object]) -> None:
    """It could not be drawn."""
    with pytest.raises(ValidationError, match="as many cells as there are headings"):
        Report.model_validate(
            REPORT
            | {"parts": [{"id": "needs", "heading": "N", "tables": [TABLE | {"rows": [row]}]}]}
        )
