"""Dates in mixed formats as ISO 8601, and reasons where there is none.

In order: ISO and other forms that begin with the year; day, month and year in digits, in the
mapping's order, swapped where only the other order is a date; eight digits; a spreadsheet's day
number; a month in words (python-dateutil). Then defaults, the future and ages over 120 go.
"""

import re
import warnings
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dateutil import parser as dateutil

from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.text import guarded

MAX_AGE = 120  # years
_EARLIEST_YEAR = 1850
_EXCEL_EPOCH = date(1899, 12, 30)  # serial 61 and later of the 1900 date system
_EXCEL_FIRST = 10_000  # 18 May 1927; shorter numbers are rather years or codes
_DEFAULTS = frozenset(
    date.fromisoformat(day)
    for day in """0001-01-01 1111-11-11 1753-01-01 1800-01-01 1899-12-30 1899-12-31 1900-01-01
    1900-01-02 1900-12-31 1901-01-01 2099-12-31 2999-12-31 9999-12-31 9999-01-01""".split()  # noqa: SIM905 - a table
)
_MAYBE_DEFAULTS = frozenset({date(1970, 1, 1), date(2000, 1, 1)})

_TIME = re.compile(
    r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([ap]m|z|[+-]\d{2}:?\d{2})?$", re.IGNORECASE
)
_YEAR_FIRST = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})$")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})$")
_EIGHT = re.compile(r"(?<!\d)\d{8}$")
_SERIAL = re.compile(r"(\d{5})(\.\d+)?$")
_PARTIAL = re.compile(r"(\d{4}|\d{1,2}[-/. ]\d{4}|\d{4}[-/. ]\d{1,2})$")


@dataclass(frozen=True)
class DateCleaner:
    """Reads the dates of one source.

    Attributes:
        today: the day on which the extract is cleaned.
        day_first: whether 03/04 is the third of April.
        birth: whether the dates are of birth: then none lies in the future or 120 years back.
    """

    today: date
    day_first: bool = True
    birth: bool = True

    def clean(self, raw: str) -> Outcome:
        """ISO date, or a note on why there is none."""
        return guarded(self._clean)(raw)

    def _clean(self, text: str) -> Outcome:
        text = _TIME.sub("", text)
        found = self._read(text)
        if isinstance(found, Outcome):
            return found
        day, note = found
        return self._plausible(day, note)

    def _read(self, text: str) -> tuple[date, str] | Outcome:
        if match := _YEAR_FIRST.match(text):
            year, _, month, day = match.groups()
            return self._ymd(int(year), int(month), int(day))
        if match := _YEAR_LAST.match(text):
            a, _, b, year = match.groups()
            return self._ordered(int(a), int(b), *self._century(year))
        if _EIGHT.match(text):
            return self._eight(text)
        if match := _SERIAL.match(text):
            return self._serial(int(match[1]))
        if _PARTIAL.match(text):
            return Outcome("", "date.incomplete")
        return self._words(text)

    def _century(self, year: str) -> tuple[int, str]:
        number = int(year)
        if len(year) > 2:  # noqa: PLR2004 - digits of a year without century
            return number, ""
        pivot = self.today.year % 100
        return number + (2000 if number <= pivot else 1900), "date.two_digit_year"

    def _ordered(self, a: int, b: int, year: int, note: str) -> tuple[date, str] | Outcome:
        day, month = (a, b) if self.day_first else (b, a)
        usual = _calendar(year, month, day)
        if usual:
            return usual, note
        swapped = _calendar(year, day, month)
        return (swapped, "date.swapped") if swapped else Outcome("", "date.impossible")

    def _ymd(self, year: int, month: int, day: int) -> tuple[date, str] | Outcome:
        usual = _calendar(year, month, day)
        if usual:
            return usual, ""
        swapped = _calendar(year, day, month)
        return (swapped, "date.swapped") if swapped else Outcome("", "date.impossible")

    def _eight(self, text: str) -> tuple[date, str] | Outcome:
        # the year's range tells the orders apart: no day and month read as 1850 or later
        if _EARLIEST_YEAR <= int(text[:4]) <= self.today.year + 1:
            first = _calendar(int(text[:4]), int(text[4:6]), int(text[6:]))
            if first:
                return first, ""
        if int(text[4:]) >= _EARLIEST_YEAR:
            return self._ordered(int(text[:2]), int(text[2:4]), int(text[4:]), "")
        return Outcome("", "date.impossible")

    def _serial(self, number: int) -> tuple[date, str] | Outcome:
        if number < _EXCEL_FIRST:
            return Outcome("", "date.not_a_date")
        return _EXCEL_EPOCH + timedelta(days=number), "date.excel_serial"

    def _words(self, text: str) -> tuple[date, str] | Outcome:
        if not re.search(r"[A-Za-z]{3}", text):
            return Outcome("", "date.not_a_date")
        # dateutil fills what is missing from a default: two defaults show what it filled
        found = [_by_dateutil(text, self.day_first, datetime(y, m, d)) for y, m, d in _FILLERS]  # noqa: DTZ001 - a date, no moment
        if None in found:
            return Outcome("", "date.not_a_date")
        if found[0] != found[1] or found[0] is None:
            return Outcome("", "date.incomplete")
        note = "" if re.search(r"\d{4}", text) else "date.two_digit_year"
        day = found[0]
        if note and day.year > self.today.year:
            day = day.replace(year=day.year - 100)
        return day, note

    def _plausible(self, day: date, note: str) -> Outcome:
        if day in _DEFAULTS:
            return Outcome("", "date.default")
        if self.birth and day > self.today:
            return Outcome("", "date.future")
        if day.year < self.today.year - MAX_AGE - 1 or self._age(day) > MAX_AGE:
            return Outcome("", "date.too_old")
        if not self.birth and day.year > self.today.year + MAX_AGE:
            return Outcome("", "date.default")
        if self.birth and day in _MAYBE_DEFAULTS and not note:
            note = "date.maybe_default"
        return Outcome(day.isoformat(), note)

    def _age(self, day: date) -> int:
        before = (self.today.month, self.today.day) < (day.month, day.day)
        return self.today.year - day.year - before


_FILLERS = ((2000, 1, 1), (2004, 2, 2))


def join_parts(day: str, month: str, year: str) -> str:
    """One text of a date held in three cells; blank when all three are."""
    parts = [part.strip().removesuffix(".0") for part in (day, month, year)]
    if not any(parts):
        return ""
    if not all(parts):
        return "0000"  # a year alone: incomplete
    return " ".join(parts) if parts[1].isalpha() else "/".join(parts)


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _by_dateutil(text: str, day_first: bool, default: datetime) -> date | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown time zone is of no interest
            return dateutil.parse(text, dayfirst=day_first, default=default).date()
    except (ValueError, OverflowError, TypeError):
        return None
