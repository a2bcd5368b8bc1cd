"""A report as a page to print: no script, no other file; a table beside each chart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from markupsafe import Markup

from governance.pages import page_template

MISSING = "not watched for"


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table; the first cell of a row names it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A section."""

    heading: str
    texts: tuple[str, ...] = ()
    chart: Markup | None = None
    tables: tuple[PageTable, ...] = field(default=())
    items: tuple[str, ...] = ()


class Estimate(Protocol):
    """An estimate and its 95 % interval."""

    @property
    def value(self) -> float:
        """The estimate."""

    @property
    def low(self) -> float:
        """The lower end."""

    @property
    def high(self) -> float:
        """The upper end."""


def page(title: str, lead: str, parts: Sequence[Part]) -> bytes:
    """The page."""
    template = page_template(__package__, "report.html")
    return template.render(title=title, lead=lead, parts=parts).encode()


def percent(share: float) -> str:
    """``27 %``."""
    return f"{100 * share:.0f}\u00a0%"


def with_interval(found: Estimate | None) -> str:
    """``27 % (25 to 29)``."""
    if found is None:
        return MISSING
    return f"{percent(found.value)} ({100 * found.low:.0f} to {100 * found.high:.0f})"


def number(found: Estimate | None) -> str:
    """``.612 (.598 to .626)``, as ``0.612``."""
    if found is None:
        return MISSING
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
