"""How owners work out an indicator, as data that every party signs.

Rules: a rule names a kind and its numbers, never a column and never an expression; what comes out
is met, unmet or unknown, and nothing else leaves the owner. Which columns, and which of its own
codes, an owner works from is its own mapping's to say.
"""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from governance.canonical import Frozen

Number = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class AverageBelow(Frozen):
    """The average of several periods is below a number: attendance over three terms.

    Attributes:
        below: in the unit of the column, percent for attendance.
        periods: how many columns.
        known: so many of them must be known; with fewer the indicator is unknown.
    """

    kind: Literal["average_below"]
    below: Number
    periods: Annotated[int, Field(ge=1, le=12)]
    known: Annotated[int, Field(ge=1, le=12)]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.known > self.periods:
            raise ValueError("known: more than there are periods")
        return self


class EventsAtLeast(Frozen):
    """So many events lie within the indicator's ``window_months``: offences in twelve months."""

    kind: Literal["events_at_least"]
    at_least: Annotated[int, Field(ge=1, le=1_000)]


class NumberAtLeast(Frozen):
    """A number that the owner's system holds: arrears in pounds, months out of work."""

    kind: Literal["number_at_least"]
    at_least: Number


class ListedValue(Frozen):
    """One of the owner's own codes: a benefit, a destination, a notice served."""

    kind: Literal["listed_value"]


IndicatorRule = Annotated[
    AverageBelow | EventsAtLeast | NumberAtLeast | ListedValue, Field(discriminator="kind")
]


def number_text(number: float) -> str:
    """A number with every digit that counts, and without an exponent."""
    return format(Decimal(repr(float(number))), "f").removesuffix(".0")


def in_words(rule: IndicatorRule | None) -> str:
    """A rule as a sentence's end, for people who agree to it."""
    if rule is None:
        return "as the owner's own mapping says"
    if isinstance(rule, AverageBelow):
        return (
            f"where the average of {rule.periods} periods, {rule.known} of them known, is below "
            f"{number_text(rule.below)}"
        )
    if isinstance(rule, EventsAtLeast):
        return f"where {rule.at_least} events or more lie in the time looked back on"
    if isinstance(rule, NumberAtLeast):
        return f"where the owner's number is {number_text(rule.at_least)} or more"
    return "where the owner's system holds one of its listed codes"
