import random

from hypothesis import given
from hypothesis import strategies as st

from examples.county.errors.text import (
    drop_marks,
    mishear,
    misread,
    mistype,
    shorten_street,
    wrong_digit,
)

_NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCÉ'- ", min_size=1, max_size=20)


@given(_NAMES, st.integers())
def test_a_slip_changes_little(name: str, seed: int) -> None:
    """An error of typing adds or takes at most one letter and never empties a name."""
    found = mistype(random.Random(seed), name)
    assert found
    assert abs(len(found) - len(name)) <= 1


@given(_NAMES, st.integers())
def test_errors_repeat_under_one_seed(name: str, seed: int) -> None:
    """The same seed makes the same error, of whatever kind."""
    for change in (mistype, misread, mishear, drop_marks):
        assert change(random.Random(seed), name) == change(random.Random(seed), name)


@given(_NAMES, st.integers())
def test_reading_and_hearing_keep_the_first_letter(name: str, seed: int) -> None:
    """Lookalikes and sounds are replaced inside a name, not at its start."""
    assert misread(random.Random(seed), name)[0] == name[0]
    assert mishear(random.Random(seed), name)[0] == name[0]


@given(st.text(alphabet="0123456789", min_size=2, max_size=12), st.integers())
def test_a_wrong_digit_keeps_the_length(number: str, seed: int) -> None:
    """A number with a wrong digit is as long and differs."""
    found = wrong_digit(random.Random(seed), number)
    assert len(found) == len(number)
    assert found != number


def test_streets_are_abbreviated_as_on_forms() -> None:
    """A known street type is shortened and an unknown one left."""
    assert shorten_street(random.Random(1), "Mill Lane") in {"Mill Ln", "Mill La"}
    assert shorten_street(random.Random(1), "Gossamergate") == "Gossamergate"
