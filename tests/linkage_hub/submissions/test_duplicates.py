"""What a submission says of records of one person is checked, and comes back as rows."""

from typing import Any

import numpy as np
import pytest

from governance.exchange.submission import DUPLICATES_MOST, GROUP_MOST
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.submissions import errors
from linkage_hub.submissions.duplicates import check_duplicates, duplicates_of, handles_of
from tests.linkage_hub.submissions.test_content import check, rows, table


def handle(number: int) -> bytes:
    """The handle of a row of ``rows``, higher for higher numbers below 256."""
    return bytes([number % 256, number // 256]) + bytes(14)


def other(number: int, probability: float = 0.97) -> dict[str, Any]:
    """A pair as its record's list has it."""
    return {"handle": handle(number), "probability": probability}


def test_pairs_come_back_as_row_numbers() -> None:
    """Whatever the order of the file, the lower row comes first."""
    records = rows()
    records[3]["duplicates"] = [other(7, 0.5), other(9, 1.0)]
    records[20]["duplicates"] = [other(21, 0.73)]
    check(records)
    turned = table(records[::-1])
    check_duplicates(turned)
    found = duplicates_of(turned, handles_of(turned))
    pairs = {
        (59 - int(b), 59 - int(a)): round(float(p), 2)
        for a, b, p in zip(found.left, found.right, found.probability, strict=True)
    }
    assert pairs == {(3, 7): 0.5, (3, 9): 1.0, (20, 21): 0.73}
    assert (found.left < found.right).all()
    assert len(duplicates_of(table(rows(0)), handles_of(table(rows(0)))).left) == 0


def test_pairs_among_records_that_are_kept_have_their_new_numbers() -> None:
    """A pair with a record that is left out is gone."""
    found = Duplicates(np.array([0, 1, 3]), np.array([2, 4, 4]), np.array([0.6, 0.7, 0.8]))
    kept = found.among(np.array([True, False, True, True, True]))
    assert kept.left.tolist() == [0, 2]
    assert kept.right.tolist() == [1, 3]
    assert kept.probability.tolist() == [0.6, 0.8]


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (3, [other(200)]),  # no record of the file
        (3, [other(3)]),  # itself
        (7, [other(3)]),  # not at the smaller handle
        (3, [other(7), other(7, 0.9)]),  # twice
        (3, [other(7, 0.49)]),
        (3, [other(7, 1.01)]),
        (3, [other(7, float("nan"))]),
        (3, [other(7, 0.973)]),  # more than two decimals
    ],
)
@pytest.mark.invariant(19, "records said to be one person")
def test_one_wrong_pair_refuses_the_submission(at: int, said: list[dict[str, Any]]) -> None:
    """Each rule has the same reason, and no message holds a handle."""
    records = rows()
    records[at]["duplicates"] = said
    with pytest.raises(errors.DuplicatesNotAgreed) as caught:
        check(records)
    assert "0300" not in str(caught.value)


@pytest.mark.invariant(19, "a source made one person")
def test_nobody_makes_one_person_of_a_whole_source() -> None:
    """Stars, chains and cliques that are too large are refused; the largest allowed are not."""
    count = 250
    for links, fits in (
        ([(0, at) for at in range(1, DUPLICATES_MOST + 1)], True),
        ([(0, at) for at in range(1, DUPLICATES_MOST + 2)], False),
        ([(at, DUPLICATES_MOST + 1) for at in range(DUPLICATES_MOST + 1)], False),
        ([(at, at + 1) for at in range(GROUP_MOST - 1)], True),
        ([(at, at + 1) for at in range(GROUP_MOST)], False),
        (  # no more than 50 of each, and 4,375 of 250
            [(a, b) for a in range(count) for b in range(a + 1, min(count, a + 26))],
            False,
        ),
    ):
        records = rows(count)
        for left, right in links:
            records[left]["duplicates"].append(other(right))
        if fits:
            check_duplicates(table(records))
            continue
        with pytest.raises(errors.DuplicatesNotAgreed):
            check_duplicates(table(records))
