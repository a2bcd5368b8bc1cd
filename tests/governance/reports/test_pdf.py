"""A report as PDF: archived, read aloud, and nothing in it taken for markup."""

import pytest

from governance.reports.models import Part
from governance.reports.pdf import as_pdf
from tests.governance.reports.world import REPORT


def test_the_file_is_for_archives_and_for_reading_aloud() -> None:
    """PDF/A-2a and PDF/UA-1, which Typst refuses to write where a picture has no words."""
    pdf = as_pdf(REPORT)
    assert pdf.startswith(b"%PDF-1.7")
    for mark in (
        b"/StructTreeRoot", b"/Lang(en-GB)", b"<pdfuaid:part>1<", b"<pdfaid:part>2<",
        b"<pdfaid:conformance>A<",
    ):  # fmt: skip
        assert mark in pdf


def test_a_report_gives_one_file() -> None:
    """Byte for byte; another figure gives another."""
    assert as_pdf(REPORT) == as_pdf(REPORT)
    other = REPORT.model_copy(update={"made_on": "2026-11-30"})
    assert as_pdf(other) != as_pdf(REPORT)


@pytest.mark.parametrize("words", ["#panic()", "$x$ `raw` *b*", "= heading", "\\", '"', "]", "//"])
def test_words_are_not_markup(words: str) -> None:
    """Wherever a report has words of somebody's."""
    table = REPORT.tables[0].model_copy(update={"title": words, "notes": (words,)})
    row = (words, *table.rows[0][1:])
    part = Part(
        id="words", heading=words, texts=(words,), items=(words,),
        tables=(table.model_copy(update={"rows": (row,)}),),
    )  # fmt: skip
    said = REPORT.model_copy(
        update={"title": words, "lead": (words, words), "warnings": (words,), "parts": (part,)}
    )
    assert as_pdf(said).startswith(b"%PDF")
