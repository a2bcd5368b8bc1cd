"""The headings of an extract: present, distinct, more than one, and not a row of data.

Messages give positions, not headings: until this check has passed, a heading may be a value.
"""

import re
from collections.abc import Sequence

from partner_agent.extracts.errors import (
    DuplicateHeaderError,
    EmptyExtractError,
    ExtractTooLargeError,
    NoHeaderError,
    OneColumnError,
)

MAX_COLUMNS = 4_096  # of an extract; each takes memory of its own, whatever it holds
_LOOKS_LIKE_DATA = re.compile(
    r"""(?ix) ^(
        \d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}.*           # a date
      | \d{5,}                                      # an identifier or a serial date
      | \d{3}[ -]\d{3}[ -]\d{4}                     # an NHS number
      | [A-Z]{1,2}\d[A-Z\d]?\ *\d[A-Z]{2}           # a postcode
      | [A-Z]{2}\ ?\d{2}\ ?\d{2}\ ?\d{2}\ ?[A-D]    # a National Insurance number
      | \S+@\S+\.\S+                                # an email address
    )$"""
)


def check_header(cells: Sequence[str], name: str) -> tuple[str, ...]:
    """Headings without outer spaces; an empty one becomes ``column <n>``.

    Raises:
        EmptyExtractError: no heading at all.
        OneColumnError: one heading only.
        NoHeaderError: a heading that can only be a value.
        DuplicateHeaderError: two equal headings.
        ExtractTooLargeError: more than ``MAX_COLUMNS``.
    """
    if len(cells) > MAX_COLUMNS:
        raise ExtractTooLargeError(
            f"{name} has more than {MAX_COLUMNS:,} columns",
            next_step="look at its first row; export only the columns that are needed",
        )
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise EmptyExtractError(
            f"{name} has no headings", next_step="export the extract again, with headings"
        )
    if sum(bool(cell) for cell in names) == 1:
        raise OneColumnError(
            f"{name} has one column; expected a delimiter of comma, semicolon, tab or |",
            next_step="export it again with one of these delimiters, and with the headings as "
            "its first row",
        )
    _no_data(names, name)
    names = [cell or f"column {at}" for at, cell in enumerate(names, start=1)]
    _no_duplicates(names, name)
    return tuple(names)


def _no_data(names: list[str], name: str) -> None:
    for at, cell in enumerate(names, start=1):
        if _LOOKS_LIKE_DATA.match(cell):
            raise NoHeaderError(
                f"the first row of {name} holds data, not headings (see its column {at})",
                next_step="export the extract again with a row of headings",
            )


def _no_duplicates(names: list[str], name: str) -> None:
    first: dict[str, int] = {}
    for at, cell in enumerate(names, start=1):
        if cell in first:
            raise DuplicateHeaderError(
                f"columns {first[cell]} and {at} of {name} have the same heading",
                next_step="give each column a heading of its own",
            )
        first[cell] = at
