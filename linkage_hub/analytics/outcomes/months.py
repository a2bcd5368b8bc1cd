"""Months as whole numbers, 12 * year + (month - 1), and as text, ``2026-03``."""

import re
from typing import Annotated, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import StringConstraints

PATTERN: Final = r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])"
Month = Annotated[str, StringConstraints(pattern=f"^{PATTERN}$")]
NEVER: Final = -1
"""In place of a month that has not come."""
_WHOLE: Final = re.compile(PATTERN)
Ints = NDArray[np.int64]


def month_of(text: str) -> int | None:
    """A month's number; None where the text is none."""
    if not _WHOLE.fullmatch(text):
        return None
    year, month = text.split("-")
    return 12 * int(year) + int(month) - 1


def text_of(month: int) -> str:
    """``2026-03``; nothing for ``NEVER``."""
    return "" if month == NEVER else f"{month // 12:04d}-{month % 12 + 1:02d}"


def months_of(column: "pd.Series[str]", *, optional: bool = False) -> Ints | None:
    """Numbers of a column's months, int64 (n,); ``NEVER`` where it is empty and may be.

    Returns None where a cell is no month.
    """
    found = {text: month_of(text) for text in column.unique().tolist()}
    if optional:
        found[""] = NEVER
    if any(month is None for month in found.values()):
        return None
    return column.map(found).to_numpy(np.int64)
