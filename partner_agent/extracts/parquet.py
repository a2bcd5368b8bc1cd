"""Parquet in, through pyarrow's record batches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from partner_agent.extracts.cells import cell_text
from partner_agent.extracts.errors import DamagedExtractError, EmptyExtractError
from partner_agent.extracts.header import check_header
from partner_agent.extracts.model import KEPT, MAX_FIELD, Chunk, Extract, Reject, make_chunk


class ParquetExtract(Extract):
    """A Parquet file; nested and binary columns are left out and named in `details`."""

    kind = "parquet"

    def __init__(self, path: Path, *, chunk_rows: int) -> None:
        self._path = path
        self._chunk_rows = chunk_rows
        with self._file() as parquet:
            schema = parquet.schema_arrow
            if not parquet.metadata.num_rows:
                raise EmptyExtractError(
                    f"{path.name} has no rows", next_step="export the extract again"
                )
        # duplicates are looked for among all columns: pyarrow reads by name
        check_header(schema.names, path.name)
        self._read = [field.name for field in schema if not _unreadable(field.type)]
        self.columns = check_header(self._read, path.name)
        left_out = [field.name for field in schema if _unreadable(field.type)]
        self.details = {"columns left out": ", ".join(left_out)} if left_out else {}

    @contextmanager
    def _file(self) -> Iterator[Any]:
        try:
            with pq.ParquetFile(self._path) as parquet:
                yield parquet
        except (pa.ArrowException, OSError) as error:
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
        before = 0
        with self._file() as parquet:
            for batch in parquet.iter_batches(batch_size=self._chunk_rows, columns=self._read):
                chunk = self._chunk(batch, before)
                before += batch.num_rows
                if chunk.rejects or len(chunk.rows):
                    yield chunk

    def _chunk(self, batch: Any, before: int) -> Chunk:
        columns = [_texts(column) for column in batch.columns]
        cells: list[Sequence[str]] = []
        numbers: list[int] = []
        rejects: list[Reject] = []
        for number, row in enumerate(zip(*columns, strict=True), start=before + 1):
            long = [at for at, cell in enumerate(row) if len(cell) > MAX_FIELD]
            if long:
                original = tuple(cell[:KEPT] for cell in row)
                column = self.columns[long[0]]
                rejects.append(Reject(number, column, "row.field_too_long", original))
            elif any(row):
                cells.append(row)
                numbers.append(number)
        return make_chunk(self.columns, cells, numbers, rejects)


def _texts(column: Any) -> list[str]:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        found: list[str] = pc.fill_null(column, "").to_pylist()
        return found
    return [cell_text(value) for value in column.to_pylist()]


def _unreadable(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return _unreadable(kind.value_type)
    return bool(
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
