"""What was saved, line by line; cashable and modelled are never added up.

Rules: each line is rounded once, to the pound, halves away from nought, after all that it is the
product of is multiplied and then divided by; totals are sums of the lines as they are shown.
``low`` and ``high`` are what comes out where every factor and cost is at its low or high end: a
range of assumptions, not a confidence interval; where none is stated, the line says so. Where a
source prints something else than its own numbers give, both are reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final, Literal

from linkage_hub.analytics.money.errors import NoDeflator, TooLarge, UnknownCost
from linkage_hub.analytics.money.models import Line, Savings, UnitCost, UnitCosts

POUND: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Range:
    """Pounds: central, low and high; the three are one where no range is stated."""

    central: Decimal
    low: Decimal
    high: Decimal

    def __add__(self, other: "Range") -> "Range":
        return Range(self.central + other.central, self.low + other.low, self.high + other.high)

    def __mul__(self, other: "Range") -> "Range":
        ends = [one * two for one in (self.low, self.high) for two in (other.low, other.high)]
        return Range(self.central * other.central, min(ends), max(ends))

    def __truediv__(self, other: Decimal) -> "Range":
        return Range(self.central / other, self.low / other, self.high / other)


NOTHING: Final = Range(Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class Saved:
    """One line, worked out.

    Attributes:
        kind: cashable only where it was measured, its cost is cashable, and a budget is named.
        units: the product of the factors; None where only pounds are printed.
        pounds: rounded.
        price_year: of the pounds; empty where the source does not say.
        has_range: whether a range is stated.
    """

    id: str
    title: str
    kind: Literal["cashable", "modelled"]
    units: Decimal | None
    pounds: Range
    price_year: str
    has_range: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A statement, worked out.

    Attributes:
        remarks: where the source and its own numbers part, in words.
    """

    title: str
    lines: tuple[Saved, ...]
    cashable: Range
    modelled: Range
    remarks: tuple[str, ...]


def report(savings: Savings, costs: UnitCosts | None = None, year: str | None = None) -> Report:
    """Work out a statement.

    Args:
        savings: the statement.
        costs: the catalogue that its lines name.
        year: financial year to carry catalogue costs to; None: as they are.

    Raises:
        UnknownCost: a line names a cost that the catalogue lacks.
        NoDeflator: a cost cannot be carried to the year.
        TooLarge: a line comes to more than can be worked out to the pound.
    """
    lines = tuple(_saved(line, costs, year) for line in savings.lines)
    sums = {
        kind: sum((each.pounds for each in lines if each.kind == kind), NOTHING)
        for kind in ("cashable", "modelled")
    }
    remarks = (*_differences(savings, lines), *_total(savings, lines), *_years(lines))
    return Report(savings.title, lines, sums["cashable"], sums["modelled"], remarks)


def in_prices_of(cost: UnitCost, year: str, costs: UnitCosts) -> tuple[Range, Decimal]:
    """A unit cost in prices of another financial year, and what it is still to be divided by.

    Raises:
        NoDeflator: the catalogue has no index for both years.
    """
    found = Range(
        cost.pounds,
        cost.pounds if cost.low is None else cost.low,
        cost.pounds if cost.high is None else cost.high,
    )
    if year == cost.price_year:
        return found, Decimal(1)
    index = costs.deflator.index if costs.deflator is not None else {}
    missing = [each for each in (cost.price_year, year) if each not in index]
    if missing:
        raise NoDeflator(
            f"{cost.id}: the catalogue has no index of prices for {' and '.join(missing)}",
            next_step="add HM Treasury's GDP deflators, with source and date, under deflator",
        )
    return found * _alone(index[year]), index[cost.price_year]


def pounds(amount: Decimal) -> Decimal:
    """To the pound; halves away from nought."""
    return amount.quantize(POUND, ROUND_HALF_UP)


def _saved(line: Line, costs: UnitCosts | None, year: str | None) -> Saved:
    if not line.factors:
        printed = _alone(pounds(line.printed[0]))
        return Saved(line.id, line.title, "modelled", None, printed, "", has_range=False)
    price, divisor, price_year, cashable = _price(line, costs, year)
    units = _alone(Decimal(1))
    for factor in line.factors:
        low = factor.central if factor.low is None else factor.low
        high = factor.central if factor.high is None else factor.high
        units *= Range(factor.central, low, high)
    found = _rounded(line, units * price * _alone(line.attributed), divisor)
    left = cashable and line.basis == "measured" and line.left_budget is not None
    return Saved(
        line.id,
        line.title,
        "cashable" if left else "modelled",
        units.central,
        found,
        price_year,
        price.low != price.high or any(factor.low is not None for factor in line.factors),
    )


def _rounded(line: Line, amount: Range, divisor: Decimal) -> Range:
    try:
        found = amount / divisor
        return Range(pounds(found.central), pounds(found.low), pounds(found.high))
    except InvalidOperation:  # more digits than the arithmetic holds
        raise TooLarge(
            f"{line.id}: its factors come to more pounds than can be worked out",
            next_step="check the factors, and that none is given twice",
        ) from None


def _price(
    line: Line, costs: UnitCosts | None, year: str | None
) -> tuple[Range, Decimal, str, bool]:
    """Pounds a unit, what the line is to be divided by, their year, and whether it is cashable."""
    if line.rate is not None:
        return _alone(line.rate.pounds), Decimal(1), "", line.rate.cashable
    held = costs.costs if costs is not None else ()
    cost = next((each for each in held if each.id == line.unit_cost), None)
    if cost is None or costs is None:
        raise UnknownCost(
            f"{line.id}: the catalogue has no cost {line.unit_cost}",
            next_step="name a catalogue by --costs, or correct unit_cost",
        )
    prices = year or cost.price_year
    return *in_prices_of(cost, prices, costs), prices, cost.cashable


def _alone(amount: Decimal) -> Range:
    return Range(amount, amount, amount)


def _differences(savings: Savings, lines: tuple[Saved, ...]) -> Iterator[str]:
    for line, saved in zip(savings.lines, lines, strict=True):
        worked_out = {saved.pounds.central} if line.factors else set()
        amounts = sorted(worked_out | {pounds(printed) for printed in line.printed})
        if len(amounts) > 1:
            said = " and ".join(f"{pounds(each):,}" for each in line.printed)
            mine = "its own numbers give" if worked_out else "used here:"
            yield f"{line.id}: the source prints {said}; {mine} {saved.pounds.central:,}"


def _total(savings: Savings, lines: tuple[Saved, ...]) -> Iterator[str]:
    if savings.printed_total is None:
        return
    found = sum((saved.pounds.central for saved in lines), Decimal(0))
    rest = pounds(savings.printed_total) - found
    if rest:
        yield (
            f"total: the source prints {pounds(savings.printed_total):,}; the lines held here come "
            f"to {found:,}, which leaves {rest:,} that none of them explains"
        )


def _years(lines: tuple[Saved, ...]) -> Iterator[str]:
    years = sorted({line.price_year or "a year not stated" for line in lines})
    if len(years) > 1:
        yield f"prices of {', '.join(years)} are added up as they stand"
