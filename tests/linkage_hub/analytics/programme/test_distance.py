"""Bands away from a target: known only where they are, and the farthest member's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_hub.analytics.needs import MET, UNMET
from linkage_hub.analytics.programme.change import change
from linkage_hub.analytics.programme.distance import NOT_KNOWN, labels, steps
from linkage_hub.analytics.programme.figures import distance_figures
from tests.linkage_hub.analytics.programme.months import CODES, criteria, month


def one(signs: str) -> int:
    """The band of one family."""
    return int(steps([np.array([CODES[sign]], dtype=np.int8) for sign in signs])[0])


@pytest.mark.parametrize(
    ("signs", "band"),
    [
        ("---", 0),
        ("+--", 1),
        ("++-", 2),
        ("+++", 3),
        ("-??", 0),  # at the target: what lies behind it need not be said
        ("??+", 3),
        ("+?-", NOT_KNOWN),
        ("???", NOT_KNOWN),
        ("++?", NOT_KNOWN),
        ("-+-", 2),  # two sources are at odds: the farther one counts
        ("-+?", NOT_KNOWN),
    ],
)
def test_a_band_is_known_where_its_ends_are(signs: str, band: int) -> None:
    """By hand: met up to a band and not past it."""
    assert one(signs) == band


@given(st.lists(st.sampled_from("?-+"), min_size=1, max_size=5))
def test_a_known_band_is_no_guess(signs: list[str]) -> None:
    """For any bands: one that is told is met itself, or nothing is met at all."""
    states = [CODES[sign] for sign in signs]
    found = one("".join(signs))
    if found > 0:
        assert states[found - 1] == MET
        assert MET not in states[found:]
        assert found == len(states) or states[found] == UNMET
    elif found == 0:
        assert states[0] == UNMET
        assert MET not in states


def test_the_figures_of_four_families() -> None:
    """By hand: bands now, at the start and before, and who came nearer; one is outside."""
    inside = {"in_programme": "+"}
    start = {"absence_start": "+", "absence_80_start": "+", "absence_50_start": "-"}
    near = {"absence": "+", "absence_80": "-", "absence_50": "-"}
    far = {"absence": "+", "absence_80": "+", "absence_50": "+"}
    now = month([inside | start | near, inside | start | far, inside | start, near])
    before = month([inside | far, inside | far, near, near])
    (found,) = distance_figures(now, None, None)
    names = labels(criteria().needs[0].distance)  # type: ignore[arg-type]
    assert names == (
        "at the target of 90", "between 90 and 80", "between 80 and 50", "farther than 50",
    )  # fmt: skip
    assert found.now == dict(zip((*names, "unknown"), (0, 1, 0, 1, 1), strict=True))
    assert found.at_start == dict(zip((*names, "unknown"), (0, 0, 3, 0, 0), strict=True))
    assert found.since_start == {"nearer": 1, "same": 0, "farther": 1, "unknown": 1}
    assert (found.before, found.since_before) == (None, None)
    (beside,) = distance_figures(now, before, change(before, now))
    assert beside.before == dict(zip((*names, "unknown"), (0, 0, 0, 2, 0), strict=True))
    assert beside.since_before == {"nearer": 1, "same": 1, "farther": 0, "unknown": 0}
