"""Unit costs, and statements of what was saved.

Rules: pounds are decimal and never floating point; every cost says its unit, price year, agency,
what it includes and where it was read; without a source there is no cost. Money is cashable only
where it is purely fiscal, was measured, and somebody says which budget it left. A figure is carried
to another year by a named, dated deflator or not at all.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from governance.canonical import Frozen, Slug

Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
Pounds = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
Number = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]
Index = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=6)]
Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)]
_YEAR: Final = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_MONTH: Final = re.compile(r"\d{4}-\d{2}", re.ASCII)


def _financial_year(text: str) -> str:
    found = _YEAR.fullmatch(text)
    if not found or (int(found[1]) + 1) % 100 != int(found[2]):
        raise ValueError("expected a financial year, such as 2015-16")
    return text


def _day(text: str) -> str:
    try:
        date.fromisoformat(f"{text}-01" if _MONTH.fullmatch(text) else text)
    except ValueError:
        raise ValueError("expected a month or a date, such as 2018-07 or 2018-07-01") from None
    return text


FinancialYear = Annotated[str, AfterValidator(_financial_year)]
Day = Annotated[str, AfterValidator(_day)]
Included = Literal["fiscal", "economic", "social"]
"""Fiscal: cost to a public budget. Economic: to people and firms. Social: harm, valued."""


def _cashable(*, cashable: bool, includes: tuple[Included, ...]) -> None:
    if cashable and includes != ("fiscal",):
        raise ValueError("cashable: only a cost that is fiscal and nothing else can be cashable")


def _between(low: Decimal | None, central: Decimal, high: Decimal | None) -> None:
    if (low is None) != (high is None):
        raise ValueError("low and high: give both or neither")
    if low is not None and high is not None and not low <= central <= high:
        raise ValueError("low and high: expected the figure itself between them")


class Source(Frozen):
    """Where a figure was read, so that somebody else finds it."""

    title: Text
    publisher: Text
    published: Day
    read_in: Text
    """The document, page or address in which it was read, which may quote the source."""


class Deflator(Frozen):
    """An index of prices by financial year."""

    name: Text
    source: Source
    index: Annotated[dict[FinancialYear, Index], Field(min_length=2)]


class UnitCost(Frozen):
    """What one unit of something costs.

    Attributes:
        pounds: the central figure, in prices of ``price_year``; ``low`` and ``high`` where the
            source has them.
        agency: who bears it.
        includes: what kinds of cost.
        cashable: money that leaves a budget when a unit is avoided.
    """

    id: Slug
    title: Text
    unit: Text
    pounds: Pounds
    low: Pounds | None = None
    high: Pounds | None = None
    price_year: FinancialYear
    includes: Annotated[tuple[Included, ...], Field(min_length=1)]
    agency: Text
    cashable: bool = False
    source: Source

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _cashable(cashable=self.cashable, includes=self.includes)
        _between(self.low, self.pounds, self.high)
        return self


class UnitCosts(Frozen):
    """A catalogue of unit costs (``unit-costs/v1``)."""

    format: Literal["unit-costs/v1"]
    id: Slug
    title: Text
    deflator: Deflator | None = None
    costs: Annotated[tuple[UnitCost, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [cost.id for cost in self.costs]
        twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
        if twice:
            raise ValueError(f"costs: the same id twice: {', '.join(twice)}")
        return self


class Factor(Frozen):
    """A number that a saving is the product of: ``value``, or ``before`` less ``after``."""

    of: Text
    value: Number | None = None
    before: Number | None = None
    after: Number | None = None
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = (self.value is not None, self.before is not None, self.after is not None)
        if given not in {(True, False, False), (False, True, True)}:
            raise ValueError("give value, or before and after")
        _between(self.low, self.central, self.high)
        return self

    @property
    def central(self) -> Decimal:
        """The number itself; below 0 where things became worse."""
        if self.value is not None:
            return self.value
        return (self.before or Decimal(0)) - (self.after or Decimal(0))


class Rate(Frozen):
    """Pounds a unit that are no catalogue's: a local figure, with its source.

    ``includes`` may be left out of a rate that is not cashable.
    """

    pounds: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]
    unit: Text
    source: Text
    includes: tuple[Included, ...] = ()
    cashable: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _cashable(cashable=self.cashable, includes=self.includes)
        return self


class Line(Frozen):
    """One saving.

    Attributes:
        basis: counted in records, or worked out from an assumption.
        factors: their product is the number of units.
        unit_cost: id of the catalogue; or a ``rate``; or, where the source prints the pounds of
            the line and nothing else, neither.
        attributed: the share of it that is put down to the programme; 1 is a claim, too.
        why: what the share and the factors rest on.
        left_budget: which budget the money left; without it nothing is cashable.
        printed: what the source prints for the line, each time it does.
    """

    id: Slug
    title: Text
    basis: Literal["measured", "modelled"]
    factors: tuple[Factor, ...] = ()
    unit_cost: Slug | None = None
    rate: Rate | None = None
    attributed: Share = Decimal(1)
    why: Text
    left_budget: Text | None = None
    printed: tuple[Pounds, ...] = ()

    @model_validator(mode="after")
    def _computable(self) -> Self:
        if self.unit_cost is not None and self.rate is not None:
            raise ValueError("give unit_cost or rate, not both")
        priced = self.unit_cost is not None or self.rate is not None
        if priced != bool(self.factors):
            raise ValueError("factors go with a unit_cost or a rate")
        if not priced and not self.printed:
            raise ValueError("give factors with a unit_cost or a rate, or what is printed")
        if self.left_budget is not None and self.basis != "measured":
            raise ValueError("left_budget: a modelled saving has left no budget")
        return self


class Savings(Frozen):
    """A statement of savings (``savings/v1``)."""

    format: Literal["savings/v1"]
    title: Text
    source: Text
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]
    printed_total: Pounds | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [line.id for line in self.lines]
        twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
        if twice:
            raise ValueError(f"lines: the same id twice: {', '.join(twice)}")
        return self
