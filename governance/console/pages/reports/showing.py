"""What pages say of a report and of who made it, and how its tables are shown."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from fastapi import Request
from markupsafe import Markup

from governance.console.console import Console
from governance.console.errors import UnknownAccount
from governance.console.labels import labels_of, name_of, short_id
from governance.console.looking import looking
from governance.exchange.report_api import ReportSummary, ReportView
from governance.reports.cells import lines
from governance.reports.models import Part, Report, Table
from governance.ui.show import Cell, Link, show_date, show_id, show_time
from governance.ui.words import Words

LINES_MOST: Final = 200
"""Of a table on a page."""
_FAMILY: Final = re.compile(r"f-[0-9a-f]{32}")
_PART: Final = "of these"
"""What a line begins with that is a part of one above."""


class Maker(NamedTuple):
    """Who asked for a report or shared it, as far as this console knows, and the agreement."""

    name: str
    party: str
    agreement: str

    def words(self, words: Words) -> str:
        """``Ash Analyst, Council``, or the organisation alone."""
        if not self.name:
            return self.party
        return words("reports.who", name=self.name, party=self.party)


class ShownTable(NamedTuple):
    """A table as the page has it; ``more`` lines are left out."""

    title: str
    notes: tuple[str, ...]
    head: tuple[str, ...]
    rows: list[list[Cell]]
    numeric: list[int]
    more: int


def makers(
    console: Console, request: Request, summaries: Sequence[ReportSummary]
) -> dict[str, Maker]:
    """Who made each report, by its id; a colleague by the label that colleagues know."""
    found = {}
    with looking(console, request) as state:
        for each in summaries:
            terms = state.agreements.standing(each.agreement).agreement
            labels = labels_of(terms, console.pages.words)
            person = state.identities.people.get(each.person)
            own = person is not None and person.keys.party == console.settings.party
            found[each.id] = Maker(
                _label(console, person.keys.person) if own and person is not None else "",
                name_of(labels, "parties", each.party),
                labels["agreements"][terms.hash],
            )
    return found


def _label(console: Console, person: str) -> str:
    try:
        return console.accounts.account(person).label
    except UnknownAccount:
        return ""


def finished(summary: ReportSummary, words: Words) -> str:
    """When the runs of a report finished: each of two, of more the first and the last."""
    days = [show_date(run.finished, words) for run in summary.runs]
    if len(days) <= 2:  # noqa: PLR2004 - a month and the one before
        return ", ".join(days)
    return words("reports.runs.from_to", first=days[0], last=days[-1], count=str(len(days)))


def warnings_of(found: ReportView, who: Maker, words: Words) -> list[str]:
    """What stands in front of everything: where it comes from, what is gone, its own warnings."""
    summary, said = found.summary, []
    if summary.shared:
        said.append(words("reports.shared.warning", who=who.words(words)))
    if summary.program == "unknown":
        said.append(words("reports.program.unknown"))
    if summary.listed and not found.lists_shown:
        said.append(words("reports.no_lists"))
    elif found.lines_gone:
        said.append(words("reports.lines_gone"))
    return [*said, *found.report.warnings]


def about(found: ReportView, who: Maker, words: Words) -> list[tuple[str, Cell]]:
    """Where a report comes from."""
    summary = found.summary
    program = "not_known" if summary.program == "unknown" else summary.program
    return [
        (words("reports.made"), show_time(summary.made, words)),
        (words("reports.shared_by" if summary.shared else "reports.asked_by"), who.words(words)),
        (words("reports.runs"), finished(summary, words)),
        (words("reports.agreement"), who.agreement),
        (words("reports.program"), words("reports.program." + program)),
        (words("reports.id"), show_id(summary.id)),
    ]


def shown_parts(
    report: Report, words: Words, *, linked: bool
) -> Iterator[tuple[Part, list[ShownTable]]]:
    """Parts with their tables.

    Args:
        report: as the reader may see it.
        words: of the console.
        linked: whether the reader may open families.
    """
    for part in report.parts:
        yield part, [_shown(table, words, linked=linked) for table in part.tables]


def _shown(table: Table, words: Words, *, linked: bool) -> ShownTable:
    numeric = [at for at, holds in enumerate(table.numeric) if holds and at]
    return ShownTable(
        title=table.title,
        notes=table.notes,
        head=tuple(heading or words("reports.line") for heading in table.headings),
        rows=[
            [_first(first, linked=linked and table.listed), *rest]
            for first, *rest in islice(lines(table), LINES_MOST)
        ],
        numeric=numeric,
        more=max(0, len(table.rows) - LINES_MOST),
    )


def _first(text: str, *, linked: bool) -> Cell:
    """What names a line: a family by its short name, which leads to it; a part is set in."""
    if _FAMILY.fullmatch(text):
        return Link(short_id(text), f"/families/{text}") if linked else short_id(text)
    if text.startswith(_PART):
        return Markup('<span class="app-part-of">{}</span>').format(text)
    return text
