"""Clusters by anonlink's own solver, for a run that asks for it (docs/adr/0011-persons.md).

1. Anonlink groups the edges of positive weight, heaviest first: two groups are merged where at
   least half of the pairs between them are edges, and no group holds two nodes of a source.
2. Rulings bind as they do in ``clustering``: groups that a ruling binds are one, and two nodes
   that a ruling keeps apart are apart, whatever anonlink said.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
from anonlink.solving import probabilistic_greedy_solve

from linkage_hub.linkage.candidates import Indices, anonlink_arrays
from linkage_hub.linkage.clustering import Clusters, Graph, clusters


def anonlink_clusters(graph: Graph) -> Clusters:
    """The groups of anonlink's probabilistic greedy solver, under rulings."""
    pairs = _within(_groups(graph))
    return clusters(
        replace(
            graph,
            left=pairs[:, 0],
            right=pairs[:, 1],
            weight=np.ones(len(pairs)),
            absent=np.zeros_like(graph.absent),  # what a ruling binds brings its whole group
        )
    )


def _groups(graph: Graph) -> list[list[int]]:
    """Nodes of each of anonlink's groups."""
    matched = graph.weight > 0
    turned = graph.group[graph.left] > graph.group[graph.right]
    left = np.where(turned, graph.right, graph.left)[matched]
    right = np.where(turned, graph.left, graph.right)[matched]
    # of two equal edges the last counts
    key = left[::-1] * np.int64(len(graph.group)) + right[::-1]
    last = len(key) - 1 - np.unique(key, return_index=True)[1]
    left, right, weight = left[last], right[last], graph.weight[matched][last]
    found = probabilistic_greedy_solve(
        anonlink_arrays(weight, graph.group[left], graph.group[right], left, right)
    )
    return [[node for _, node in group] for group in found]


def _within(groups: list[list[int]]) -> Indices:
    """Every pair of nodes of one group, int64 (k, 2)."""
    pairs = [pair for group in groups for pair in combinations(sorted(group), 2)]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
