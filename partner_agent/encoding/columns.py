"""Columns in, whatever holds them: a mapping, an Arrow table or batch, a pandas data frame.

A chunk of a column becomes distinct values and a code for each row, since most columns repeat.
A null is a missing value, the empty string.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from partner_agent.encoding.errors import ColumnMissingError

Columns: TypeAlias = Mapping[str, Sequence[str]] | pa.Table | pa.RecordBatch | pd.DataFrame

CHUNK_ROWS: Final = 1 << 16
_TEXT: Final = pa.large_string()


@dataclass(frozen=True, slots=True)
class DistinctValues:
    """A chunk of one column: row ``i`` holds ``values[codes[i]]``."""

    codes: NDArray[np.int32]
    values: pa.LargeStringArray
    unencodable: NDArray[np.int64]  # rows whose text is not Unicode (a lone surrogate)


class ColumnChunks:
    """The named columns of a table, a chunk of rows at a time.

    Raises:
        ColumnMissingError: a column is not there, or columns differ in length.
    """

    def __init__(self, columns: Columns, names: Sequence[str]) -> None:
        present = set(_names(columns))
        absent = [name for name in names if name not in present]
        if absent:
            raise ColumnMissingError(f"the schema encodes columns that are not there: {absent}")
        self._columns = {name: columns[name] for name in names}
        if isinstance(columns, pa.Table | pa.RecordBatch):
            self.rows = columns.num_rows
        else:
            lengths = {len(each) for each in self._columns.values()} or {len(columns)}
            if len(lengths) > 1:
                raise ColumnMissingError("the columns differ in length")
            self.rows = lengths.pop()

    def chunks(self, size: int) -> Iterator[tuple[slice, dict[str, DistinctValues]]]:
        """Row ranges of at most ``size`` and their distinct values by column."""
        for start in range(0, self.rows, size):
            stop = min(start + size, self.rows)
            yield (
                slice(start, stop),
                {name: _distinct(each, start, stop) for name, each in self._columns.items()},
            )


def _names(columns: Columns) -> list[str]:
    if isinstance(columns, pa.Table | pa.RecordBatch):
        return list(columns.schema.names)
    return list(columns.keys())


def _distinct(column: Any, start: int, stop: int) -> DistinctValues:
    array, unencodable = _to_arrow(column, start, stop)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # no chunk at all
            array = pa.array([], array.type)
    if pa.types.is_dictionary(array.type) and len(array.dictionary) > len(array):
        array = array.cast(array.type.value_type)
    if not pa.types.is_dictionary(array.type):
        array = array.cast(_TEXT).dictionary_encode(null_encoding="encode")
    values = array.dictionary.cast(_TEXT)
    indices = array.indices
    if indices.null_count:
        values = pa.concat_arrays([values, pa.array([""], _TEXT)])
        indices = pc.fill_null(indices, len(values) - 1)
    if values.null_count:
        values = pc.fill_null(values, "")
    codes = indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return DistinctValues(codes, values, unencodable)


def _to_arrow(column: Any, start: int, stop: int) -> tuple[Any, NDArray[np.int64]]:
    none = np.zeros(0, dtype=np.int64)
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.slice(start, stop - start), none
    if isinstance(column, pd.Series):
        column, start, stop = column.iloc[start:stop], 0, stop - start
        try:
            return pa.Array.from_pandas(column), none
        except (UnicodeEncodeError, pa.ArrowInvalid):
            column = column.tolist()
    part = column[start:stop]
    try:
        return pa.array(part, _TEXT), none
    except UnicodeEncodeError:
        pass
    bad = np.array([at for at, text in enumerate(part) if not _is_unicode(text)], dtype=np.int64)
    cleared = list(part)
    for at in bad.tolist():
        cleared[at] = ""
    return pa.array(cleared, _TEXT), bad


def _is_unicode(text: str | None) -> bool:
    try:
        (text or "").encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
