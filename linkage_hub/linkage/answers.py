"""What is known of pairs of records: refinement's decisions and people's rulings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import Indices, PairBlock
from linkage_hub.linkage.errors import LinkageError


@dataclass(frozen=True, slots=True)
class PairAnswers:
    """Pairs of records with a yes (one person) or a no.

    Attributes:
        first, second: dataset numbers, int64 (k,); equal for a pair within one source.
        left, right: record numbers in those datasets, int64 (k,).
        yes: whether the two are one person, bool (k,).
    """

    first: Indices
    second: Indices
    left: Indices
    right: Indices
    yes: NDArray[np.bool_]

    @classmethod
    def none(cls) -> "PairAnswers":
        """No answers."""
        empty = np.empty(0, dtype=np.int64)
        return cls(empty, empty, empty, empty, np.empty(0, dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.yes)

    def check(self, sizes: Sequence[int]) -> None:
        """Refuse records that no dataset has.

        Raises:
            LinkageError: a dataset or record number is out of range.
        """
        counts = np.asarray(sizes, dtype=np.int64)
        for dataset, record in ((self.first, self.left), (self.second, self.right)):
            if not len(dataset):
                continue
            if dataset.min() < 0 or dataset.max() >= len(counts):
                raise LinkageError("an answer names a dataset that is not there")
            if record.min() < 0 or (record >= counts[dataset]).any():
                raise LinkageError("an answer names a record that is not there")

    def joined(self, offsets: Indices) -> tuple[Indices, Indices]:
        """Both ends in one numbering over all datasets, the lower first, int64 (k,) each."""
        left, right = self.left + offsets[self.first], self.right + offsets[self.second]
        return np.minimum(left, right), np.maximum(left, right)


def places(
    blocks: Sequence[PairBlock], answers: PairAnswers, offsets: Indices
) -> list[tuple[Indices, NDArray[np.bool_]]]:
    """For each block the positions of the pairs that were asked about, and their answers.

    Args:
        blocks: candidate pairs.
        answers: about any pairs.
        offsets: number of each dataset's first record over all, int64 (sources + 1,).
    """
    if not len(answers):
        nothing = np.empty(0, dtype=np.int64)
        return [(nothing, nothing.astype(np.bool_)) for _ in blocks]
    total = int(offsets[-1])
    low, high = answers.joined(offsets)
    key = low * total + high
    order = np.argsort(key, kind="stable")
    key, yes = key[order], answers.yes[order]
    found = []
    for block in blocks:
        left = block.left + offsets[block.first]
        right = block.right + offsets[block.second]
        own = np.minimum(left, right) * total + np.maximum(left, right)
        place = np.minimum(np.searchsorted(key, own), len(key) - 1)
        at = np.flatnonzero(key[place] == own)
        found.append((at, yes[place[at]]))
    return found
