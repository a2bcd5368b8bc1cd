"""A report as page, workbook and CSV: the same figures, nothing that runs."""

import csv
import io
import re
from datetime import date
from typing import Final

import pytest
from openpyxl import load_workbook

from governance.agreements.models import Agreement
from governance.exchange.analysis_api import ComparedSource, SourceFreshness
from governance.transparency.models import Program
from linkage_hub.analytics.programme.files import as_csv, as_workbook, plain
from linkage_hub.analytics.programme.models import ProgrammeReport, RunFacts
from linkage_hub.analytics.programme.page import NOTE, as_page
from linkage_hub.analytics.programme.report import About, report
from linkage_hub.analytics.programme.tables import tables_of
from tests.governance.world import Party, agreement_data
from tests.linkage_hub.analytics.programme.months import month

HASH: Final = "sha256:" + "0" * 64
SOURCE: Final = SourceFreshness(
    party="council", source="early_help", submission="a" * 32, received="2026-11-28T00:00:00Z",
    extracted_on="2026-11-27", age_days=2, kept_until=None, records=1_234, in_current_run=True,
    accepted=1, refused=0, replaced=0, last_refusal=None,
)  # fmt: skip


@pytest.fixture(scope="module")
def made() -> ProgrammeReport:
    """Two months of three families: one joins, one is put forward, one goes from the list."""
    before = month([{"neet": "-"}, {"neet": "+"}, {"flagged": "+", "neet": "+", "offence": "+"}])
    now = month(
        [
            {"in_programme": "+", "neet_start": "+", "neet": "-"},
            {"flagged": "+", "neet": "+", "offence": "+"},
            {"neet": "+", "offence": "-"},
        ]
    )
    data = agreement_data([Party("police"), Party("council")]) | {"title": "=HYPERLINK(<b>)"}
    about = About(
        agreement=Agreement.model_validate(data),
        program=Program(version="1", code=HASH),
        written_on=date(2026, 11, 29),
        run=RunFacts(id="b" * 32, finished="2026-11-29T00:00:00Z", families=3, put_forward=1),
        before=RunFacts(id="a" * 32, finished="2026-10-29T00:00:00Z", families=3, put_forward=1),
        sources=[SOURCE],
        compared=[
            ComparedSource(
                party="council", source="early_help", older=HASH, newer="sha256:" + "1" * 64,
                older_records=1, newer_records=2,
            )
        ],
    )  # fmt: skip
    return report(now, before, about)


def test_the_figures_of_a_small_month(made: ProgrammeReport) -> None:
    """By hand, and the same after they were written and read."""
    assert (made.membership.worked_with, made.membership.joined) == (1, 1)
    assert (made.claims.scope, made.claims.full, made.claims.several_bars) == (1, 0, 1)
    assert made.forward is not None
    assert made.forward.added_families[0].needs == ("offence",)
    assert made.forward.dropped_families[0].reason == "needs_resolved"
    assert (made.sources[0].new, made.sources[0].age_days) == (True, 2)
    assert ProgrammeReport.model_validate_json(made.model_dump_json()) == made


def test_the_page_runs_nothing_and_says_what_the_tables_say(made: ProgrammeReport) -> None:
    """No script, no other file, markup is text; each chart stands beside its table."""
    page = as_page(made, tables_of(made)).decode()
    assert "<script" not in page
    assert "=HYPERLINK(&lt;b&gt;)" in page
    assert page.count('<svg role="img"') == 3
    assert "<i>" not in page  # of a need's title: in tables, in charts and in their names
    assert page.count("&lt;i&gt;Neet") > 3
    assert NOTE in page
    assert re.search(r"joined since</th><td class=\"n\">1</td>", page)
    assert "1,234" in page


def test_a_workbook_and_a_csv_hold_every_table(made: ProgrammeReport) -> None:
    """A sheet each, numbers as numbers, and no text that a spreadsheet would work out."""
    tables = tables_of(made)
    book = load_workbook(io.BytesIO(as_workbook(tables, NOTE)))
    assert book.sheetnames == [table.id for table in tables]
    assert book["membership"]["B6"].value == 1
    assert all(cell.data_type != "f" for sheet in book for row in sheet.rows for cell in row)
    rows = list(csv.DictReader(io.StringIO(as_csv(tables).decode())))
    assert {"table": "claims", "line": "of these, a claim may be made", "column": "families",
            "value": "0"} in rows  # fmt: skip
    assert {row["table"] for row in rows} == {table.id for table in tables}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1"])
def test_nothing_is_taken_for_a_formula(text: str) -> None:
    """What begins like one begins with a quote."""
    assert plain(text) == f"'{text}"
    assert (plain("a=1"), plain(-1)) == ("a=1", -1)
