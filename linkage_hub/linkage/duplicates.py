"""Pairs of records of one source that its agent holds for one person.

The agent compares its own rows in plaintext and says so with the submission; the hub compares no
source with itself, and asks nobody about such pairs (docs/adr/0011-persons.md).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.errors import LinkageError


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Pairs of one source.

    Attributes:
        left, right: record numbers, each pair once, int64 (m,); ``left < right``.
        probability: of being one person, by the agent, float64 (m,), .5 to 1.
    """

    left: Indices
    right: Indices
    probability: Floats

    @classmethod
    def none(cls) -> "Duplicates":
        """No pairs."""
        empty = np.empty(0, dtype=np.int64)
        return cls(empty, empty, np.empty(0))

    def check(self, size: int) -> None:
        """Refuse records that the source does not have.

        Raises:
            LinkageError: a record number is out of range, or a pair is not in order.
        """
        if len(self.left) and (
            self.left.min() < 0 or self.right.max() >= size or (self.left >= self.right).any()
        ):
            raise LinkageError("duplicates name a record that is not there")

    def among(self, kept: NDArray[np.bool_]) -> "Duplicates":
        """The pairs of records that a mask keeps, in their new numbers.

        Args:
            kept: bool (n,), over all records of the source.
        """
        chosen = kept[self.left] & kept[self.right]
        new = np.cumsum(kept) - 1
        return Duplicates(new[self.left[chosen]], new[self.right[chosen]], self.probability[chosen])
