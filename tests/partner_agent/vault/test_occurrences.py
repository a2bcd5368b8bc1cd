"""Rows of one record id are numbered as they come."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from partner_agent.vault.occurrences import Occurrences


@given(st.lists(st.lists(st.integers(0, 9), max_size=12), max_size=6))
def test_numbers_equal_the_plain_definition(chunks: list[list[int]]) -> None:
    """Law: a row's number is how many rows of its id came before, in whatever chunks."""
    seen: Counter[int] = Counter()
    found = Occurrences()
    for chunk in chunks:
        wanted = []
        for each in chunk:
            wanted.append(seen[each])
            seen[each] += 1
        assert found.number([bytes([each]) * 32 for each in chunk]) == wanted
