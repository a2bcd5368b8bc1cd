"""A report as a page: everything it holds, nothing that runs, and print that fits."""

import re

from governance.reports.models import Part, Table
from governance.reports.page import NOTE, as_page
from tests.governance.reports.world import COUNTS, REPORT


def test_the_page_says_all_and_runs_nothing() -> None:
    """Texts escaped, each chart beside its table, where it comes from at the end."""
    page = as_page(REPORT).decode()
    for word in ("<script", "<link", "<b>", "<of>", "http:", "https:"):
        assert word not in page.replace("http://www.w3.org/", "")
    assert page.count('<svg role="img"') == 4
    for text in (
        "Needs &lt;of&gt; families", "Of one run.", "For staff.", "Made elsewhere.",
        "<dd>1,234</dd>", "Two of them.", "What is not known stands by itself.",
        "An assumption.", NOTE, f"f-{'0' * 32}", "a" * 32, "1" * 64, "2" * 64,
    ):  # fmt: skip
        assert text in page
    assert page.index("Made elsewhere.") < page.index("1,234")


def test_cells_are_written_as_people_read_them() -> None:
    """Counts, shares, intervals and differences; nothing where there is no figure."""
    page = as_page(REPORT).decode()
    cells = re.findall(r"<td class=\"n\">([^<]*)</td>", page)
    assert cells == [
        "1,234", "27\u00a0%", "27\u00a0% (25 to 29)", "1.50", "+8\u00a0points (-2 to +18)",
        "not shown", "100\u00a0%", "", "-0.25", "",
    ]  # fmt: skip


def test_a_heading_is_said_once_and_an_empty_list_says_so() -> None:
    """A table named as its part has no heading of its own; one without a row is no table."""
    page = as_page(REPORT).decode()
    assert page.count(">Needs<") == 1
    assert '<h3 id="table-put-forward">Put forward</h3>' in page
    nobody = Table(id="gone", title="Gone", headings=("family",), rows=(), listed=True)
    parts = (Part(id="gone", heading="Gone", tables=(nobody,)),)
    assert "<p>None.</p>" in as_page(REPORT.model_copy(update={"parts": parts})).decode()


def test_wide_tables_are_printed_on_turned_paper() -> None:
    """From twelve columns on; from nine letters are smaller."""
    assert 'class="wide' not in as_page(REPORT).decode()
    for columns, kind in ((8, ""), (9, ' class="wide"'), (12, ' class="wide turned"')):
        wide = COUNTS.model_copy(
            update={"headings": tuple("abcdefghijkl"[:columns]), "rows": ((1,) * columns,),
                    "forms": {}}
        )  # fmt: skip
        parts = (Part(id="wide", heading="Wide", tables=(wide,)),)
        page = as_page(REPORT.model_copy(update={"parts": parts})).decode()
        assert f'<section id="wide"{kind}>' in page
