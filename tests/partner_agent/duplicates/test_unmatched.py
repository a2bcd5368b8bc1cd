"""Rows of one source that match none of the others, and what would match them."""

import numpy as np
import pandas as pd
import pytest

from partner_agent.duplicates.unmatched import SWAPPED, Unmatched, unmatched
from tests.partner_agent.duplicates.test_finding import people

SIZE = 400


@pytest.fixture(scope="module")
def found() -> dict[int, Unmatched]:
    """Of two sources of the same people: some rows spoilt, the last in one source only."""
    others = people(SIZE)
    own = others.copy()
    own.loc[0, ["first_name", "surname", "date_of_birth"]] = ["harwick", "adam", "1900-01-01"]
    own.loc[1, ["surname", "postcode", "address"]] = ["quite", "ZZ1 1ZZ", "1 other road"]
    own.loc[2, ["date_of_birth", "postcode", "address"]] = ""
    own.loc[2, "first_name"] = "zz"
    own.loc[3, ["first_name", "surname"]] = own.loc[3, ["surname", "first_name"]].to_numpy()
    own.loc[3, ["date_of_birth", "postcode", "address"]] = ["1901-02-03", "ZZ9 9ZZ", "9 far road"]
    asked = np.ones(SIZE, dtype=np.bool_)
    asked[5] = False
    own.loc[5] = ["xx", "", "yy", "1903-03-03", "m", "", "", "", "", "", "", "", ""]
    others = others.drop(index=SIZE - 1).reset_index(drop=True)
    return {each.row: each for each in unmatched(own, others, asked)}


def test_only_spoilt_and_absent_rows_are_unmatched(found: dict[int, Unmatched]) -> None:
    """All other rows are matched, and who was not asked about is not told."""
    assert {1, 2, SIZE - 1} <= set(found)
    assert set(found) <= {0, 1, 2, 3, SIZE - 1}


def test_a_correction_is_named_that_would_match(found: dict[int, Unmatched]) -> None:
    """Whoever moved and is written with another surname: either of these, and whose it is."""
    each = found[1]
    assert each.near == 1
    assert "surname" in each.corrections
    assert each.missing == ()
    assert 0 < each.probability < 0.5


def test_what_a_row_lacks_is_named(found: dict[int, Unmatched]) -> None:
    """It lacks a date of birth and where it lives."""
    assert found[2].missing == ("date_of_birth", "postcode", "address")


def test_who_is_in_one_source_only_is_near_to_nobody(found: dict[int, Unmatched]) -> None:
    """No correction would match them."""
    each = found[SIZE - 1]
    assert each.corrections == ()
    assert each.missing == ()


def test_swapped_names_are_named() -> None:
    """Names in each other's place, another address and a year later: any of the three is enough."""
    others = people(200, seed=3)
    own = others.copy()
    own.loc[7, ["first_name", "surname"]] = own.loc[7, ["surname", "first_name"]].to_numpy()
    born = str(own.loc[7, "date_of_birth"])
    own.loc[7, "date_of_birth"] = f"{int(born[:4]) + 1}{born[4:]}"
    assert unmatched(own, others, np.arange(200) == 7) == []  # at the same address it is matched
    own.loc[7, ["postcode", "address"]] = ["ZZ9 9ZZ", "9 far road"]
    (each,) = unmatched(own, others, np.arange(200) == 7)
    assert each.near == 7
    assert each.corrections == (SWAPPED, "date_of_birth", "address")


def test_what_is_said_to_match_does_match() -> None:
    """A correction that is named is made, and the row is matched then."""
    others = people(SIZE, seed=2)
    own = others.copy()
    own.loc[1, ["surname", "postcode", "address"]] = ["quite", "ZZ1 1ZZ", "1 other road"]
    only = np.arange(SIZE) == 1
    (before,) = unmatched(own, others, only)
    made = 0
    for name in before.corrections:
        if name in own:
            mended = own.copy()
            mended.loc[1, [name]] = others[name].tolist()[before.near or 0]
            made += 1
            assert unmatched(mended, others, only) == []
    assert made >= 1


def test_empty_sources_match_nothing() -> None:
    """Rows without a value, and no row at all."""
    blank = pd.DataFrame("", index=range(3), columns=people(1).columns)
    assert len(unmatched(blank, people(3), np.ones(3, dtype=np.bool_))) == 3
    assert unmatched(people(0), people(3), np.zeros(0, dtype=np.bool_)) == []
