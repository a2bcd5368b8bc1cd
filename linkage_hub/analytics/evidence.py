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


def write_links(
    connection: Connection, run: str, sources: Sequence[SourceData], linked: LinkResult
) -> None:
    """Store a run's pairs.

    Args:
        connection: in a write transaction.
        run: a run's id.
        sources: in the order of ``linked``.
        linked: persons.
    """
    columns = ("run", "left", "right", "similarity", "probability")
    rows = (row for pair in linked.pairs for row in _rows(run, sources, linked, pair))
    insert_rows(connection, links, columns, rows)


def _rows(
    run: str, sources: Sequence[SourceData], linked: LinkResult, pair: SourcePair
) -> Iterator[tuple[Any, ...]]:
    same = linked.person_of[pair.first][pair.left] == linked.person_of[pair.second][pair.right]
    kept = np.flatnonzero(same | (pair.probability >= NEAR))
    one, other = sources[pair.first], sources[pair.second]
    for start in range(0, len(kept), _AT_ONCE):
        at = kept[start : start + _AT_ONCE]
        left, right = pair.left[at], pair.right[at]
        alike: Sequence[float | None] = [None] * len(at)
        if pair.first != pair.second:
            alike = _similarity(one, other, left, right).round(2).tolist()
        for mine, theirs, similarity, probability in zip(
            _hex(one, left), _hex(other, right), alike, pair.probability[at].tolist(), strict=True
        ):
            yield run, min(mine, theirs), max(mine, theirs), similarity, round(probability, 4)


def _similarity(one: SourceData, other: SourceData, left: Indices, right: Indices) -> Floats:
    """Of the full encodings: Dice where there is one view, of several the share of equal bits."""
    pairs = np.arange(len(left))
    found = view_similarities(one.encodings[:, left], other.encodings[:, right], pairs, pairs)
    return np.asarray(found[:, 0])


def _hex(source: SourceData, rows: Indices) -> list[str]:
    words = source.handles[rows].tobytes().hex()
    return [words[at : at + 32] for at in range(0, len(words), 32)]
