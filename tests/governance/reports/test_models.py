"""What a report may hold."""

from typing import Any

import pytest
from pydantic import ValidationError

from governance.canonical import canonical_bytes
from governance.reports.cells import lines
from governance.reports.models import Report
from tests.governance.reports.world import REPORT as WHOLE

TABLE = {"id": "t", "title": "T", "headings": ["need", "families"], "rows": [["debt", 3]]}
REPORT = {
    "kind": "needs", "title": "Needs", "lead": ["Of one run."], "agreement": "sha256:" + "0" * 64,
    "runs": ["0" * 32], "made_on": "2026-11-01", "program": "sha256:" + "1" * 64,
    "parts": [{"id": "needs", "heading": "Needs", "tables": [TABLE]}],
}  # fmt: skip


def with_tables(*tables: dict[str, Any]) -> Report:
    """A report of a part with these."""
    return Report.model_validate(
        REPORT | {"parts": [{"id": "needs", "heading": "Needs", "tables": list(tables)}]}
    )


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_counts_and_shares_stay_what_they_are(share: float) -> None:
    """Also where canonical JSON writes a share of one as the count of one."""
    table = {
        "headings": ["need", "families", "share"],
        "forms": {"share": "share"},
        "rows": [["debt", 3, share], ["health", "not shown", None]],
    }
    report = with_tables(TABLE | table)
    for data in (report.model_dump_json(), canonical_bytes(report)):
        again = Report.model_validate_json(data)
        assert again == report
        assert list(lines(again.tables[0])) == [
            ("debt", "3", f"{100 * share:.0f}\u00a0%"), ("health", "not shown", ""),
        ]  # fmt: skip


def test_a_report_is_the_same_after_it_was_written_and_read() -> None:
    """With every kind of chart and cell."""
    assert Report.model_validate_json(canonical_bytes(WHOLE)) == WHOLE


@pytest.mark.parametrize("row", [["debt"], ["debt", 3, 4]])
def test_a_row_of_another_length_is_refused(row: list[object]) -> None:
    """It could not be drawn."""
    with pytest.raises(ValidationError, match="as many cells as there are headings"):
        with_tables(TABLE | {"rows": [row]})


@pytest.mark.parametrize("cell", [0.25, {"value": 0.2, "low": 0.1, "high": 0.3}])
def test_a_number_that_is_no_count_says_how_it_is_written(cell: object) -> None:
    """A share that is taken for a count would be wrong by a factor of a hundred."""
    with pytest.raises(ValidationError, match="forms is expected"):
        with_tables(TABLE | {"rows": [["debt", cell]]})
    with_tables(TABLE | {"rows": [["debt", cell]], "forms": {"families": "share"}})


def test_ids_are_given_once() -> None:
    """A sheet and a line of CSV are found by them."""
    with pytest.raises(ValidationError, match="an id of its own"):
        with_tables(TABLE, TABLE)
    with pytest.raises(ValidationError, match="an id of its own"):
        Report.model_validate(REPORT | {"parts": REPORT["parts"] * 2})  # type: ignore[operator]
