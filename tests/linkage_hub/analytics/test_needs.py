"""Needs are met, unmet or unknown, and unknown is never taken for unmet."""

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from governance.agreements.models import IN_PROGRAMME
from linkage_hub.analytics.needs import STATES, Assessments, Said, assess, prevalence

NEEDS = ["neet", "offence", "out_of_work"]


class Word(NamedTuple):
    """One source's word on one family."""

    family: int
    indicator: str
    met: bool
    source: str


WORDS = st.builds(
    Word,
    family=st.integers(0, 2),
    indicator=st.sampled_from([*NEEDS, IN_PROGRAMME, "other"]),
    met=st.booleans(),
    source=st.sampled_from(["a", "b", "c"]),
)


def assessed(
    words: list[Word], minimum: int = 2, *, families: int = 1, resident: bool = True
) -> Assessments:
    """All families, from words."""
    names = sorted({word.indicator for word in words})
    said = Said(
        np.array([word.family for word in words], dtype=np.int64),
        np.array([names.index(word.indicator) for word in words], dtype=np.int64),
        np.array(["abc".index(word.source) for word in words], dtype=np.int64),
        np.array([word.met for word in words], dtype=np.bool_),
        tuple(names),
    )
    return assess(said, NEEDS, minimum, np.full(families, resident))


def test_two_needs_put_a_family_forward() -> None:
    """One source's word on any member is enough for a need; two needs are enough for a family."""
    found = assessed(
        [
            Word(0, "neet", True, "a"),
            Word(0, "neet", False, "b"),
            Word(0, "offence", True, "a"),
            Word(0, "offence", True, "c"),
        ]
    )
    assert found.needs == tuple(NEEDS)
    assert [STATES[state] for state in found.state[0]] == ["met", "met", "unknown"]
    assert found.sources.tolist() == [[1, 2, 0]]
    assert (found.met[0], found.unknown[0], found.flagged[0]) == (2, 1, True)


def test_programme_and_departure_hold_a_family_back() -> None:
    """Neither a family in the programme nor one that has left is put forward."""
    words = [Word(0, "neet", True, "a"), Word(0, "offence", True, "a")]
    assert not assessed(words, resident=False).flagged[0]
    enrolled = [*words, Word(0, IN_PROGRAMME, True, "c")]
    assert not assessed(enrolled).flagged[0]
    assert assessed([*words, Word(0, IN_PROGRAMME, False, "c")]).flagged[0]


@given(st.lists(WORDS, max_size=20), st.integers(1, 3))
def test_unknown_means_that_nobody_spoke(words: list[Word], minimum: int) -> None:
    """For any words: each family stands for itself, unknown exactly where nobody spoke of it."""
    found = assessed(words, minimum, families=3)
    for family in range(3):
        for at, need in enumerate(NEEDS):
            spoken = [w for w in words if (w.family, w.indicator) == (family, need)]
            met = any(word.met for word in spoken)
            state = "unknown" if not spoken else "met" if met else "unmet"
            assert STATES[found.state[family, at]] == state
            agreeing = {word.source for word in spoken if word.met or not met}
            assert found.sources[family, at] == len(agreeing)
        enrolled = any(w.met for w in words if (w.family, w.indicator) == (family, IN_PROGRAMME))
        assert found.flagged[family] == (found.met[family] >= minimum and not enrolled)
    assert all(sum(states.values()) == 3 for states in prevalence(found).values())
