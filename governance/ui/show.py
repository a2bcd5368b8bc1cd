"""How pages show things that several of them show: links, tables, lists, times, numbers.

Rules: everything is escaped; a link leads within the console; a table has a caption and heads, and
scrolls by itself where a screen is narrow; times are London's, to the minute.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from governance.canonical import parse_time
from governance.ui.words import Words

_LONDON: Final = ZoneInfo("Europe/London")
_PATH_MOST: Final = 1_000  # characters; browsers keep cookies of 4,096 bytes


@dataclass(frozen=True)
class Link:
    """A link to a page of this console.

    Attributes:
        text: what it says.
        href: an address below the application's root, beginning with ``/``.
    """

    text: str
    href: str

    def __post_init__(self) -> None:
        plain = self.href.isascii() and self.href.isprintable()  # browsers drop tabs and newlines
        if not (plain and self.href.startswith("/")) or self.href.startswith(("//", "/\\")):
            raise ValueError("a link of a page leads to a page of this console")


def local_path(path: str) -> str:
    """The path if it is one of this console, for example from a query; else the start page.

    One that is too long for the cookie in which some go is none.
    """
    if len(path) > _PATH_MOST:
        return "/"
    try:
        return Link("", path).href
    except ValueError:
        return "/"


Cell = str | int | Link | Markup
"""What a table or a list shows at one place."""


def show_cell(cell: Cell, root: str = "") -> Markup:
    """A cell's HTML.

    Args:
        cell: what it holds.
        root: the application's root path, before every link.
    """
    if isinstance(cell, Link):
        return Markup('<a class="govuk-link" href="{}">{}</a>').format(root + cell.href, cell.text)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return escape(f"{cell:,}")
    return escape(cell)


def show_id(text: str) -> Markup:
    """An id or hash, which breaks where a narrow screen needs it to."""
    return Markup('<span class="app-id">{}</span>').format(text)


def show_fingerprint(hash_: str) -> Markup:
    """A hash as two people compare it by telephone: in groups of four, copied without gaps."""
    kind, _, digits = hash_.rpartition(":")
    groups = [f"{kind}:", *(digits[at : at + 4] for at in range(0, len(digits), 4))]
    return Markup('<span class="app-id app-groups">{}</span>').format(
        Markup("").join(Markup("<span>{}</span>").format(group) for group in groups)
    )


def show_table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    numeric: Collection[int] = (),
    quiet: bool = False,
    root: str = "",
) -> Markup:
    """A table; the first column heads its rows.

    Args:
        caption: what the table is of; also the name of its scrolling region.
        head: one for each column.
        rows: cells, as many as there are heads.
        numeric: indexes of the columns of numbers.
        quiet: whether the caption is on the page already, as its title for example, so that only
            who does not see the page is told it again.
        root: the application's root path.
    """
    heads = Markup("").join(
        Markup('<th scope="col" class="govuk-table__header{}">{}</th>').format(
            _numeric(index, numeric, "header"), title
        )
        for index, title in enumerate(head)
    )
    body = Markup("").join(
        Markup('<tr class="govuk-table__row">{}</tr>').format(
            Markup("").join(
                _body_cell(index, show_cell(cell, root), numeric)
                for index, cell in _zipped(head, row)
            )
        )
        for row in rows
    )
    return Markup(
        '<div class="app-scroll" role="region" tabindex="0" aria-label="{0}">'
        '<table class="govuk-table">'
        '<caption class="govuk-table__caption {3}">{0}</caption>'
        '<thead class="govuk-table__head"><tr class="govuk-table__row">{1}</tr></thead>'
        '<tbody class="govuk-table__body">{2}</tbody></table></div>'
    ).format(caption, heads, body, "govuk-visually-hidden" if quiet else "govuk-table__caption--m")


def _zipped(head: Sequence[str], row: Sequence[Cell]) -> list[tuple[int, Cell]]:
    if len(row) != len(head):
        raise ValueError("a row has as many cells as the table has heads")
    return list(enumerate(row))


def _body_cell(index: int, cell: Markup, numeric: Collection[int]) -> Markup:
    if index == 0:
        return Markup('<th scope="row" class="govuk-table__header">{}</th>').format(cell)
    return Markup('<td class="govuk-table__cell{}">{}</td>').format(
        _numeric(index, numeric, "cell"), cell
    )


def _numeric(index: int, numeric: Collection[int], part: str) -> str:
    return f" govuk-table__{part}--numeric" if index in numeric else ""


def show_summary(items: Iterable[tuple[str, Cell]], root: str = "") -> Markup:
    """A summary list: keys and what they have.

    Args:
        items: key and cell.
        root: the application's root path.
    """
    return Markup('<dl class="govuk-summary-list">{}</dl>').format(
        Markup("").join(
            Markup(
                '<div class="govuk-summary-list__row">'
                '<dt class="govuk-summary-list__key">{}</dt>'
                '<dd class="govuk-summary-list__value">{}</dd></div>'
            ).format(key, show_cell(cell, root))
            for key, cell in items
        )
    )


def show_date(day: str | date, words: Words) -> str:
    """``28 November 2026``, from a date or from ``YYYY-MM-DD`` as documents have it."""
    found = day if isinstance(day, date) else date.fromisoformat(day[:10])
    return words("ui.date", day=found.day, month=words(f"ui.month.{found.month}"), year=found.year)


def show_time(moment: str | datetime, words: Words) -> str:
    """``28 November 2026, 20:41`` in London, from a time or from RFC 3339 as documents have it."""
    found = parse_time(moment) if isinstance(moment, str) else moment
    local = found.astimezone(_LONDON)
    return words("ui.time", date=show_date(local.date(), words), time=f"{local:%H:%M}")


def show_month(month: str, words: Words) -> str:
    """``November 2026``, from ``2026-11``."""
    year, number = month.split("-")
    return words("ui.month", month=words(f"ui.month.{int(number)}"), year=year)


@dataclass(frozen=True)
class Slice:
    """One page of a long list.

    Attributes:
        number: of the page, from 1.
        size: items on a page.
        total: items in all.
    """

    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        """Items before this page."""
        return (self.number - 1) * self.size
