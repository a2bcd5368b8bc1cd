"""Pairs of records of one source that its agent holds for one person.

The agent compares its own rows in plaintext and says so with the submission; the hub compares no
source with itself, and asks nobody about such pairs (docs/adr/0011-persons.md).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.errors import LinkageError

SURE = 0.9  # probability of a pair that counts in triples
USUAL_PRESENT, USUAL_PATHS = 0.95, 20.0  # third sides of triples that are named; what it counts
FULL_BITS = 10.0  # log2 odds that weigh as much as can be
MOST_LOSS = 0.98  # a pair that should have been seen and was not never weighs more than this
_LEAST = 1e-9


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

    def absence(self) -> float:
        """How much it speaks against one person that the agent does not name a pair, 0 to 1.

        Two dirty records of one person may look like strangers to the agent although both are like
        a third, and the more often so the dirtier the source. Triples show how often: where A is
        one with B and with C, then so are B and C, and either that pair is named or it is not.
        """
        size = int(self.right.max(initial=-1)) + 1
        sure = self.probability >= SURE
        one = _graph(self.left[sure], self.right[sure], size)
        both = one + one.T
        thirds = csr_array(triu(both @ both, k=1).astype(np.bool_).astype(np.float64))
        named = float(thirds.multiply(_graph(self.left, self.right, size)).sum())
        present = (named + USUAL_PATHS * USUAL_PRESENT) / (float(thirds.sum()) + USUAL_PATHS)
        bits = -np.log2(max(1.0 - present, _LEAST))
        return float(np.clip(bits / FULL_BITS, 0.0, MOST_LOSS))


def _graph(left: Indices, right: Indices, size: int) -> csr_array:
    return csr_array((np.ones(len(left)), (left, right)), shape=(size, size))
