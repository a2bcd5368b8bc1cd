"""Which records of a submission its agent holds for one person: from the column to rows, checked.

Rules, in order: no record names more than ``DUPLICATES_MOST`` others, nor is named or names so many
together; every other record is in the file and its handle is the larger of the two, so that no
record names itself and each pair has one place; no pair is there twice; probabilities are those
that may be; the file does not hold more pairs than ``PAIRS_A_RECORD`` and ``PAIRS_FREE`` let it;
no more than ``GROUP_MOST`` records hang together. A partner that lies can make one person of a few
of its own records, not of a whole source (invariant 19).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from governance.exchange.submission import (
    DUPLICATES_MOST,
    GROUP_MOST,
    HANDLE_BYTES,
    PAIRS_A_RECORD,
    PAIRS_FREE,
    PROBABILITY_LEAST,
    PROBABILITY_STEPS,
)
from linkage_hub.linkage.clustering import connected_components
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.submissions.errors import DuplicatesNotAgreed, NotArrow

_ROUNDING = 1e-5  # of a probability in single precision

Handles = npt.NDArray[np.void]


def handles_of(table: pa.Table) -> Handles:
    """Handles as ``V16`` (n,)."""
    return _bytes16(table.column("handle").combine_chunks())


def duplicates_of(table: pa.Table, handles: Handles) -> Duplicates:
    """The pairs of the column, by row numbers in ascending order, whatever the handles.

    Args:
        table: a submission's records, checked before.
        handles: of its rows, ``V16`` (n,).
    """
    owner, other, probability = _pairs(table, handles)
    left, right = np.minimum(owner, other), np.maximum(owner, other)
    order = np.lexsort((right, left))
    return Duplicates(left[order], right[order], probability[order])


def check_duplicates(table: pa.Table) -> None:
    """Check which records are said to be one person.

    Raises:
        NotArrow: a value is missing.
        DuplicatesNotAgreed: by the first rule that fails.
    """
    handles, size = handles_of(table), table.num_rows
    flat = table.column("duplicates").combine_chunks().flatten()
    if flat.null_count or any(flat.field(name).null_count for name in ("handle", "probability")):
        raise NotArrow("duplicates: a value is missing")
    longest = pc.max(pc.list_value_length(table.column("duplicates"))).as_py() or 0
    if longest > DUPLICATES_MOST:
        raise _refused(f"a record names {longest} others, at most {DUPLICATES_MOST} may be")
    if len(flat) > PAIRS_FREE + PAIRS_A_RECORD * size:
        raise _refused(f"{len(flat)} pairs of {size} records are more than may be")
    owner, other, probability = _pairs(table, handles)
    if (other < 0).any():
        raise _refused("a record is named that the file does not hold")
    ordered = _sortable(handles)
    if (ordered[owner] >= ordered[other]).any():
        raise _refused("a pair is not at the record with the smaller handle")
    if len(np.unique(owner * np.int64(size) + other)) != len(owner):
        raise _refused("a pair is there twice")
    steps = probability * PROBABILITY_STEPS
    inside = (probability >= PROBABILITY_LEAST) & (probability <= 1.0)
    if not (inside & (np.abs(steps - np.rint(steps)) < PROBABILITY_STEPS * _ROUNDING)).all():
        raise _refused("a probability is not one of .50, .51 to 1")
    most = int(np.bincount(np.concatenate([owner, other])).max()) if len(owner) else 0
    if most > DUPLICATES_MOST:
        raise _refused(f"a record is in {most} pairs, at most {DUPLICATES_MOST} may be")
    largest = int(np.bincount(connected_components(owner, other, size)).max()) if size else 0
    if largest > GROUP_MOST:
        raise _refused(f"{largest} records hang together, at most {GROUP_MOST} may be")


def _refused(words: str) -> DuplicatesNotAgreed:
    return DuplicatesNotAgreed(
        f"duplicates: {words}",
        next_step="check that the agent is of the hub's version, and prepare the extract again",
    )


def _pairs(
    table: pa.Table, handles: Handles
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Row that names another, row that is named or -1, and probability, (m,) each."""
    column = table.column("duplicates").combine_chunks()
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    owner = np.repeat(np.arange(len(handles)), lengths).astype(np.int64)
    flat = column.flatten()
    probability = flat.field("probability").to_numpy(zero_copy_only=False).astype(np.float64)
    if not len(owner):
        return owner, owner, probability
    named, known = _sortable(_bytes16(flat.field("handle"))), _sortable(handles)
    order = np.argsort(known)
    place = order[np.minimum(np.searchsorted(known, named, sorter=order), len(order) - 1)]
    return owner, np.where(known[place] == named, place, -1).astype(np.int64), probability


def _sortable(handles: Handles) -> npt.NDArray[np.bytes_]:
    """The same bytes in an order; of one width, so that zeros at the end change nothing."""
    return np.ascontiguousarray(handles).view(f"S{HANDLE_BYTES}")


def _bytes16(column: Any) -> Handles:
    """A column of handles in one piece as ``V16`` (n,)."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    data = np.frombuffer(whole.buffers()[1] or b"", dtype=f"V{HANDLE_BYTES}")
    return data[whole.offset : whole.offset + len(whole)]
