"""Names: linkable across spellings, scripts and clerks."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_agent.cleansing.full_names import clean_full_name
from partner_agent.cleansing.names import clean_given_name, clean_surname
from partner_agent.cleansing.outcome import NOTES


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("O'Brien", "obrien"),
        ("O\u2019 BRIEN", "obrien"),
        ("Smith-Jones", "smith jones"),
        ("De La Cruz", "de la cruz"),
        ("José", "jose"),
        ("JosÃ©", "jose"),
        ("Mc Donald", "mcdonald"),
        ("Łukasz", "lukasz"),
        ("Мария", "mariya"),
        ("王小明", "wangxiaoming"),
        ("St. John", "st john"),
        ("Mrs Smith", "smith"),
        ("Smith Jr.", "smith"),
        ("Na", "na"),
        ("sm1th", "smth"),
        ("Elizabeth (Liz)", "elizabeth"),
    ],
)
def test_surnames_are_brought_to_one_form(raw: str, clean: str) -> None:
    """Case, marks, scripts, hyphens, particles and titles no longer part two spellings."""
    assert clean_surname(raw).value == clean


@pytest.mark.parametrize(
    "raw", ["unknown", "N/A", "NA", "baby", "Baby Boy", "twin 1", "test", "-", "XXX", "Mr", "#N/A"]
)
def test_words_that_stand_for_missing_are_no_names(raw: str) -> None:
    """A placeholder would link strangers: it is dropped, and counted."""
    assert clean_given_name(raw) == ("", "text.placeholder")


def test_nicknames_are_expanded_only_when_asked() -> None:
    """The short form stays unless the mapping asks."""
    assert clean_given_name("Bill").value == "bill"
    assert clean_given_name("Bill", expand_nicknames=True).value == "william"


@given(st.text(max_size=30))
def test_a_clean_name_is_letters_and_single_spaces(raw: str) -> None:
    """Whatever comes in, what goes out fits the cleaned table, with a note that is known."""
    outcome = clean_surname(raw)
    assert re.fullmatch(r"([a-z]+( [a-z]+)*)?", outcome.value)
    assert outcome.note in {"", *NOTES}


@given(st.text("abcdefg '-", max_size=20))
def test_cleaning_a_clean_name_changes_nothing(raw: str) -> None:
    """Cleansing is idempotent."""
    once = clean_surname(raw).value
    assert clean_surname(once).value == once


@pytest.mark.parametrize(
    ("raw", "surname_first", "parts"),
    [
        ("SMITH, John Paul", False, ("john", "paul", "smith")),
        ("Mr John Smith Jr", False, ("john", "", "smith")),
        ("Maria de la Cruz", False, ("maria", "", "de la cruz")),
        ("SMITH John", False, ("john", "", "smith")),
        ("van der Berg Jan", True, ("jan", "", "van der berg")),
        ("Smith John Paul", True, ("john", "paul", "smith")),
        ("Dr. Jean-Luc Picard", False, ("jean luc", "", "picard")),
        ("Cher", False, ("", "", "cher")),
        ("unknown", False, ("", "", "")),
    ],
)
def test_full_names_are_split(raw: str, surname_first: bool, parts: tuple[str, ...]) -> None:
    """By comma, by capitals, or by the mapping's order, particles with the surname."""
    found = clean_full_name(raw, surname_first=surname_first)
    assert tuple(part.value for part in found) == parts
