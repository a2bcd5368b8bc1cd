"""Every two records that a run took for one person, and those that it parted, with probabilities.

Rules: records are numbered over all sources in order. Two records of one person have the
probability of the pair itself where the model saw one, else that of the best chain of pairs that
leads from one to the other; where there is none (a ruling joined them) a usual one. A pair that the
model saw and left between two persons is a missed one with its probability, from ``SEEN`` on; a
pair that it did not see counts as none, which is where sentinels have to put it right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNSEEN: Final = 0.9  # probability of a joined pair that the model did not see
SEEN: Final = 0.3
"""Probability from which a parted pair counts as seen. Real people have relatives, sentinels none:
a curve learnt on sentinels would make matches of a real person's many unlikely pairs."""
LARGEST: Final = 64  # records of a person whose chains are followed
_CELLS: Final = 4_000_000  # of the chains' matrix at once


class PairEvidence(Protocol):
    """What the model says of pairs of records between two sources, or within one."""

    @property
    def first(self) -> int:
        """Number of a source."""

    @property
    def second(self) -> int:
        """Number of the other, or the same."""

    @property
    def left(self) -> Indices:
        """Rows of the first, int64 (k,)."""

    @property
    def right(self) -> Indices:
        """Rows of the second, int64 (k,)."""

    @property
    def probability(self) -> Floats:
        """Of being one person, float64 (k,)."""


@dataclass(frozen=True, slots=True)
class RecordPairs:
    """Pairs of records, each once.

    Attributes:
        left, right: record numbers, int64 (n,).
        probability: of being one person, float64 (n,).
        cluster: which pairs stand or fall together, int64 (n,): the person's number.
    """

    left: Indices
    right: Indices
    probability: Floats
    cluster: Indices

    def where(self, mask: Mask) -> "RecordPairs":
        """A subset."""
        return self.at(np.flatnonzero(mask))

    def at(self, chosen: Indices) -> "RecordPairs":
        """Those of some places."""
        return RecordPairs(
            self.left[chosen], self.right[chosen], self.probability[chosen], self.cluster[chosen]
        )

    def __len__(self) -> int:
        return len(self.left)


@dataclass(frozen=True, slots=True)
class _Graph:
    """Evidence in one numbering."""

    left: Indices
    right: Indices
    probability: Floats


def joined_and_parted(
    labels: Indices, offsets: Indices, evidence: Sequence[PairEvidence]
) -> tuple[RecordPairs, RecordPairs]:
    """Pairs within persons, and pairs that the model considered and left.

    Args:
        labels: person of each record over all sources, int64 (n,).
        offsets: where each source's records begin, and their number at the end.
        evidence: by pair of sources.

    Returns:
        The joined pairs, every one; and those that the model saw between two persons.
    """
    graph = _graph(offsets, evidence)
    inside = labels[graph.left] == labels[graph.right]
    seen = ~inside & (graph.probability >= SEEN)
    return _joined(labels, graph, inside), _parted(labels, graph, seen)


def _graph(offsets: Indices, evidence: Sequence[PairEvidence]) -> _Graph:
    if not evidence:
        none = np.empty(0, dtype=np.int64)
        return _Graph(none, none, np.empty(0))
    return _Graph(
        np.concatenate([each.left + offsets[each.first] for each in evidence]).astype(np.int64),
        np.concatenate([each.right + offsets[each.second] for each in evidence]).astype(np.int64),
        np.concatenate([each.probability for each in evidence]).astype(np.float64),
    )


def _joined(labels: Indices, graph: _Graph, inside: Mask) -> RecordPairs:
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    place = np.empty(len(labels), dtype=np.int64)  # of a record within its person
    place[order] = np.arange(len(labels)) - np.repeat(starts[:-1], sizes)
    left, right = graph.left[inside], graph.right[inside]
    probability, person = graph.probability[inside], labels[left]
    by_size = sizes[person]
    parts = []
    for size in np.unique(sizes[sizes > 1]).tolist():
        people = np.flatnonzero(sizes == size)
        row = np.full(len(sizes), -1, dtype=np.int64)
        row[people] = np.arange(len(people))
        mine = by_size == size
        block = _Graph(place[left[mine]], place[right[mine]], probability[mine])
        parts += _of_size(size, people, starts[people], row[person[mine]], block, order)
    if not parts:
        none = np.empty(0, dtype=np.int64)
        return RecordPairs(none, none, np.empty(0), none)
    return RecordPairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _of_size(
    size: int, people: Indices, starts: Indices, row: Indices, graph: _Graph, order: Indices
) -> list[tuple[Indices, Indices, Floats, Indices]]:
    """Pairs of the persons of one size, some persons at a time."""
    one, other = np.triu_indices(size, 1)
    step = max(1, _CELLS // size**2)
    parts = []
    for begin in range(0, len(people), step):
        count = min(step, len(people) - begin)
        chance = np.zeros((count, size, size))
        here = (row >= begin) & (row < begin + count)
        at = (row[here] - begin, graph.left[here], graph.right[here])
        np.maximum.at(chance, at, graph.probability[here])
        chance = np.maximum(chance, chance.transpose(0, 2, 1))
        if size <= LARGEST:
            for middle in range(size):
                through = chance[:, :, middle, None] * chance[:, None, middle, :]
                np.maximum(chance, through, out=chance)
        found = chance[:, one, other]
        found[found == 0.0] = UNSEEN
        first = starts[begin : begin + count, None]
        parts.append(
            (
                order[(first + one).ravel()],
                order[(first + other).ravel()],
                found.ravel(),
                np.repeat(people[begin : begin + count], len(one)),
            )
        )
    return parts


def _parted(labels: Indices, graph: _Graph, outside: Mask) -> RecordPairs:
    left, right = graph.left[outside], graph.right[outside]
    cluster = np.minimum(labels[left], labels[right])
    return RecordPairs(left, right, graph.probability[outside], cluster)
