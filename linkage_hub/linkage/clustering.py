"""Clusters of a weighted graph under rulings. Deterministic; compiled; one pass over components.

1. Nodes that a ruling binds together are one from the start; a ruling to keep two apart is never
   broken: where rulings contradict each other, apart prevails and the other is reported.
2. Connected components over edges of positive weight.
3. Inside each, average linkage: the two nearest parts are merged while the mean weight between
   them is above zero, so that one wrong pair does not chain two persons together. By the
   nearest-neighbour chain (Benzecri 1982; Murtagh 1983), which gives the same parts in time
   quadratic in the component.
4. A component too large for that is cut by stricter edges first, and where none cuts it, its pairs
   are taken one by one (``large``).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components as scipy_components

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.large import strongest_first

LARGEST_COMPONENT = 2_000  # nodes; a dense matrix of this side is 32 MB
STRICTER = (0.25, 0.5, 0.75, 0.9, 0.99)  # weights that cut larger components first
APART = -1e9  # weight of two nodes that a ruling keeps apart: no mean over a component is positive
TOGETHER = 2.0  # weight of an edge that a ruling makes: above every other


def _no_pairs() -> Indices:
    return np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in groups, with weighted edges.

    Attributes:
        group: group of each node, int64 (n,).
        left: one end of each edge, int64 (m,).
        right: the other end, int64 (m,).
        weight: of each edge, in [-1, 1], float64 (m,); of two equal edges the last counts.
        absent: weight of two nodes without an edge, by their groups, float64 (g, g).
        together: pairs of nodes that are one, int64 (k, 2).
        apart: pairs of nodes that are not, int64 (k, 2).
    """

    group: Indices
    left: Indices
    right: Indices
    weight: Floats
    absent: Floats
    together: Indices = field(default_factory=_no_pairs)
    apart: Indices = field(default_factory=_no_pairs)


@dataclass(frozen=True, slots=True)
class Clusters:
    """What was found.

    Attributes:
        label: cluster of each node, numbered from 0 in order of first appearance, int64 (n,).
        conflicts: rows of ``together`` that were not followed, since that would have brought
            together two nodes that a ruling keeps apart, int64 (k,).
    """

    label: Indices
    conflicts: Indices


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


def clusters(graph: Graph) -> Clusters:
    """Components over edges of positive weight, split by average linkage."""
    bound, conflicts = bind(graph.together, graph.apart)
    matched = graph.weight > 0
    component = connected_components(
        np.concatenate([graph.left[matched], bound[:, 0]]),
        np.concatenate([graph.right[matched], bound[:, 1]]),
        len(graph.group),
    )
    ruled = _with_rulings(graph, bound)
    return Clusters(first_seen(_refined(ruled, component)), conflicts)


def bind(together: Indices, apart: Indices) -> tuple[Indices, Indices]:
    """The rulings that can be followed, in order, and the numbers of those that cannot.

    Args:
        together: pairs of nodes, int64 (k, 2); an earlier ruling comes first.
        apart: pairs of nodes, int64 (k, 2).
    """
    root: dict[int, int] = {}
    foes: dict[int, set[int]] = {}

    def find(node: int) -> int:
        while root.setdefault(node, node) != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for one, other in apart.tolist():
        foes.setdefault(one, set()).add(other)
        foes.setdefault(other, set()).add(one)
    conflicts = []
    for number, (one, other) in enumerate(together.tolist()):
        a, b = find(one), find(other)
        if a == b:
            continue
        if _hostile(foes.get(a, set()), b, find) or _hostile(foes.get(b, set()), a, find):
            conflicts.append(number)
            continue
        root[b] = a
        foes.setdefault(a, set()).update(foes.pop(b, set()))
    refused = np.array(conflicts, dtype=np.int64)
    return np.delete(together, refused, axis=0), refused


def parted(together: Indices, apart: Indices) -> Indices:
    """Pairs that rulings keep apart, those that follow included: of a = b, b not c, also a and c.

    Args:
        together: pairs of nodes, int64 (k, 2); an earlier ruling comes first.
        apart: pairs of nodes, int64 (k, 2).
    """
    bound, _ = bind(together, apart)
    nodes, place = np.unique(np.concatenate([bound, apart]), return_inverse=True)
    ends = place.reshape(-1, 2)
    one, other = ends[: len(bound)].T
    whole = connected_components(one, other, len(nodes))
    members = [nodes[whole == each] for each in range(int(whole.max(initial=-1)) + 1)]
    found = [
        np.stack(np.meshgrid(members[a], members[b]), axis=-1).reshape(-1, 2)
        for a, b in np.unique(whole[ends[len(bound) :]], axis=0).tolist()
    ]
    return np.concatenate([_no_pairs(), *found])


def _hostile(foes: Iterable[int], against: int, find: Callable[[int], int]) -> bool:
    return any(find(foe) == against for foe in foes)


def _with_rulings(graph: Graph, bound: Indices) -> Graph:
    """Rulings as the last edges, so that they prevail over what was measured."""
    ends = np.concatenate([bound, graph.apart])
    weight = np.repeat([TOGETHER, APART], [len(bound), len(graph.apart)])
    return Graph(
        graph.group,
        np.concatenate([graph.left, ends[:, 0]]),
        np.concatenate([graph.right, ends[:, 1]]),
        np.concatenate([graph.weight, weight]),
        graph.absent,
    )


