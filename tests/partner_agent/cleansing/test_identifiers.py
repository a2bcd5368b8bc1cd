"""Identifiers, postcodes, contacts and sex."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from partner_agent.cleansing.contact import clean_email, clean_phone
from partner_agent.cleansing.identifiers import clean_nhs_number, clean_nino, clean_upn
from partner_agent.cleansing.outcome import NOTES
from partner_agent.cleansing.postcode import clean_postcode, find_postcode
from partner_agent.cleansing.sex import clean_sex


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("943 476 5919", ("9434765919", "")),
        ("9434765919.0", ("9434765919", "")),
        ("9434765918", ("", "nhs_number.check_digit")),
        ("943476591", ("", "nhs_number.format")),
        ("4444444444", ("", "nhs_number.repeated_digit")),
        ("9.43E+09", ("", "identifier.scientific")),
        ("n/a", ("", "text.placeholder")),
    ],
)
def test_nhs_numbers(raw: str, expected: tuple[str, str]) -> None:
    """Ten digits with the right check digit, or a reason."""
    assert clean_nhs_number(raw) == expected


@given(st.integers(0, 10**9 - 1), st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_of_an_nhs_number_is_always_found(stem: int, at: int, by: int) -> None:
    """Modulus 11 finds every single error."""
    digits = f"{stem:09d}"
    weighted = sum(
        int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)
    )
    check = -weighted % 11
    number = f"{digits}{check}"
    assume(check < 10 and len(set(number)) > 1)
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    assert clean_nhs_number(number).value == number
    assert clean_nhs_number(wrong).value == ""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("ab 12 34 56 c", ("AB123456", "")),
        ("AB123456", ("AB123456", "")),
        ("BG123456A", ("", "nino.prefix")),
        ("DA123456A", ("", "nino.prefix")),
        ("AB123456E", ("", "nino.format")),
    ],
)
def test_national_insurance_numbers(raw: str, expected: tuple[str, str]) -> None:
    """The suffix does not part two records of one person."""
    assert clean_nino(raw) == expected


def test_unique_pupil_numbers() -> None:
    """The check letter counts; an authority newer than the library's list does not."""
    assert clean_upn("B801200005001").value == "B801200005001"
    assert clean_upn("A801200005001").note == "upn.check_letter"
    assert clean_upn("B80120000500").note == "upn.format"
    new = [f"{letter}839200005001" for letter in "ABCDEFGHJKLMNPQRTUVWXYZ"]  # 839: made in 2019
    assert sum(bool(clean_upn(number).value) for number in new) == 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("ex483qz", ("EX48 3QZ", "")),
        (" sw1a-1aa ", ("SW1A 1AA", "")),
        ("0X1 1AA", ("OX1 1AA", "postcode.repaired")),
        ("N1 OAA", ("N1 0AA", "postcode.repaired")),
        ("BNl1 1AA", ("BN11 1AA", "postcode.repaired")),
        ("S01 2AB", ("SO1 2AB", "postcode.repaired")),
        ("LI 2AB", ("L1 2AB", "postcode.repaired")),
        ("QQ1 1AA", ("", "postcode.unknown_area")),
        ("ZZ99 3VZ", ("", "postcode.pseudo")),
        ("BN1 1CA", ("", "postcode.format")),
        ("2068", ("", "postcode.format")),
    ],
)
def test_postcodes(raw: str, expected: tuple[str, str]) -> None:
    """Normalised, repaired where one reading fits, dropped otherwise."""
    assert clean_postcode(raw) == expected


@given(st.text(max_size=9))
def test_a_clean_postcode_is_stable(raw: str) -> None:
    """What comes out needs no more cleaning."""
    outcome = clean_postcode(raw)
    assert outcome.note in {"", *NOTES}
    if outcome.value:
        assert clean_postcode(outcome.value) == (outcome.value, "")


def test_a_postcode_is_found_in_an_address() -> None:
    """The last one that stands there."""
    assert find_postcode("Flat 1 15 High St, Lewes bn71ab, UK") == "BN7 1AB"
    assert find_postcode("no code here") == ""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("01273 480000", "+441273480000"),
        ("7911123456", "+447911123456"),
        ("0044 7911 123456", "+447911123456"),
        ("+33 1 42 68 53 00", "+33142685300"),
        ("07700 900123", "+447700900123"),
        ("none / 07911 123456", "+447911123456"),
        ("12345", ""),
        ("7.91E+09", ""),
    ],
)
def test_telephone_numbers(raw: str, expected: str) -> None:
    """E.164, British unless they say otherwise."""
    assert clean_phone(raw).value == expected


def test_email_addresses() -> None:
    """Lower case; broken ones and mailboxes that are nobody's are dropped."""
    assert clean_email(" Jo.Bloggs@Example.ORG ").value == "jo.bloggs@example.org"
    assert clean_email("jo@example").note == "email.invalid"
    assert clean_email("noemail@example.org").note == "text.placeholder"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("F", ("f", "")),
        ("Male", ("m", "")),
        ("2", ("f", "")),
        ("9", ("", "")),
        ("X", ("", "")),
        ("femqle", ("", "sex.unrecognised")),
    ],
)
def test_sex(raw: str, expected: tuple[str, str]) -> None:
    """Words and ISO 5218 codes; unknown is missing, not an error."""
    assert clean_sex(raw) == expected
