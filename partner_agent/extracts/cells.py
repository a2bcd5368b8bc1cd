"""A typed cell of XLSX or Parquet as the text that a CSV export would hold.

Whole numbers lose their ``.0``, dates are ISO 8601, a time of midnight is left out, booleans are
``TRUE`` and ``FALSE`` as in spreadsheets.
"""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

_EXACT = 2**53  # past this a float no longer holds every whole number


def cell_text(value: Any) -> str:
    """The text of one cell; ``""`` for none."""
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, date | time):
        return _moment_text(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return str(int(value))
    return str(value)


def _moment_text(value: date | time) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return value.isoformat()


def _float_text(value: float) -> str:
    if value != value:  # noqa: PLR0124 - not a number is the one value unequal to itself
        return ""
    if value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    return repr(value)
