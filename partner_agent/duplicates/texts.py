"""A source's columns as integer codes over distinct values, and the values as bytes.

A column of n rows takes four bytes a row and its distinct values once, however often they repeat.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from partner_agent.duplicates.kernels import hash_ends

COLUMNS: Final = (
    "first_name",
    "middle_name",
    "surname",
    "date_of_birth",
    "sex",
    "nhs_number",
    "nino",
    "upn",
    "address",
    "postcode",
    "uprn",
    "phone",
    "email",
)
"""Of the cleaned table, that tell persons apart."""
WHOLE: Final = 1 << 20  # bytes: more than any value has


@dataclass(frozen=True)
class Texts:
    """One column.

    Attributes:
        codes: of each row, int32 (n,); -1 where the row lacks it.
        data: the distinct values one after another in UTF-8, uint8.
        starts: where each begins, int64 (values + 1,).
        counts: rows that hold each, int64 (values,).
    """

    codes: NDArray[np.int32]
    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def held(self) -> int:
        """Rows that hold a value."""
        return int(self.counts.sum())

    def values(self) -> list[str]:
        """The distinct values."""
        whole = self.data.tobytes()
        edges = self.starts.tolist()
        return [whole[a:b].decode("utf-8", "replace") for a, b in pairwise(edges)]

    def ends(self, first: int = WHOLE, last: int = 0) -> NDArray[np.int64]:
        """A 62-bit digest of the ``first`` bytes, or of the ``last``, of each distinct value."""
        digests: NDArray[np.int64] = hash_ends(self.data, self.starts, first, last)
        return digests

    def derived(self, make: Callable[[str], str]) -> NDArray[np.int64]:
        """Number of what ``make`` says of each distinct value, -1 where it says nothing."""
        made = [make(value) for value in self.values()]
        codes, _ = pd.factorize(np.array([*made, ""], dtype=object))
        codes = codes[:-1].astype(np.int64)
        codes[np.array([not each for each in made], dtype=bool)] = -1
        return codes

    def spread(self, of_values: NDArray[Any], missing: Any = -1) -> NDArray[Any]:
        """A figure of each distinct value, given to the rows; ``missing`` where there is none."""
        padded = np.append(of_values, np.asarray(missing, dtype=of_values.dtype))
        return padded[self.codes]


class Columns:
    """Gathers the columns of a source, chunk by chunk."""

    def __init__(self) -> None:
        self.rows = 0
        self._chunks: dict[str, list[pa.Array]] = {name: [] for name in COLUMNS}

    def add(self, frame: pd.DataFrame) -> None:
        """Rows of a cleaned table; a column that it lacks is missing in all of them."""
        for name, chunks in self._chunks.items():
            if name in frame:
                values = pa.array(frame[name].to_numpy(dtype=object), pa.string(), from_pandas=True)
            else:
                values = pa.nulls(len(frame), pa.string())
            chunks.append(values.dictionary_encode())
        self.rows += len(frame)

    def texts(self, name: str) -> Texts:
        """One column of all rows; it is held here no more, and asked for once."""
        kind = pa.dictionary(pa.int32(), pa.string())
        whole = pa.chunked_array(self._chunks.pop(name), kind).unify_dictionaries().combine_chunks()
        if isinstance(whole, pa.ChunkedArray):  # no rows at all
            whole = pa.array([], pa.string()).dictionary_encode()
        codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        values = whole.dictionary.cast(pa.large_string())
        starts, data = _buffers(values)
        empty = np.flatnonzero(np.diff(starts) == 0)
        codes[np.isin(codes, empty)] = -1
        counts = np.bincount(codes[codes >= 0], minlength=len(starts) - 1).astype(np.int64)
        return Texts(codes, data, starts, counts)


def _buffers(values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    if len(values) == 0:
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    _, offsets, data = values.buffers()
    starts = np.frombuffer(offsets, np.int64)[values.offset : values.offset + len(values) + 1]
    held = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return starts, held
