import re

import numpy as np
from stdnum.gb import nhs, upn

from examples.county import identifiers


def _rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_nhs_numbers_are_valid_test_numbers() -> None:
    """Every NHS number is distinct, passes its check and lies in the test range."""
    numbers = identifiers.nhs_numbers(_rng(), 3000)
    assert len(set(numbers)) == 3000
    assert all(nhs.is_valid(number) and number.startswith("999") for number in numbers)


def test_nino_numbers_have_the_form_of_one_that_nobody_has() -> None:
    """Every NI number obeys the letter rules under the administrative prefix MW."""
    numbers = identifiers.nino_numbers(_rng(), 3000)
    form = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")
    assert len(set(numbers)) == 3000
    assert all(form.fullmatch(number) and number.startswith("MW") for number in numbers)


def test_upns_pass_their_check_letter() -> None:
    """Every UPN is distinct and valid, and those too old for one have none."""
    years = np.array([1980, 2001, 2010, 2020] * 500)
    numbers = identifiers.upn_numbers(_rng(), years)
    issued = [number for number in numbers if number]
    assert len(set(issued)) == len(issued) == 1500
    assert all(upn.is_valid(number) for number in issued)


def test_contacts_stay_in_the_ranges_for_drama() -> None:
    """Telephone numbers are Ofcom's for drama and e-mails are at example.org, in ASCII."""
    phones = identifiers.phone_numbers(_rng(), 500)
    assert all(re.fullmatch(r"07700900\d{3}|01632960\d{3}", phone) for phone in phones)
    given = np.array(["Zoë", "Jean-Luc"], dtype=object)
    surname = np.array(["O'Shea", "Wiśniewska"], dtype=object)
    emails = identifiers.email_addresses(_rng(), given, surname, np.array([True, True]))
    assert all(re.fullmatch(r"[a-z.]+\d+@example\.org", email) for email in emails)
