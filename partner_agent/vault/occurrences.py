"""How often each record id came before in an extract, in little memory."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BYTES: Final = 8  # of a locator; two of ten million ids share them by a chance of 3e-6


class Occurrences:
    """Numbers the rows of each record id as they come.

    Record ids are known by the beginning of their locators, which are keyed. Two that share it are
    numbered as one: a row of theirs may have another handle after the next extract, and no more.
    Memory: 12 bytes for each distinct id.
    """

    def __init__(self) -> None:
        self._ids: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)  # distinct, ascending
        self._counts: NDArray[np.uint32] = np.zeros(0, dtype=np.uint32)

    def number(self, locators: Sequence[bytes]) -> list[int]:
        """For each row, how many rows of its record id came before it; the rows are counted.

        Args:
            locators: of the next rows, in order.
        """
        ids = np.frombuffer(b"".join(each[:_BYTES] for each in locators), dtype=np.uint64)
        distinct, place, times = np.unique(ids, return_inverse=True, return_counts=True)
        at = np.searchsorted(self._ids, distinct)
        known = at < len(self._ids)
        known[known] = self._ids[at[known]] == distinct[known]
        before = np.zeros(len(distinct), dtype=np.uint32)
        before[known] = self._counts[at[known]]
        numbers = _within(place) + before[place]
        self._counts[at[known]] += times[known].astype(np.uint32)
        self._ids = np.insert(self._ids, at[~known], distinct[~known])
        self._counts = np.insert(self._counts, at[~known], times[~known])
        return [int(number) for number in numbers]


def _within(place: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many equal numbers come before each."""
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], np.arange(place.max(initial=-1) + 1))
    found = np.empty(len(place), dtype=np.int64)
    found[order] = np.arange(len(place)) - first[place[order]]
    return found