def _refined(graph: Graph, component: Indices, limits: Sequence[float] = STRICTER) -> Indices:
    """Labels of the parts of every component; larger ones are cut by ``limits`` first."""
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
    used = _split_all(
        order, starts, graph.group, position[left], position[right], weight, edge_starts,
        graph.absent, LARGEST_COMPONENT, labels,
    )  # fmt: skip
    for number in np.flatnonzero(np.diff(starts) > LARGEST_COMPONENT):
        nodes = order[starts[number] : starts[number + 1]]
        edges = slice(edge_starts[number], edge_starts[number + 1])
        part = Graph(
            graph.group[nodes], position[left[edges]], position[right[edges]], weight[edges],
            graph.absent,
        )  # fmt: skip
        found = _split_large(part, limits)
        labels[nodes] = used + found
        used += int(found.max()) + 1
    return labels


def _split_large(part: Graph, limits: Sequence[float]) -> Indices:
    """Cut a component that is too large to be a person by stricter edges, then refine.

    What a limit makes small enough keeps its weaker edges; only the rest meets the next limit.
    """
    if not limits:
        return strongest_first(
            part.group, part.left, part.right, part.weight, part.absent, TOGETHER, APART
        )
    strong = part.weight > limits[0]
    component = connected_components(part.left[strong], part.right[strong], len(part.group))
    return _refined(part, component, limits[1:])


@numba.njit(cache=True, nogil=True)
def _split_all(
    order: Indices,
    starts: Indices,
    group: Indices,
    left: Indices,
    right: Indices,
    weight: Floats,
    edge_starts: Indices,
    absent: Floats,
    largest: int,
    labels: Indices,
) -> int:  # pragma: no cover - compiled
    """Label every component of at most ``largest`` nodes; how many labels were used."""
    used = 0
    for number in range(len(starts) - 1):
        first, size = starts[number], starts[number + 1] - starts[number]
        if size > largest:
            continue
        if size == 1:
            labels[order[first]] = used
            used += 1
            continue
        mean = np.empty((size, size))
        for a in range(size):
            for b in range(size):
                mean[a, b] = absent[group[order[first + a]], group[order[first + b]]]
        for edge in range(edge_starts[number], edge_starts[number + 1]):
            mean[left[edge], right[edge]] = weight[edge]
            mean[right[edge], left[edge]] = weight[edge]
        parts = _average(mean)
        names = np.full(size, -1, np.int64)
        for a in range(size):
            if names[parts[a]] < 0:
                names[parts[a]] = used
                used += 1
            labels[order[first + a]] = names[parts[a]]
    return used


@numba.njit(cache=True, nogil=True)
def _merge(
    mean: Floats, members: Indices, part: Indices, into: int, gone: int
) -> None:  # pragma: no cover - compiled
    total = members[into] + members[gone]
    for k in range(len(members)):
        if members[k] > 0 and k not in (into, gone):
            both = (members[into] * mean[into, k] + members[gone] * mean[gone, k]) / total
            mean[into, k] = both
            mean[k, into] = both
    members[into] = total
    members[gone] = 0
    for k in range(len(part)):
        if part[k] == gone:
            part[k] = into


@numba.njit(cache=True, nogil=True)
def _bind_all(mean: Floats, members: Indices, part: Indices) -> None:  # pragma: no cover - compiled
    """Make one what rulings bind."""
    bound = mean == TOGETHER  # before means are taken
    for a in range(len(mean)):
        for b in range(a + 1, len(mean)):
            if bound[a, b] and part[a] != part[b]:
                _merge(mean, members, part, min(part[a], part[b]), max(part[a], part[b]))


@numba.njit(cache=True, nogil=True)
def _nearest(
    mean: Floats, open_: NDArray[np.bool_], here: int, before: int
) -> int:  # pragma: no cover - compiled
    """The open part nearest to one; a tie goes to ``before``, so that a chain ends; -1: none."""
    best, nearest = 0.0, -1
    if before >= 0 and mean[here, before] > best:
        best, nearest = mean[here, before], before
    for k in range(len(mean)):
        if open_[k] and k != here and mean[here, k] > best:
            best, nearest = mean[here, k], k
    return nearest


@numba.njit(cache=True, nogil=True)
def _average(mean: Floats) -> Indices:  # pragma: no cover - compiled
    """The part of each node: merged while the mean weight is above zero."""
    size = len(mean)
    part, members = np.arange(size), np.ones(size, np.int64)
    _bind_all(mean, members, part)
    open_ = members > 0
    chain, length = np.empty(size + 1, np.int64), 0
    for start in range(size):
        if not open_[start]:
            continue
        chain[0], length = start, 1
        while length > 0:
            here, before = chain[length - 1], chain[length - 2] if length > 1 else -1
            nearest = _nearest(mean, open_, here, before)
            if nearest < 0:
                open_[here] = False  # nothing else will come nearer than its own nearest
                length -= 1
            elif nearest == before:
                length -= 2
                _merge(mean, members, part, min(here, nearest), max(here, nearest))
                open_[max(here, nearest)] = False
                if length == 0:
                    chain[0], length = min(here, nearest), 1
            else:
                chain[length] = nearest
                length += 1
    return part
