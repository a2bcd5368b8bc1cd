"""A report's page in a real browser: read by everybody, and on paper without anything cut."""

from pathlib import Path
from typing import Final

from governance.reports.models import Part, Table
from governance.reports.page import as_page
from tests.browsing import check_page
from tests.chromium import browser_page
from tests.governance.reports.world import LONG, REPORT

_PAPER: Final = 680  # CSS pixels: A4 less its margins
_ELEVEN: Final = Table(
    id="eleven", title="Eleven", headings=("need", *(f"not known {at}" for at in range(10))),
    rows=((LONG, *range(100_000, 100_010)),),
)  # fmt: skip


def test_everybody_reads_the_page_and_prints_it(tmp_path: Path) -> None:
    """WCAG 2.2 AA, no sideways scrolling at 320 pixels; the widest table on upright paper fits."""
    parts = (*REPORT.parts, Part(id="eleven", heading="Eleven", tables=(_ELEVEN,)))
    path = tmp_path / "report.html"
    path.write_bytes(as_page(REPORT.model_copy(update={"parts": parts})))
    with browser_page() as page:
        page.goto(path.as_uri())
        check_page(page)
        page.set_viewport_size({"width": _PAPER, "height": 900})
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= _PAPER
        wide = page.evaluate(
            "[...document.querySelectorAll('table, svg')]"
            ".map(each => each.getBoundingClientRect().right)"
        )
        assert len(wide) == 7
        assert max(wide) <= _PAPER
