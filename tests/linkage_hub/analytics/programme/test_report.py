"""A programme's report, and the document that is made of it: the same figures."""

import re
from datetime import date
from typing import Final

import pytest

from governance.agreements.models import Agreement
from governance.canonical import canonical_bytes
from governance.exchange.analysis_api import ComparedSource, SourceFreshness
from governance.reports.models import Bars
from governance.reports.page import as_page
from governance.transparency.models import Program
from linkage_hub.analytics.programme.document import NOTE, document_of
from linkage_hub.analytics.programme.models import ProgrammeReport, RunFacts
from linkage_hub.analytics.programme.report import About, report
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
    page = as_page(document_of(made)).decode()
    assert "<script" not in page
    assert "=HYPERLINK(&lt;b&gt;)" in page
    assert page.count('<svg role="img"') == 3
    assert "<i>" not in page  # of a need's title: in tables, in charts and in their names
    assert page.count("&lt;i&gt;Neet") > 3
    assert NOTE in page
    assert re.search(r"joined since</th><td class=\"n\">1</td>", page)
    assert "1,234" in page


def test_the_document_has_every_figure(made: ProgrammeReport) -> None:
    """Tables in order, lists last; a chart has the counts of the table beside it."""
    found = document_of(made)
    assert [table.id for table in found.tables] == [
        "membership", "claims", "claims-by-need", "sole-reason", "distance-absence", "change",
        "needs", "sources", "put-forward", "no-longer",
    ]  # fmt: skip
    rows = {table.id: {row[0]: row[1:] for row in table.rows} for table in found.tables}
    assert rows["membership"]["In the programme"] == (1,)
    assert rows["claims"]["of these, a claim may be made"] == (0,)
    assert rows["sources"]["early_help"] == ("council", "2026-11-27", 2, 1_234, "yes", "new")
    assert [table.id for table in found.tables if table.listed] == ["put-forward", "no-longer"]
    (added,) = rows["put-forward"].values()
    assert added == ("more needs are met", "offence", "offence")
    charts = [part for part in found.parts if isinstance(part.chart, Bars)]
    assert len(charts) == 3
    for part in charts:
        assert isinstance(part.chart, Bars)
        (table,) = part.tables
        for point in part.chart.points:
            row = next(row for row in table.rows if row[0] == point.line)
            assert row[table.headings.index(point.series)] == point.value
    assert (found.runs, found.made_on) == (("a" * 32, "b" * 32), "2026-11-29")
    assert [each.count for each in found.highlights] == [1, 0, 0, 1]


def test_a_report_that_was_read_from_its_file_says_the_same(made: ProgrammeReport) -> None:
    """Canonical JSON sorts what is counted by name; each count stays under its own heading."""
    again = document_of(ProgrammeReport.model_validate_json(canonical_bytes(made)))
    for one, other in zip(document_of(made).tables, again.tables, strict=True):
        assert one.headings == other.headings
        assert set(one.rows) == set(other.rows)
    assert again.inputs == document_of(made).inputs


def test_without_a_month_before_nothing_is_said_of_it(made: ProgrammeReport) -> None:
    """Words stand where a count of the month before would."""
    alone = made.model_copy(update={
        "before": None, "forward": None,
        "membership": made.membership.model_copy(update={"before": None}),
        "distances": tuple(each.model_copy(update={"before": None, "since_before": None})
                           for each in made.distances),
    })  # fmt: skip
    found = document_of(alone)
    assert found.runs == ("b" * 32,)
    (membership,) = (table for table in found.tables if table.id == "membership")
    assert ("In the programme the month before", "no month before") in membership.rows
    (part,) = (each for each in found.parts if each.id == "distance-absence")
    assert isinstance(part.chart, Bars)
    assert part.chart.series == ("when it joined", "now")
    assert "beside run" not in found.lead[0]
