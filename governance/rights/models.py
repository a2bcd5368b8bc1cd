"""Kinds of requests, and the time there is for them."""

from calendar import monthrange
from datetime import date
from enum import StrEnum
from typing import Final

MONTHS: Final = 1
"""To answer in, from the day of receipt (UK GDPR Article 12(3))."""
MONTHS_EXTENDED: Final = 3
"""From the day of receipt once extended by two further months (Article 12(3))."""


class RightsKind(StrEnum):
    """What a person asks for."""

    ACCESS = "access"  # Article 15
    RECTIFICATION = "rectification"  # Article 16
    ERASURE = "erasure"  # Article 17
    RESTRICTION = "restriction"  # Article 18
    OBJECTION = "objection"  # Article 21


TAKES_OUT: Final = frozenset({RightsKind.ERASURE, RightsKind.RESTRICTION, RightsKind.OBJECTION})
"""Kinds after which the records take no part any more."""


def months_after(day: date, months: int) -> date:
    """The corresponding day of a later month, or that month's last day where it has none.

    The ICO's reading of "one month": a request received on 31 January is due on 28 or 29 February.
    Weekends do not put it off here, though they might: earlier is safe.
    """
    number = 12 * day.year + day.month - 1 + months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
