"""Parquet in, through pyarrow's record batches.

A few kilobytes can hold a huge value that every row repeats: text is read as its distinct values,
few rows at once, and a file is refused whose footer says that a group of rows has more than
``_GROUP_MOST`` bytes. A footer that lies is believed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from partner_agent.extracts.cells import cell_text
from partner_agent.extracts.errors import (
    DamagedExtractError,
    EmptyExtractError,
    ExtractTooLargeError,
)
from partner_agent.extracts.header import check_header
from partner_agent.extracts.model import KEPT, MAX_FIELD, Chunk, Extract, ReadRow, chunks_of

_BATCH_ROWS = 1_024  # decoded at once
_GROUP_MOST = 4_294_967_296  # bytes of a group of rows, as the file says; writers stop long before


class ParquetExtract(Extract):
    """A Parquet file; nested and binary columns are left out and named in `details`."""

    kind = "parquet"

    def __init__(self, path: Path, *, chunk_rows: int) -> None:
        self._path = path
        self._chunk_rows = chunk_rows
        with self._file() as parquet:
            schema = parquet.schema_arrow
            self._check_size(parquet.metadata)
            if not parquet.metadata.num_rows:
                raise EmptyExtractError(
                    f"{path.name} has no rows", next_step="export the extract again"
                )
        # duplicates are looked for among all columns: pyarrow reads by name
        check_header(schema.names, path.name)
        self._read = [field.name for field in schema if not _unreadable(field.type)]
        self._texts = [field.name for field in schema if _is_text(field.type)]
        self.columns = check_header(self._read, path.name)
        left_out = [field.name for field in schema if _unreadable(field.type)]
        self.details = {"columns left out": ", ".join(left_out)} if left_out else {}

    def _check_size(self, footer: Any) -> None:
        groups = (footer.row_group(at).total_byte_size for at in range(footer.num_row_groups))
        if max(groups, default=0) > _GROUP_MOST:
            raise ExtractTooLargeError(
                f"a group of rows of {self._path.name} needs more than {_GROUP_MOST:,} bytes of "
                "memory",
                next_step="export the extract with fewer rows in a group, or as CSV",
            )

    @contextmanager
    def _file(self, texts: Sequence[str] = ()) -> Iterator[Any]:
        try:
            with pq.ParquetFile(self._path, read_dictionary=list(texts)) as parquet:
                yield parquet
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise DamagedExtractError(
                f"{self._path.name} is not whole Parquet ({type(error).__name__})",
                next_step="export the extract again",
            ) from None

    def rows_expected(self, first: Chunk) -> int:
        """As the file's footer says."""
        del first
        with self._file() as parquet:
            return int(parquet.metadata.num_rows)

    def __iter__(self) -> Iterator[Chunk]:
        yield from chunks_of(self.columns, self._rows(), chunk_rows=self._chunk_rows)

    def _rows(self) -> Iterator[ReadRow]:
        with self._file(self._texts) as parquet:
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=self._read):
                for row in zip(*map(_texts, batch.columns), strict=True):
                    yield self._row(row)

    def _row(self, row: tuple[str, ...]) -> ReadRow:
        if max(map(len, row)) <= MAX_FIELD:
            return ReadRow(row if any(row) else ())
        long = next(at for at, cell in enumerate(row) if len(cell) > MAX_FIELD)
        return ReadRow([cell[:KEPT] for cell in row], "row.field_too_long", self.columns[long])


def _texts(column: Any) -> list[str]:
    """Cells as text; equal ones of a column of distinct values are one string in memory."""
    if not pa.types.is_dictionary(column.type):
        return [cell_text(value) for value in column.to_pylist()]
    used = pc.unique(column.indices)
    values = map(cell_text, column.dictionary.take(used).to_pylist())
    texts = dict(zip(used.to_pylist(), values, strict=True))
    return [texts[at] for at in column.indices.to_pylist()]


def _is_text(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _unreadable(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return _unreadable(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return _is_text(kind.storage_type)  # JSON, which is nested too
    return bool(
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
