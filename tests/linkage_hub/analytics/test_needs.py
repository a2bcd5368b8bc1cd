"""Needs are met, unmet or unknown, and unknown is never taken for unmet."""

from hypothesis import given
from hypothesis import strategies as st

from linkage_hub.analytics.needs import IN_PROGRAMME, Evidence, assess, prevalence

NEEDS = ["neet", "offence", "out_of_work"]
EVIDENCE = st.builds(
    Evidence,
    indicator=st.sampled_from([*NEEDS, IN_PROGRAMME, "other"]),
    met=st.booleans(),
    source=st.sampled_from(["a", "b", "c"]),
)


def test_two_needs_put_a_family_forward() -> None:
    """One source's word on any member is enough for a need; two needs are enough for a family."""
    found = assess(
        [Evidence("neet", True, "a"), Evidence("neet", False, "b"), Evidence("offence", True, "a")],
        NEEDS,
        2,
        resident=True,
    )
    assert [(need.id, need.state, need.sources) for need in found.needs] == [
        ("neet", "met", 1),
        ("offence", "met", 1),
        ("out_of_work", "unknown", 0),
    ]
    assert (found.met, found.unknown, found.flagged) == (2, 1, True)


def test_programme_and_departure_hold_a_family_back() -> None:
    """Neither a family in the programme nor one that has left is put forward."""
    evidence = [Evidence("neet", True, "a"), Evidence("offence", True, "a")]
    assert not assess(evidence, NEEDS, 2, resident=False).flagged
    enrolled = [*evidence, Evidence(IN_PROGRAMME, True, "c")]
    assert not assess(enrolled, NEEDS, 2, resident=True).flagged


@given(st.lists(EVIDENCE, max_size=12), st.integers(1, 3))
def test_unknown_means_that_nobody_spoke(evidence: list[Evidence], minimum: int) -> None:
    """For any evidence: unknown exactly without evidence; flagged exactly at the minimum."""
    found = assess(evidence, NEEDS, minimum, resident=True)
    for need in found.needs:
        spoken = [item for item in evidence if item.indicator == need.id]
        assert (need.state == "unknown") == (not spoken)
        assert (need.state == "met") == any(item.met for item in spoken)
    assert found.flagged == (found.met >= minimum and not found.in_programme)
    counts = prevalence([found])
    assert all(sum(states.values()) == 1 for states in counts.values())
