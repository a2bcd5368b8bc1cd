"""Clusters of a weighted graph: components, then average linkage inside each. Deterministic."""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components as scipy_components
from scipy.spatial.distance import squareform

from linkage_hub.linkage.candidates import Floats, Indices

LARGEST_COMPONENT = 2_000  # nodes; a dense matrix of this side is 32 MB
STRICTER = (0.25, 0.5, 0.75, 0.9, 0.99)  # weights that cut larger components first
PAIR = 2


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in groups, with weighted edges.

    Attributes:
        group: group of each node, int64 (n,).
        left: one end of each edge, int64 (m,).
        right: the other end, int64 (m,).
        weight: of each edge, in [-1, 1], float64 (m,).
        absent: weight of two nodes without an edge, by their groups, float64 (g, g).
    """

    group: Indices
    left: Indices
    right: Indices
    weight: Floats
    absent: Floats


def connected_components(left: Indices, right: Indices, size: int) -> Indices:
    """Component number of each of ``size`` nodes, int64."""
    ones = np.ones(len(left), dtype=np.int8)
    graph = coo_array((ones, (left, right)), shape=(size, size)).tocsr()
    _, labels = scipy_components(graph, directed=False)
    return np.asarray(labels, dtype=np.int64)


def first_seen(labels: Indices) -> Indices:
    """The same partition, numbered from 0 in order of first appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse]


def clusters(graph: Graph) -> Indices:
    """Components over edges of positive weight, split by average linkage.

    Parts of a component are merged, nearest first, while their mean weight is above zero.

    Returns:
        Cluster number of each node, int64 (n,).
    """
    matched = graph.weight > 0
    component = connected_components(graph.left[matched], graph.right[matched], len(graph.group))
    return _refined(graph, component)


def _refined(graph: Graph, component: Indices) -> Indices:
    inside = component[graph.left] == component[graph.right]
    left, right, weight = graph.left[inside], graph.right[inside], graph.weight[inside]
    by_component = np.argsort(component[left], kind="stable")
    left, right, weight = left[by_component], right[by_component], weight[by_component]
    numbers = np.arange(int(component.max(initial=-1)) + 2)
    order = np.argsort(component, kind="stable")
    starts = np.searchsorted(component[order], numbers)
    position = np.empty(len(component), dtype=np.int64)
    position[order] = np.arange(len(component)) - starts[component[order]]
    edge_starts = np.searchsorted(component[left], numbers)
    labels = np.empty(len(component), dtype=np.int64)
    used = 0
    for number in range(len(numbers) - 1):
        nodes = order[starts[number] : starts[number + 1]]
        if len(nodes) <= PAIR:
            labels[nodes] = used
            used += 1
            continue
        edges = slice(edge_starts[number], edge_starts[number + 1])
        part = Graph(
            graph.group[nodes],
            position[left[edges]],
            position[right[edges]],
            weight[edges],
            graph.absent,
        )
        found = _split(part)
        labels[nodes] = used + found
        used += int(found.max()) + 1
    return labels


def _split(part: Graph) -> Indices:
    size = len(part.group)
    if size > LARGEST_COMPONENT:
        return _split_large(part)
    matrix = part.absent[np.ix_(part.group, part.group)]
    matrix[part.left, part.right] = part.weight
    matrix[part.right, part.left] = part.weight
    np.fill_diagonal(matrix, 1.0)
    if (matrix > 0).all():
        return np.zeros(size, dtype=np.int64)
    distance = np.maximum(1.0 - matrix, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    found = fcluster(tree, t=np.nextafter(1.0, 0.0), criterion="distance")
    return first_seen(np.asarray(found, dtype=np.int64))


def _split_large(part: Graph) -> Indices:
    """Cut a component that is too large to be a person by stricter edges, then refine."""
    component = np.arange(len(part.group))
    for limit in STRICTER:
        strong = part.weight > limit
        component = connected_components(part.left[strong], part.right[strong], len(part.group))
        if np.bincount(component).max() <= LARGEST_COMPONENT:
            return _refined(part, component)
    return component
