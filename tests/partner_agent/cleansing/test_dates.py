"""Dates in mixed formats."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_agent.cleansing.dates import DateCleaner, join_parts
from partner_agent.cleansing.outcome import NOTES

TODAY = date(2026, 11, 22)
BIRTHS = DateCleaner(TODAY)


@pytest.mark.parametrize(
    ("raw", "clean", "note"),
    [
        ("1963-10-13", "1963-10-13", ""),
        ("13/10/1963", "1963-10-13", ""),
        ("13.10.1963 00:00", "1963-10-13", ""),
        ("10/13/1963", "1963-10-13", "date.swapped"),
        ("05/04/89", "1989-04-05", "date.two_digit_year"),
        ("05/04/19", "2019-04-05", "date.two_digit_year"),
        ("20080520", "2008-05-20", ""),
        ("05122019", "2019-12-05", ""),
        ("32874", "1990-01-01", "date.excel_serial"),
        ("13 Oct 1963", "1963-10-13", ""),
        ("1st May 1990", "1990-05-01", ""),
        ("13-OCT-63", "1963-10-13", "date.two_digit_year"),
        ("1979-02-29", "", "date.impossible"),
        ("01/01/1900", "", "date.default"),
        ("9999-12-31", "", "date.default"),
        ("01/01/1970", "1970-01-01", "date.maybe_default"),
        ("23/11/2026", "", "date.future"),
        ("21/11/1905", "", "date.too_old"),
        ("22/11/1906", "1906-11-22", ""),
        ("1963", "", "date.incomplete"),
        ("Oct 1963", "", "date.incomplete"),
        ("soon", "", "date.not_a_date"),
        ("n/k", "", "text.placeholder"),
        ("", "", ""),
    ],
)
def test_dates_of_birth(raw: str, clean: str, note: str) -> None:
    """A date is read in its form, or dropped for a reason that is counted."""
    assert BIRTHS.clean(raw) == (clean, note)


def test_month_first_sources() -> None:
    """The mapping's order decides where both orders are dates."""
    assert DateCleaner(TODAY, day_first=False).clean("03/04/1990").value == "1990-03-04"
    assert BIRTHS.clean("03/04/1990").value == "1990-04-03"


def test_dates_of_address_may_lie_ahead_but_not_at_the_end_of_time() -> None:
    """A tenancy may end next year; 9999 means that it has no end."""
    cleaner = DateCleaner(TODAY, birth=False)
    assert cleaner.clean("01/03/2027").value == "2027-03-01"
    assert cleaner.clean("31/12/9999").value == ""


def test_parts_in_three_columns() -> None:
    """All parts make a date, some make an incomplete one, none is missing."""
    assert BIRTHS.clean(join_parts("3", "6", "1977")).value == "1977-06-03"
    assert BIRTHS.clean(join_parts("3", "", "1977")).note == "date.incomplete"
    assert BIRTHS.clean(join_parts("", " ", "")) == ("", "")


@given(
    st.dates(date(1910, 1, 3), TODAY),
    st.sampled_from(
        ["%d/%m/%Y", "%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%d%m%Y", "%d %B %Y", "%B %d, %Y"]
    ),
)
def test_every_form_reads_back(day: date, form: str) -> None:
    """Any date in any form that is documented comes back as itself."""
    assert BIRTHS.clean(day.strftime(form)).value == day.isoformat()


@given(st.text(max_size=20))
def test_no_text_breaks_the_reader(raw: str) -> None:
    """Garbage gives a known note and no exception."""
    outcome = BIRTHS.clean(raw)
    assert outcome.note in {"", *NOTES}
    assert not outcome.value or date.fromisoformat(outcome.value) <= TODAY
