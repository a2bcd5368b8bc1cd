"""What openpyxl's read-only mode does not tell of a sheet: merged cells, and formulas or none.

Both are read from the sheet's XML in one streaming pass before any row is, since merged ranges
stand behind the rows.
"""

import re
from dataclasses import dataclass
from typing import IO

from openpyxl.utils import range_boundaries

_BLOCK = 1_048_576  # bytes read at once
_OVERLAP = 256  # bytes kept from the block before, so that no tag is cut in two
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z0-9:]{2,40})"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")


@dataclass(frozen=True, slots=True)
class MergedRange:
    """A merged range of cells; rows and columns of the sheet, from 1, both ends included."""

    first_column: int
    first_row: int
    last_column: int
    last_row: int


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """Merged ranges in reading order, and whether any cell holds a formula."""

    merged: tuple[MergedRange, ...]
    has_formulas: bool


def scan_sheet(xml: IO[bytes]) -> SheetFacts:
    """Facts about a sheet from its XML stream."""
    refs: dict[bytes, None] = {}
    formulas = False
    tail = b""
    while block := xml.read(_BLOCK):
        text = tail + block
        refs.update(dict.fromkeys(_MERGE.findall(text)))
        formulas = formulas or bool(_FORMULA.search(text))
        tail = text[-_OVERLAP:]
    ranges = [_range(ref.decode("ascii")) for ref in refs]
    return SheetFacts(tuple(sorted(ranges, key=lambda r: (r.first_row, r.first_column))), formulas)


def _range(ref: str) -> MergedRange:
    left, top, right, bottom = range_boundaries(ref)
    return MergedRange(int(left or 1), int(top or 1), int(right or 1), int(bottom or 1))
