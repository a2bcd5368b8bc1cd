"""Rows that are one person, as the submission names them to the hub.

Rules: no pair joins a real row and a synthetic one; of the rest the likeliest are taken first, as
long as no row is in more than ``DUPLICATES_MOST`` pairs, no more than ``GROUP_MOST`` rows hang
together and the file has room; probabilities are rounded; a pair is written once, at the row with
the smaller handle.
"""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from governance.exchange.submission import (
    DUPLICATES_MOST,
    GROUP_MOST,
    HANDLE_BYTES,
    PAIRS_A_RECORD,
    PAIRS_FREE,
    PROBABILITY_LEAST,
    PROBABILITY_STEPS,
)
from governance.exchange.submission_file import ARROW_SCHEMA
from partner_agent.duplicates.finding import Duplicates

_COLUMN: Final = ARROW_SCHEMA.get_field_index("duplicates")
_TYPE: Final = ARROW_SCHEMA.field("duplicates").type

Indices = NDArray[np.int64]


class DuplicatesColumn:
    """The column ``duplicates`` of all rows of a submission.

    Args:
        handles: of the rows, ``HANDLE_BYTES`` each: real ones, then synthetic ones.
        found: pairs of rows that are one person.
        real: how many rows are real.
    """

    def __init__(self, handles: bytes, found: Duplicates, real: int) -> None:
        kept = bounded(found, len(handles) // HANDLE_BYTES, real)
        left, right = found.left[kept], found.right[kept]
        self._handles = np.frombuffer(handles, dtype=f"S{HANDLE_BYTES}")
        first = self._handles[left] < self._handles[right]
        owner, other = np.where(first, left, right), np.where(first, right, left)
        order = np.lexsort((self._handles[other], owner))
        self._owner, self._other = owner[order], other[order]
        steps = np.rint(found.probability[kept][order].astype(np.float64) * PROBABILITY_STEPS)
        self._probability = (steps / PROBABILITY_STEPS).astype(np.float32)

    def named(self, batch: pa.RecordBatch, start: int) -> pa.RecordBatch:
        """A batch with its column.

        Args:
            batch: some rows of the submission, its columns those of ``ARROW_SCHEMA``.
            start: number of its first row.
        """
        bounds = np.searchsorted(self._owner, np.arange(start, start + batch.num_rows + 1))
        mine = slice(int(bounds[0]), int(bounds[-1]))
        handles = pa.Array.from_buffers(
            pa.binary(HANDLE_BYTES),
            mine.stop - mine.start,
            [None, pa.py_buffer(self._handles[self._other[mine]].tobytes())],
        )
        pairs = pa.StructArray.from_arrays(
            [handles, pa.array(self._probability[mine])], fields=list(_TYPE.value_type)
        )
        offsets = pa.array((bounds - bounds[0]).astype(np.int32))
        column = pa.ListArray.from_arrays(offsets, pairs, type=_TYPE)
        return batch.set_column(_COLUMN, ARROW_SCHEMA.field(_COLUMN), column)


def bounded(found: Duplicates, rows: int, real: int) -> Indices:
    """The pairs that a submission may name, likeliest first, int64 (k,).

    Args:
        found: pairs of rows.
        rows: of the submission.
        real: how many of them, the first ones, are real.
    """
    open_ = ((found.left < real) == (found.right < real)) & (found.probability >= PROBABILITY_LEAST)
    at = np.flatnonzero(open_)
    at = at[np.argsort(-found.probability[at], kind="stable")]
    degree, root, size = [0] * rows, list(range(rows)), [1] * rows
    kept: list[int] = []
    for pair, left, right in zip(
        at.tolist(), found.left[at].tolist(), found.right[at].tolist(), strict=True
    ):
        if len(kept) == PAIRS_FREE + PAIRS_A_RECORD * rows:
            break
        if degree[left] == DUPLICATES_MOST or degree[right] == DUPLICATES_MOST:
            continue
        one, other = _find(root, left), _find(root, right)
        if one != other:
            if size[one] + size[other] > GROUP_MOST:
                continue
            root[other] = one
            size[one] += size[other]
        degree[left] += 1
        degree[right] += 1
        kept.append(pair)
    return np.array(kept, dtype=np.int64)


def _find(root: list[int], node: int) -> int:
    while root[node] != node:
        root[node] = root[root[node]]
        node = root[node]
    return node
