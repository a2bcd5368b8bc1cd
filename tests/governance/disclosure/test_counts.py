"""A count alone: what is published of it."""

from hypothesis import given
from hypothesis import strategies as st

from governance.disclosure.counts import LEAST, Published, least_shown, publish

COUNTS = st.integers(0, 2_000)
THRESHOLDS = st.integers(2, 100)


def test_small_counts_and_nought_look_alike() -> None:
    """1 to 7 are hidden whatever the agreement says, and nought with them."""
    assert {str(publish(count, 2)) for count in range(LEAST)} == {"7 or fewer"}
    assert publish(8, 7) == Published(about=10, most=7, base=10)
    assert str(publish(14, 7)) == "about 10"
    assert str(publish(15, 7)) == "about 20"
    assert publish(99, 100).about is None
    assert publish(100, 100).about == 100


@given(COUNTS, COUNTS, THRESHOLDS)
def test_two_published_numbers_never_pin_a_small_difference(
    one: int, other: int, threshold: int
) -> None:
    """For any counts: what two published numbers leave possible holds nought or the threshold."""
    least = least_shown(threshold)
    (low, high), (low_2, high_2) = (_behind(publish(each, threshold)) for each in (one, other))
    assert low <= one <= high
    possible = range(low - high_2, high - low_2 + 1)
    assert 0 in possible or least in possible or -least in possible or abs(one - other) >= least


def _behind(shown: Published) -> tuple[int, int]:
    """The smallest and largest count that is published so."""
    if shown.about is None:
        return 0, shown.most
    low = shown.about - shown.base // 2
    high = shown.about + (shown.base - 1) // 2
    return (shown.most + 1 if shown.about == shown.base else low), high
