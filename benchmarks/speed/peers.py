"""All pairs of two files at or above a Dice similarity: this project and its peers, one thread.

A peer that would take long is run on the first rows of the first file against the whole second
file, and its time for all rows follows from that; the table says where. What a peer needs to have
ready (bitarrays, indexes) is made before and not counted; our own preparing is counted.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from anonlink.similarities import dice_coefficient_accelerated
from bitarray import bitarray

from linkage_hub.linkage.similarity.join import Wanted, join

Rows = npt.NDArray[np.uint8]
Pairs = set[tuple[int, int, float]]
UNBOUNDED: Final = 1 << 40  # pairs of a row
PEER_PAIRS: Final = 400_000_000  # comparisons of one run of a peer at most; the rest extrapolated
USEARCH_SHARE: Final = 8  # one in so many of these rows: it is the slowest, whatever the floor
NEAREST: Final = 10  # neighbours that usearch is asked for


@dataclass(frozen=True)
class Timed:
    """One run: processor seconds for all pairs, and whether from a part of the rows."""

    seconds: float
    extrapolated: bool
    found: int


class Contest:
    """Two files and every contender made ready."""

    def __init__(self, first: Rows, second: Rows) -> None:
        self.first, self.second = np.ascontiguousarray(first), np.ascontiguousarray(second)
        self._rows = min(len(first), max(64, PEER_PAIRS // len(second)))
        self._filters = _bitarrays(self.first[: self._rows]), _bitarrays(self.second)
        self._ones = [
            np.bitwise_count(each).sum(axis=1, dtype=np.int64) for each in (first, second)
        ]

    @property
    def comparisons(self) -> int:
        """All pairs."""
        return len(self.first) * len(self.second)

    def hearthlink(self, floor: float) -> Timed:
        """The exact join, everything included."""
        found, seconds = timed(lambda: exact_pairs(self.first, self.second, floor))
        return Timed(seconds, extrapolated=False, found=len(found))

    def anonlink(self, floor: float) -> Timed:
        """Anonlink's compiled Dice."""
        found, seconds = timed(
            lambda: dice_coefficient_accelerated(self._filters, floor, k=None)[0]
        )
        return self._scaled(seconds, len(found))

    def faiss(self, floor: float) -> Timed:
        """Faiss's binary range search within the Hamming distance that the floor allows."""
        import faiss  # noqa: PLC0415 a peer, not installed with the product

        faiss.omp_set_num_threads(1)
        index = faiss.IndexBinaryFlat(self.first.shape[1] * 8)
        index.add(self.second)
        radius = int((1.0 - floor) * (self._ones[0].max() + self._ones[1].max())) + 1

        def search() -> int:
            limits, _, numbers = index.range_search(self.first[: self._rows], radius)
            left = np.repeat(np.arange(self._rows), np.diff(limits.astype(np.int64)))
            common = np.bitwise_count(self.first[left] & self.second[numbers]).sum(axis=1)
            both = self._ones[0][left] + self._ones[1][numbers]
            return int((2.0 * common >= floor * both).sum())

        found, seconds = timed(search)
        return self._scaled(seconds, found)

    def usearch(self) -> Timed:
        """Usearch's exact search for the nearest ten by Hamming distance (it has no ranges)."""
        import usearch.index as usearch_index  # noqa: PLC0415 a peer, like faiss

        run: Any = usearch_index
        rows = self.first[: max(64, self._rows // USEARCH_SHARE)]
        hamming = run.MetricKind.Hamming
        found, seconds = timed(
            lambda: run.search(self.second, rows, NEAREST, hamming, exact=True, threads=1)
        )
        return Timed(seconds * len(self.first) / len(rows), extrapolated=True, found=len(found))

    def check(self, floor: float) -> None:
        """Our pairs and similarities are anonlink's, on the rows that anonlink gets.

        Raises:
            AssertionError: they are not.
        """
        similarity, (left, right) = dice_coefficient_accelerated(self._filters, floor, k=None)
        theirs = set(zip(left, right, similarity, strict=True))
        found = exact_pairs(self.first[: self._rows], self.second, floor)
        both = self._ones[0][found[:, 0]] + self._ones[1][found[:, 1]]
        ours = zip(
            *(each.tolist() for each in found.T[:2]),
            (2.0 * found[:, 2] / both).tolist(),
            strict=True,
        )
        if set(ours) != theirs:
            raise AssertionError(f"at {floor} the pairs differ from anonlink's")

    def _scaled(self, seconds: float, found: int) -> Timed:
        share = len(self.first) / self._rows
        return Timed(seconds * share, share > 1.0, found)


def exact_pairs(first: Rows, second: Rows, floor: float) -> npt.NDArray[np.int32]:
    """Our pairs of two files, on one thread."""
    return silent_join(join, [first, second], [Wanted(0, 1, floor, UNBOUNDED)])


def silent_join(run: Any, datasets: list[Rows], wanted: list[Wanted]) -> npt.NDArray[np.int32]:
    """All pairs of a join, exact or fast, on one thread."""
    with ThreadPoolExecutor(1) as one:
        parts = run(datasets, wanted, executor=one, progress=lambda _share, _word: None)
        return np.concatenate([np.empty((0, 3), np.int32), *(found for _, found in parts)])


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """A call's result and the processor seconds that it took, however busy the machine."""
    began = time.process_time()
    result = call()
    return result, time.process_time() - began


def _bitarrays(rows: Rows) -> list[bitarray]:
    filters = []
    for row in rows:
        bits = bitarray(endian="big")
        bits.frombytes(row.tobytes())
        filters.append(bits)
    return filters
