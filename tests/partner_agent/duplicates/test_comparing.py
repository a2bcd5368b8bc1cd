"""Levels of agreement of two rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler

from partner_agent.duplicates.fields import Comparer
from partner_agent.duplicates.kernels import jaro_winkler
from partner_agent.duplicates.source import Source
from partner_agent.duplicates.texts import COLUMNS, Columns


def levels_of(one: dict[str, str], other: dict[str, str]) -> dict[str, int]:
    """Level of each field of two rows; ``swapped`` is 1 where names are in each other's place."""
    blank = dict.fromkeys(COLUMNS, "")
    frame = pd.DataFrame([blank | each for each in (one, other, one, other)])
    columns = Columns()
    columns.add(frame)
    comparer = Comparer(Source.of(columns))
    levels, swapped = comparer.levels(*(np.array([at]) for at in (0, 1)))
    found = {
        field.name: int(level[0]) for field, level in zip(comparer.fields, levels, strict=True)
    }
    return found | {"swapped": int(swapped[0])}


@pytest.mark.parametrize(
    ("field", "one", "other", "level"),
    [
        ("surname", "harris", "harris", 1),
        ("first_name", "bill", "william", 2),
        ("surname", "harris", "haris", 3),
        ("surname", "harris", "harirs", 3),
        ("first_name", "j", "john", 4),
        ("surname", "harris", "cole", 6),
        ("middle_name", "a", "ann", 2),
        ("date_of_birth", "1980-03-04", "1980-03-05", 2),
        ("date_of_birth", "1980-03-04", "1980-04-03", 2),
        ("date_of_birth", "1980-12-04", "1980-21-04", 2),
        ("date_of_birth", "1980-03-04", "1980-03-27", 3),
        ("date_of_birth", "1980-03-04", "1979-11-27", 4),
        ("date_of_birth", "1980-03-04", "1962-11-27", 5),
        ("nhs_number", "9434765919", "9434765919", 1),
        ("nhs_number", "9434765919", "9434765991", 2),
        ("nhs_number", "9434765919", "1234567890", 3),
        ("email", "ann.cole@a.org", "ann.cole@b.org", 2),
        ("email", "ann.cole7@a.org", "ann.cole9@a.org", 3),
        ("email", "ann.cole@a.org", "anni.colle@a.org", 0),
        ("address", "12 high street", "12 high street", 1),
        ("address", "12 high street", "9 mill lane", 6),
        ("sex", "f", "m", 2),
        ("sex", "f", "", 0),
    ],
)
def test_levels(field: str, one: str, other: str, level: int) -> None:
    """Each field's levels are what its function says, and alike both ways round."""
    assert levels_of({field: one}, {field: other})[field] == level
    assert levels_of({field: other}, {field: one})[field] == level


def test_names_in_each_others_place_take_the_levels_they_would_have() -> None:
    """Swapped names are told, and compared with the names they are."""
    found = levels_of(
        {"first_name": "ann", "surname": "cole"}, {"first_name": "cole", "surname": "ann"}
    )
    assert found["swapped"] == 1
    assert found["first_name"] == found["surname"] == 1


def test_an_address_is_one_with_its_postcode_and_property() -> None:
    """One property is one address however it is written; a postcode alone is a weaker level."""
    same = {"address": "flat 1 12 high street", "postcode": "AB1 2CD", "uprn": "1"}
    other = {"address": "12 high st", "postcode": "AB1 2CD", "uprn": "1"}
    assert levels_of(same, other)["address"] == 1
    assert levels_of(same, {"postcode": "AB1 2CD"})["address"] == 3


def test_where_first_names_agree_the_sex_says_nothing() -> None:
    """A given name has its sex."""
    same = {"first_name": "ann", "sex": "f"}
    assert levels_of(same, {"first_name": "ann", "sex": "m"})["sex"] == 0
    assert levels_of(same, {"first_name": "zoe", "sex": "f"})["sex"] == 1


@given(st.text("abcdef", min_size=1, max_size=12), st.text("abcdef", min_size=1, max_size=12))
def test_similarity_is_rapidfuzz_s(one: str, other: str) -> None:
    """The compiled Jaro-Winkler gives what another implementation gives."""
    expected = JaroWinkler.similarity(one, other)
    assert jaro_winkler(one.encode(), other.encode()) == pytest.approx(expected)
