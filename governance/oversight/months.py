"""Months as ``2026-11``, which sort as text."""

from datetime import date


def month_of(day: date) -> str:
    """The month of a day."""
    return day.isoformat()[:7]


def shifted(month: str, by: int) -> str:
    """The month so many months later, or earlier below zero."""
    number = _number(month) + by
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def months(first: str, last: str, most: int) -> list[str]:
    """From the first to the last month, at most so many, the newest of them."""
    number = min(_number(last) - _number(first) + 1, most)
    return [shifted(last, -back) for back in reversed(range(number))]


def _number(month: str) -> int:
    year, number = map(int, month.split("-"))
    return 12 * year + number - 1
