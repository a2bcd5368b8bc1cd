"""Clusters: average linkage as the reference has it, rulings, order."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from linkage_hub.linkage import clustering
from linkage_hub.linkage.clustering import Graph, bind, clusters, first_seen

Edges = list[tuple[int, int, float]]
Ends = Sequence[tuple[int, int]]


def graph(
    size: int, weights: Edges, together: Ends = (), apart: Ends = (), absent: float = -0.9
) -> Graph:
    """A graph over one group."""
    pairs = np.array([(a, b) for a, b, _ in weights], dtype=np.int64).reshape(-1, 2)
    return Graph(
        np.zeros(size, dtype=np.int64),
        pairs[:, 0],
        pairs[:, 1],
        np.array([weight for _, _, weight in weights], dtype=np.float64),
        np.full((1, 1), absent),
        np.array(together, dtype=np.int64).reshape(-1, 2),
        np.array(apart, dtype=np.int64).reshape(-1, 2),
    )


def dense(seed: int, size: int) -> Edges:
    """Weights of every pair, without ties."""
    random = np.random.default_rng(seed)
    return [(a, b, float(random.uniform(-1, 1))) for a in range(size) for b in range(a + 1, size)]


def same(one: Any, other: Any) -> bool:
    """Whether two labellings are one partition."""
    return np.array_equal(first_seen(np.asarray(one)), first_seen(np.asarray(other)))


@settings(deadline=None)  # the first example compiles
@given(st.integers(0, 10_000), st.integers(2, 14))
def test_parts_are_those_of_average_linkage(seed: int, size: int) -> None:
    """Inside a component the parts are scipy's average linkage, cut where the mean is zero."""
    weights = dense(seed, size)
    matrix = np.zeros((size, size))
    for a, b, weight in weights:
        matrix[a, b] = matrix[b, a] = 1.0 - weight
    tree = linkage(squareform(matrix, checks=False), method="average")
    expected = fcluster(tree, t=np.nextafter(1.0, 0.0), criterion="distance")
    assert same(clusters(graph(size, weights)).label, expected)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 14))
def test_the_order_of_nodes_and_edges_does_not_matter(seed: int, size: int) -> None:
    """The same graph under other numbers gives the same parts."""
    random = np.random.default_rng(seed + 1)
    weights = dense(seed, size)
    number = random.permutation(size)
    moved = [(int(number[a]), int(number[b]), weight) for a, b, weight in weights]
    random.shuffle(moved)
    label = clusters(graph(size, weights)).label
    assert same(label, clusters(graph(size, moved)).label[number])


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.integers(3, 12), st.data())
def test_rulings_are_honoured(seed: int, size: int, data: st.DataObject) -> None:
    """What is bound is together, what is kept apart is not, whatever was measured."""
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(
        lambda ends: ends[0] != ends[1]
    )
    together = data.draw(st.lists(pair, max_size=4))
    apart = data.draw(st.lists(pair, max_size=4))
    found = clusters(graph(size, dense(seed, size), together, apart))
    for number, (a, b) in enumerate(together):
        assert number in found.conflicts or found.label[a] == found.label[b]
    for a, b in apart:
        assert found.label[a] != found.label[b]


def test_a_ruling_brings_together_what_no_pair_connects() -> None:
    """Two records without a candidate pair become one person when a ruling says so."""
    found = clusters(graph(4, [(0, 1, 0.9)], together=[(2, 3)]))
    assert found.label.tolist() == [0, 0, 1, 1]
    assert not len(found.conflicts)


def test_contradicting_rulings_are_reported_and_apart_prevails() -> None:
    """Of a=b, b=c and a not c the later binding is given up and named."""
    kept, refused = bind(
        np.array([[0, 1], [1, 2]], dtype=np.int64), np.array([[0, 2]], dtype=np.int64)
    )
    assert kept.tolist() == [[0, 1]]
    assert refused.tolist() == [1]


