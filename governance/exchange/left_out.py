"""Records that are taken out of a submission's file while their rows keep their places.

Rules: what was known of a pair of records names them by submission and row, so rows are never
moved; a row that is left out holds nothing of its record: a handle that says so, an encoding of
random bits, which is like nobody's, and nothing else; no other row names it any more.
"""

import os
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from governance.durable import durable
from governance.exchange.submission import ENCODING_BYTES, HANDLE_BYTES
from governance.exchange.submission_file import ARROW_SCHEMA

_MARK: Final = bytes(HANDLE_BYTES // 2)
"""The first half of the handle of a row that is left out; a random handle begins so by chance once
in 2**64."""
Mask = npt.NDArray[np.bool_]


def is_left_out(handles: npt.NDArray[np.void]) -> Mask:
    """Which rows are left out, bool (n,).

    Args:
        handles: ``V16`` (n,).
    """
    words = np.ascontiguousarray(handles).view(np.uint8).reshape(-1, HANDLE_BYTES)
    return np.asarray(~words[:, : len(_MARK)].any(axis=1))


def leave_out(table: pa.Table, handles: Collection[bytes]) -> pa.Table:
    """A submission's records without these handles, as many rows in the same order."""
    wanted = pa.array(sorted(handles), pa.binary(HANDLE_BYTES))
    gone = pc.is_in(table.column("handle").combine_chunks(), value_set=wanted)
    rows = np.flatnonzero(gone.to_numpy(zero_copy_only=False))
    if not len(rows):
        return table
    views = len(table.column("views")[0])
    at = np.arange(table.num_rows)
    at[rows] = table.num_rows + np.arange(len(rows))
    named = _without_duplicates(table, wanted)
    return pa.concat_tables([named, _nothing(len(rows), views)]).take(pa.array(at)).combine_chunks()


def rewrite(path: Path, table: pa.Table) -> None:
    """Put a table in the place of a submission's file, durably, mode 0600."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with durable(path) as sink, pa.ipc.new_file(sink, ARROW_SCHEMA, options=options) as writer:
        writer.write_table(table)


def _nothing(count: int, views: int) -> pa.Table:
    """Rows that are left out."""
    columns = {
        "handle": [_MARK + secrets.token_bytes(HANDLE_BYTES - len(_MARK)) for _ in range(count)],
        "encoding": [os.urandom(ENCODING_BYTES) for _ in range(count)],
        "views": [[os.urandom(ENCODING_BYTES) for _ in range(views)] for _ in range(count)],
    }
    empty = ("households", "mentions", "duplicates", "indicators")
    return pa.Table.from_pydict(
        {
            name: columns.get(name, [[] if name in empty else None] * count)
            for name in ARROW_SCHEMA.names
        },
        schema=ARROW_SCHEMA,
    )


def _without_duplicates(table: pa.Table, gone: pa.Array) -> pa.Table:
    """No row says any more that one of these is the same person."""
    place = ARROW_SCHEMA.get_field_index("duplicates")
    column = table.column(place).combine_chunks()
    pairs = pc.list_flatten(column)
    kept = pc.invert(pc.is_in(pairs.field("handle"), value_set=gone))
    if pc.all(kept).as_py() is not False:
        return table
    parents = pc.list_parent_indices(column).filter(kept).to_numpy()
    offsets = np.searchsorted(parents, np.arange(len(column) + 1)).astype(np.int32)
    new = pa.ListArray.from_arrays(
        pa.array(offsets), pairs.filter(kept), type=ARROW_SCHEMA.field(place).type
    )
    return table.set_column(place, ARROW_SCHEMA.field(place), new)
