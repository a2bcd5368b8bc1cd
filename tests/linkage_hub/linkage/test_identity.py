"""Ids persist: each cluster keeps the id that most of its members had, and no stranger gets it."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkage_hub.linkage.identity import CarriedIds, IdEvent, KnownIds, carry

Clusters = list[list[str]]


class Names:
    """New ids that count up."""

    def __init__(self) -> None:
        self._given = 0

    def __call__(self, count: int) -> list[str]:
        """The next ids."""
        self._given += count
        return [f"n{at:03}" for at in range(self._given - count, self._given)]


def carried(previous: dict[str, str], clusters: Clusters) -> CarriedIds:
    """Ids of clusters of two-letter members."""
    members = [member for cluster in clusters for member in cluster]
    number = [at for at, cluster in enumerate(clusters) for _ in cluster]
    known = KnownIds.of(np.array(list(previous), "S2"), np.array(list(previous.values()), "S4"))
    return carry(
        known, np.array(members, "S2"), np.array(number, dtype=np.int64), len(clusters), Names()
    )


def test_the_larger_part_keeps_the_id() -> None:
    """A person that is split leaves its id to the larger part, and the change is told."""
    found = carried({"a1": "p1", "a2": "p1", "a3": "p1"}, [["a3"], ["a1", "a2"]])
    assert found.ids == ["n000", "p1"]
    assert found.changes == [
        IdEvent("merge", "n000", ("p1",)),
        IdEvent("split", "p1", ("n000",)),
    ]
    assert found.new == []


def test_two_that_become_one_keep_the_id_of_more_members() -> None:
    """A merge is told under the id that stays; strangers are new."""
    found = carried({"a1": "p1", "b1": "p2", "b2": "p2"}, [["a1", "b1", "b2"], ["c1"]])
    assert found.ids == ["p2", "n000"]
    assert found.changes == [IdEvent("merge", "p2", ("p1",))]
    assert found.new == ["n000"]


def test_the_first_run_gives_new_ids_only() -> None:
    """Without a run before, every cluster is new, an empty one too."""
    found = carry(KnownIds.none(), np.array(["b1", "a1"], "S2"), np.array([0, 2]), 3, Names())
    assert found.ids == ["n001", "n002", "n000"]
    assert found.new == ["n000", "n001", "n002"]


MEMBERS = [f"{letter}{digit}" for letter in "abc" for digit in range(4)]
GROUPINGS = st.lists(st.integers(0, 5), min_size=len(MEMBERS), max_size=len(MEMBERS))


@given(GROUPINGS, GROUPINGS)
def test_ids_are_those_of_the_rule_followed_step_by_step(before: list[int], now: list[int]) -> None:
    """Largest overlap first, ties by id and smallest member; the members' order means nothing.

    The rule is followed here member by member, as it is written in the module.
    """
    previous = {m: f"p{g}" for m, g in zip(MEMBERS, before, strict=True) if g < 5}
    clusters: Clusters = [
        [m for m, g in zip(MEMBERS, now, strict=True) if g == group] for group in range(6)
    ]
    expected = by_the_rule(previous, clusters)
    mixed = [sorted(cluster, reverse=True) for cluster in clusters]
    for found in (carried(previous, clusters), carried(previous, mixed)):
        assert [name if name[0] == "p" else None for name in found.ids] == expected
        assert len(set(found.ids)) == len(clusters)
        told = {event.id for event in found.changes if event.kind == "split"}
        assert told == {
            old
            for old in set(previous.values())
            if sum(any(previous.get(m) == old for m in cluster) for cluster in clusters) > 1
        }


def by_the_rule(previous: dict[str, str], clusters: Clusters) -> list[str | None]:
    """The old id that each cluster keeps."""
    claims = sorted(
        (-count, old, min(cluster), at)
        for at, cluster in enumerate(clusters)
        for old, count in Counter(previous[m] for m in cluster if m in previous).items()
    )
    kept: dict[int, str] = {}
    for _, old, _, at in claims:
        if at not in kept and old not in kept.values():
            kept[at] = old
    return [kept.get(at) for at in range(len(clusters))]
