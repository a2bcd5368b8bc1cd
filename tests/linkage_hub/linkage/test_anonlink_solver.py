"""Anonlink's solver as a run's choice: its very groups, and rulings that bind all the same."""

from collections import Counter

import numpy as np
from anonlink.solving import probabilistic_greedy_solve
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_hub.linkage.anonlink_solver import anonlink_clusters
from linkage_hub.linkage.candidates import anonlink_arrays
from linkage_hub.linkage.clustering import Graph

SOURCES = 3
OF_A_SOURCE = 4


def graph(
    seed: int, together: list[tuple[int, int]] | None = None, apart: tuple[int, int] | None = None
) -> Graph:
    """Four nodes in each of three sources; half of the pairs between sources have an edge."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(SOURCES), OF_A_SOURCE)
    left, right = np.triu_indices(len(group), 1)
    kept = (group[left] != group[right]) & (random.random(len(left)) < 0.5)
    return Graph(
        group,
        left[kept],
        right[kept],
        random.uniform(-0.5, 1.0, int(kept.sum())),
        np.full((SOURCES, SOURCES), -0.9),
        np.array(together or [], dtype=np.int64).reshape(-1, 2),
        np.array([apart] if apart else [], dtype=np.int64).reshape(-1, 2),
    )


@settings(deadline=None)  # the first example compiles
@given(st.integers(0, 10_000))
def test_groups_are_anonlinks(seed: int) -> None:
    """Without rulings the clusters are what anonlink makes of the edges of positive weight."""
    given_ = graph(seed)
    label = anonlink_clusters(given_).label
    kept = given_.weight > 0
    left, right = given_.left[kept], given_.right[kept]
    own = anonlink_arrays(given_.weight[kept], given_.group[left], given_.group[right], left, right)
    expected = np.arange(len(given_.group))
    for group in probabilistic_greedy_solve(own):
        nodes = [node for _, node in group]
        expected[nodes] = min(nodes)
    assert len(set(zip(label, expected, strict=True))) == len(set(label)) == len(set(expected))
    assert max(Counter(zip(label, given_.group, strict=True)).values()) == 1


@settings(deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(SOURCES * OF_A_SOURCE)))
def test_rulings_bind(seed: int, order: list[int]) -> None:
    """What a ruling binds is one with its whole group; what one keeps apart is apart."""
    a, b, c, d = order[:4]
    plain = anonlink_clusters(graph(seed)).label
    found = anonlink_clusters(graph(seed, [(a, b)], (c, d))).label
    assert found[a] == found[b]
    assert found[c] != found[d]
    if plain[c] != plain[d] and {plain[a], plain[b]} != {plain[c], plain[d]}:
        assert len(set(found[np.isin(plain, plain[[a, b]])])) == 1


def test_of_two_equal_edges_the_last_counts() -> None:
    """As in average linkage: an entry's pairs come in order of their weight."""
    two = Graph(
        np.array([0, 1]),
        np.array([0, 0]),
        np.array([1, 1]),
        np.array([0.2, 0.9]),
        np.full((2, 2), -0.9),
    )
    assert len(set(anonlink_clusters(two).label)) == 1


def test_nothing_to_solve() -> None:
    """Nodes without an edge stay alone."""
    empty = np.empty(0, dtype=np.int64)
    alone = Graph(np.array([0, 1]), empty, empty, np.empty(0), np.full((2, 2), -0.9))
    assert anonlink_clusters(alone).label.tolist() == [0, 1]
