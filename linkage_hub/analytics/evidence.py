"""The pairs of records that a run weighed, as far as they are kept for analysts.

Rules: kept is every pair within a person, and of the others those from ``NEAR`` on, with the
probability that the run gave it and how alike the full encodings are; two records of one source
are compared by its agent alone, so of those there is its probability and no similarity. Nothing of
it is a value, and a pair goes with either of its records.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from linkage_hub.linkage.candidates import Floats, Indices, view_similarities
from linkage_hub.linkage.persons import LinkResult, SourcePair
from linkage_hub.runs.inputs import SourceData
from linkage_hub.store.bulk import insert_rows
from linkage_hub.store.tables import links

NEAR: Final = 0.1
"""Probability from which a pair of two persons is kept."""
_AT_ONCE: Final = 200_000  # pairs whose encodings are read together: 50 MB


@dataclass(frozen=True, slots=True)
class Weighed:
    """Every pair of records that competed to be a match, over all sources.

    Attributes:
        left, right: record numbers over all sources, int64 (k,).
        probability: of being one person, float64 (k,).
        inside: whether both are of one source, bool (k,).
    """

    left: Indices
    right: Indices
    probability: Floats
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, linked: LinkResult) -> "Weighed":
        """Of a run's persons."""
        start = offsets_of(linked)
        none = np.empty(0, dtype=np.int64)
        return cls(
            np.concatenate([none, *(pair.left + start[pair.first] for pair in linked.pairs)]),
            np.concatenate([none, *(pair.right + start[pair.second] for pair in linked.pairs)]),
            np.concatenate([np.empty(0), *(pair.probability for pair in linked.pairs)]),
            np.concatenate(
                [
                    np.empty(0, dtype=np.bool_),
                    *(np.full(len(pair.left), pair.first == pair.second) for pair in linked.pairs),
                ]
            ),
        )


def offsets_of(linked: LinkResult) -> Indices:
    """Number of each source's first record, and of all at the end."""
    counts = [len(persons) for persons in linked.person_of]
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class KeptPairs:
    """The pairs of two sources, or of one, that are kept.

    Attributes:
        first, second: numbers of the sources.
        left, right: their rows, int64 (k,).
        similarity: to two places, float64 (k,); None within a source.
        probability: float64 (k,).
    """

    first: int
    second: int
    left: Indices
    right: Indices
    similarity: Floats | None
    probability: Floats


def pairs_to_keep(sources: Sequence[SourceData], linked: LinkResult) -> list[KeptPairs]:
    """Of a run's pairs those that are kept; ``sources`` in the order of ``linked``."""
    return [_kept(sources, linked, pair) for pair in linked.pairs]


def _kept(sources: Sequence[SourceData], linked: LinkResult, pair: SourcePair) -> KeptPairs:
    same = linked.person_of[pair.first][pair.left] == linked.person_of[pair.second][pair.right]
    at = np.flatnonzero(same | (pair.probability >= NEAR))
    left, right = pair.left[at], pair.right[at]
    alike = None
    if pair.first != pair.second:
        alike = _similarity(sources[pair.first], sources[pair.second], left, right).round(2)
    return KeptPairs(pair.first, pair.second, left, right, alike, pair.probability[at])


def write_links(
    connection: Connection, run: str, sources: Sequence[SourceData], kept: Sequence[KeptPairs]
) -> None:
    """Store a run's pairs.

    Args:
        connection: in a write transaction.
        run: a run's id.
        sources: in the order of the run's persons.
        kept: of these sources.
    """
    columns = ("run", "left", "right", "similarity", "probability")
    rows = (row for pairs in kept for row in _rows(run, sources, pairs))
    insert_rows(connection, links, columns, rows)


def _rows(run: str, sources: Sequence[SourceData], pairs: KeptPairs) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(pairs.left), _AT_ONCE):
        at = slice(start, start + _AT_ONCE)
        mine = _hex(sources[pairs.first], pairs.left[at])
        theirs = _hex(sources[pairs.second], pairs.right[at])
        alike: Sequence[float | None] = [None] * len(mine)
        if pairs.similarity is not None:
            alike = pairs.similarity[at].tolist()
        probability = pairs.probability[at].tolist()
        for one, other, similarity, likely in zip(mine, theirs, alike, probability, strict=True):
            yield run, min(one, other), max(one, other), similarity, round(likely, 4)


def _similarity(one: SourceData, other: SourceData, left: Indices, right: Indices) -> Floats:
    """Of the full encodings: Dice where there is one view, of several the share of equal bits."""
    found = np.empty(len(left))
    for start in range(0, len(left), _AT_ONCE):
        at = slice(start, start + _AT_ONCE)
        pairs = np.arange(len(left[at]))
        alike = view_similarities(
            one.encodings[:, left[at]], other.encodings[:, right[at]], pairs, pairs
        )
        found[at] = alike[:, 0]
    return found


def _hex(source: SourceData, rows: Indices) -> list[str]:
    words = source.handles[rows].tobytes().hex()
    return [words[at : at + 32] for at in range(0, len(words), 32)]
