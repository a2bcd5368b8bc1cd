"""What stands of a report on a screen."""

import io

from rich.console import Console

from governance.reports.models import Table
from linkage_hub.cli.report_files import show_tables


def test_words_of_a_table_are_no_markup() -> None:
    """A title or a name in brackets is shown as it is, links no address and ends nothing."""
    link = "[link=http://example.org]south[/link]"
    table = Table(
        id="teams", title="[b]Teams[/b]", headings=("[i]team", "families"),
        rows=(("[/red] north", 3), (link, 4)),
    )  # fmt: skip
    told = io.StringIO()
    screen = Console(file=told, width=200)
    show_tables([table, table.model_copy(update={"listed": True})], screen)
    text = told.getvalue()
    for words in ("[b]Teams[/b]", "[i]team", "[/red] north", link, "[b]Teams[/b]: 2"):
        assert words in text