def test_one_wrong_pair_does_not_chain_two_persons() -> None:
    """Two persons of four records stay two though one pair across looks like a match."""
    one = [(a, b, 0.9) for a in range(4) for b in range(a + 1, 4)]
    two = [(a + 4, b + 4, 0.9) for a, b, _ in one]
    assert clusters(graph(8, [*one, *two, (3, 4, 0.9)])).label.tolist() == [0] * 4 + [1] * 4


def test_duplicates_within_a_source_are_kept_together() -> None:
    """Two records of one source that agree with each other and with a third are one person."""
    found = clusters(graph(3, [(0, 1, 0.8), (0, 2, 0.9), (1, 2, 0.0)]))
    assert found.label.tolist() == [0, 0, 0]


def test_a_component_too_large_is_cut_by_stricter_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two groups held together by a weak edge are parted before any matrix is made."""
    monkeypatch.setattr(clustering, "LARGEST_COMPONENT", 5)
    one = [(a, b, 0.9) for a in range(4) for b in range(a + 1, 4)]
    two = [(a + 4, b + 4, 0.9) for a, b, _ in one]
    assert clusters(graph(8, [*one, *two, (3, 4, 0.1)])).label.tolist() == [0] * 4 + [1] * 4


def test_what_one_limit_makes_small_enough_keeps_its_weaker_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A person of middling pairs is not torn where another group has to be cut further."""
    monkeypatch.setattr(clustering, "LARGEST_COMPONENT", 5)
    person = [(a, b, 0.4) for a in range(4) for b in range(a + 1, 4)]
    one = [(a + 4, b + 4, 0.9) for a, b, _ in person]
    two = [(a + 8, b + 8, 0.9) for a, b, _ in person]
    found = clusters(graph(12, [*person, *one, *two, (3, 4, 0.1), (7, 8, 0.6)]))
    assert found.label.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def certain(seed: int, size: int) -> Edges:
    """Weights that no stricter edge cuts, of most pairs; some of the others speak against."""
    random = np.random.default_rng(seed)
    return [
        (a, b, float(random.uniform(0.991, 1.0) if random.random() < 0.7 else -0.5))
        for a, b, _ in dense(seed, size)
        if random.random() < 0.9
    ]


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.integers(3, 12), st.data())
def test_rulings_are_honoured_in_a_component_that_nothing_cuts(
    seed: int, size: int, data: st.DataObject
) -> None:
    """Where all pairs look certain and no matrix is made, apart is apart and bound is bound."""
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(
        lambda ends: ends[0] != ends[1]
    )
    together = data.draw(st.lists(pair, max_size=4))
    apart = data.draw(st.lists(pair, min_size=1, max_size=4))
    weights = certain(seed, size)
    random = np.random.default_rng(seed)
    number = random.permutation(size)
    moved = [(int(number[a]), int(number[b]), weight) for a, b, weight in weights]
    random.shuffle(moved)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clustering, "LARGEST_COMPONENT", 2)
        found = clusters(graph(size, weights, together, apart))
        again = clusters(
            graph(
                size,
                moved,
                [(int(number[a]), int(number[b])) for a, b in together],
                [(int(number[a]), int(number[b])) for a, b in apart],
            )
        )
    for row, (a, b) in enumerate(together):
        assert row in found.conflicts or found.label[a] == found.label[b]
    for a, b in apart:
        assert found.label[a] != found.label[b]
    assert same(found.label, again.label[number])


def test_two_entries_of_a_source_stay_two_in_a_component_that_nothing_cuts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A chain of certain pairs through another source does not make one of what a source parts."""
    monkeypatch.setattr(clustering, "LARGEST_COMPONENT", 2)
    chain = Graph(
        np.array([0, 1, 0, 1]),  # two persons, each once in either source
        np.array([0, 2, 2]),
        np.array([1, 3, 1]),
        np.array([1.0, 1.0, 0.995]),
        np.full((2, 2), -0.98),
    )
    assert clusters(chain).label.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("size", [0, 1, 3])
def test_without_edges_everyone_is_alone(size: int) -> None:
    """No pairs, no persons of two records."""
    assert clusters(graph(size, [])).label.tolist() == list(range(size))
