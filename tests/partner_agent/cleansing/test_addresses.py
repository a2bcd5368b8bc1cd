"""Addresses and UPRNs: the same home gives the same line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_agent.cleansing.address import clean_address
from partner_agent.cleansing.errors import UprnReferenceError
from partner_agent.cleansing.outcome import NOTES
from partner_agent.cleansing.uprn import UprnIndex, clean_uprn

SAME_HOME = [
    (
        "15 high street",
        [
            "15 High Street, Lewes",
            "15 High St, Lewes, East Sussex",
            "No. 15, High St",
            "015 HIGH STREET",
            "15 high st lewes east sussex bn7 1ab",
            "15, High Street, Lewes, BN7 1AB, UK",
            "Rose Cottage, 15 High Street, Lewes",
        ],
    ),
    (
        "2 15 high street",
        [
            "Flat 2, 15 High Street",
            "15 High St Flat 2",
            "2/15 High Street",
            "Apt 2 15 High Street",
            "Flat 2 Windsor Court, 15 High St",
            "Flat2, 15 High St.",
        ],
    ),
    ("15a high street", ["Flat A, 15 High Street", "15a High Street", "15 A High St"]),
    (
        "2 windsor court high street",
        ["Flat 2 Windsor Court, High Street", "2 Windsor Ct High St, Lewes"],
    ),
    ("2 windsor court", ["Flat 2, Windsor Court", "2 Windsor Ct, Lewes"]),
    ("4 st johns road", ["4 St Johns Road", "4 Saint John's Rd", "4 St. John's Road, Hove"]),
    ("5 the green", ["5 The Green, Lewes", "5, The Green"]),
    ("5 mill lane", ["5 Mill Lane, Upper Beeding", "5 Mill Ln, Lower Beeding, West Sussex"]),
    ("5 mill lane", ["5 Mill Lane Upper Beeding", "5 Mill Lane, North Berwick"]),
    ("5 london road north", ["5 London Road North, Hove", "5 London Rd Nth Hove"]),
    ("5 mill lane upper", ["5 Mill Lane Upper, Hove", "5 Mill Ln Upr"]),
    ("rose cottage", ["Rose Cottage, Firle, Lewes", "Rose Cottage"]),
    (
        "ground floor 12 king street",
        ["Ground Floor Flat, 12 King Street", "12 King St, Ground Floor"],
    ),
]


@pytest.mark.parametrize(("line", "ways"), SAME_HOME)
def test_the_many_ways_to_write_one_home(line: str, ways: list[str]) -> None:
    """Abbreviations, flats, building names, towns and postcodes no longer part households."""
    assert {clean_address(way, has_postcode=True).value for way in ways} == {line}


def test_the_town_stays_where_no_postcode_tells_homes_apart() -> None:
    """Two High Streets must not become one household."""
    lewes = clean_address("1 High St, Lewes", has_postcode=False).value
    assert lewes == "1 high street lewes"
    assert lewes != clean_address("1 High St, Hove", has_postcode=False).value


def test_flats_of_one_house_stay_apart() -> None:
    """Flat and house number are both kept."""
    lines = [clean_address(f"Flat {n}, 15 High St", has_postcode=True).value for n in "123"]
    assert len(set(lines)) == 3


def test_addresses_that_are_none() -> None:
    """A placeholder, and an address that was only a postcode."""
    assert clean_address("unknown, n/a", has_postcode=True).note == "text.placeholder"
    assert clean_address("BN7 1AB", has_postcode=True).note == "address.no_content"


@given(st.text(max_size=40), st.booleans())
def test_no_address_breaks_the_parser(raw: str, known: bool) -> None:
    """Any text gives one line of plain words, or a known note."""
    outcome = clean_address(raw, has_postcode=known)
    assert outcome.note in {"", *NOTES}
    assert outcome.value == " ".join(outcome.value.split())
    assert outcome.value.isascii()


HEADINGS = (
    "UPRN,SAO_START_NUMBER,SAO_START_SUFFIX,SAO_TEXT,PAO_START_NUMBER,PAO_START_SUFFIX,PAO_TEXT,"
    "STREET_DESCRIPTION,TOWN_NAME,POSTCODE_LOCATOR\n"
)
REFERENCE = """100000000001,,,,15,,,HIGH STREET,LEWES,BN7 1AB
100000000002,,,FLAT 1,17,,,HIGH STREET,LEWES,BN7 1AB
100000000003,2,,,17,,,HIGH STREET,LEWES,BN7 1AB
100000000004,,,,,,ROSE COTTAGE,CHURCH LANE,LEWES,BN7 1AE
100000000005,,,,9,,,MILL LANE,LEWES,BN7 1AD
100000000006,,,,9,,,MILL LANE,LEWES,BN7 1AD
100000000007,,,,,,LEWES HOUSE,HIGH STREET,LEWES,BN7 1AG
"""


@pytest.fixture
def index(tmp_path: Path) -> UprnIndex:
    """A small reference file in AddressBase Plus columns."""
    path = tmp_path / "abp.csv"
    path.write_text(HEADINGS + REFERENCE, encoding="utf-8")
    return UprnIndex.from_csv(path)


@pytest.mark.parametrize(
    ("address", "postcode", "expected"),
    [
        ("15 High St, Lewes", "BN7 1AB", ("100000000001", "uprn.matched")),
        ("15 Hihg Street", "BN7 1AB", ("100000000001", "uprn.matched")),
        ("Flat 2, 17 High Street", "BN7 1AB", ("100000000003", "uprn.matched")),
        ("17 High St Flat 1", "BN7 1AB", ("100000000002", "uprn.matched")),
        ("Rose Cottage, Church Lane", "BN7 1AE", ("100000000004", "uprn.matched")),
        ("17 High Street", "BN7 1AB", ("", "uprn.not_found")),
        ("16 High Street", "BN7 1AB", ("", "uprn.not_found")),
        ("9 Mill Lane", "BN7 1AD", ("", "uprn.ambiguous")),
        ("15 High St", "BN7 9ZZ", ("", "uprn.not_found")),
        ("15 High St", "", ("", "")),
        ("15 High St, Lewes", "", ("100000000001", "uprn.matched")),
        ("15 High St, Lewes, East Sussex", "BN7 1AD", ("100000000001", "uprn.matched")),
        ("15 High St, Lewes", "BN8 2AB", ("", "uprn.not_found")),
        ("15 High St, Hove", "", ("", "")),
        ("9 Mill Lane, Lewes", "", ("", "uprn.ambiguous")),
        ("Rose Cottage", "BN7 1AE", ("100000000004", "uprn.matched")),
        ("Rose Cottage, Lewes", "BN7 1AE", ("100000000004", "uprn.matched")),
        ("Lewes House", "BN7 1AG", ("100000000007", "uprn.matched")),
        ("Lewes", "BN7 1AG", ("", "uprn.not_found")),
    ],
)
def test_uprn_lookup(
    index: UprnIndex, address: str, postcode: str, expected: tuple[str, str]
) -> None:
    """A sure match gives the UPRN; another number, a house of flats and a tie are refused.

    The town stands in for a postcode that is missing or has one letter wrong.
    """
    assert len(index) == 7
    assert index.match(address, postcode) == expected


def test_a_reference_file_without_its_columns(tmp_path: Path) -> None:
    """The missing columns are named."""
    path = tmp_path / "r.csv"
    path.write_text("UPRN,STREET\n1,2\n", encoding="utf-8")
    with pytest.raises(UprnReferenceError, match="PAO_START_NUMBER"):
        UprnIndex.from_csv(path)


def test_given_uprns() -> None:
    """Leading zeros go; what is no UPRN is dropped."""
    assert clean_uprn("000123456789").value == "123456789"
    assert clean_uprn("123456789.0").value == "123456789"
    assert clean_uprn("1234567890123").note == "uprn.format"
    assert clean_uprn("0").note == "uprn.format"
