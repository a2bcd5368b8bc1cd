"""Cells of a report's tables in words: one place, so that page, console and screen say the same."""

from collections.abc import Iterator

from governance.reports.models import Cell, Estimate, Form, Table


def shown(cell: Cell, form: Form | None = None) -> str:
    """A cell as people read it: ``1,234``, ``27 %``, ``27 % (25 to 29)``; nothing of null.

    Args:
        cell: of a table.
        form: of its column; without one a number is a count.
    """
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, Estimate):
        ends = " to ".join(_number(end, form) for end in (cell.low, cell.high))
        return f"{_number(cell.value, form)}{_unit(form)} ({ends})"
    return _number(cell, form) + _unit(form)


def lines(table: Table) -> Iterator[tuple[str, ...]]:
    """A table's rows as people read them."""
    forms = [table.forms.get(heading) for heading in table.headings]
    for row in table.rows:
        yield tuple(map(shown, row, forms))


def percent(share: float) -> str:
    """``27 %``."""
    return shown(share, "share")


def _number(value: float, form: Form | None) -> str:
    match form:
        case None:
            return f"{value:,}"
        case "share":
            return f"{100 * value:.0f}"
        case "points":
            return f"{100 * value:+.0f}"
        case ".1f" | ".2f" | ".3f" | "+.2f":
            return format(value, form.replace(".", ",."))


def _unit(form: Form | None) -> str:
    return {"share": "\u00a0%", "points": "\u00a0points"}.get(form or "", "")
