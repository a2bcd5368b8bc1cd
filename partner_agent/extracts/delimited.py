"""CSV in: any sensible encoding and delimiter, quoted line breaks, constant memory.

A row is rejected, and reading goes on, when it has another number of fields than the headings, a
cell past `MAX_FIELD`, a quote that is not closed, or bytes outside the file's encoding.
"""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from partner_agent.extracts.decoding import detect_encoding
from partner_agent.extracts.dialect import DELIMITERS, SAMPLE_ROWS, sniff_delimiter
from partner_agent.extracts.errors import EmptyExtractError
from partner_agent.extracts.files import open_bytes, plain_size
from partner_agent.extracts.header import MAX_COLUMNS, check_header
from partner_agent.extracts.lines import MAX_LINE, LineSource, UnclosedQuoteError
from partner_agent.extracts.model import KEPT, MAX_FIELD, Chunk, Extract, ReadRow, chunks_of

_SAMPLE_LINES = 4 * SAMPLE_ROWS
_SAMPLE_CHARACTERS = 2_097_152
_UNDECODED = re.compile("[\udc80-\udcff]")


class DelimitedExtract(Extract):
    """A CSV file, possibly gzipped."""

    kind = "csv"

    def __init__(self, path: Path, *, chunk_rows: int) -> None:
        csv.field_size_limit(MAX_FIELD)  # of the process; the default is 131,072
        self._path = path
        self._chunk_rows = chunk_rows
        self._encoding = detect_encoding(path)
        lines = self._sample()
        self._delimiter = sniff_delimiter(lines, path.name)
        self.columns = check_header(self._header(lines), path.name)
        self.details = {
            "encoding": self._encoding,
            "delimiter": DELIMITERS[self._delimiter],
        }

    def _sample(self) -> list[str]:
        lines: list[str] = []
        size = 0
        with self._text() as stream:
            while len(lines) < _SAMPLE_LINES and size < _SAMPLE_CHARACTERS:
                line = stream.readline(MAX_LINE)
                if not line:
                    break
                if lines or line.strip("\ufeff \t\r\n"):
                    lines.append(line)
                    size += len(line)
        if not lines:
            raise EmptyExtractError(
                f"{self._path.name} is empty", next_step="export the extract again"
            )
        return lines

    def _header(self, lines: list[str]) -> list[str]:
        try:
            return next(csv.reader(lines, delimiter=self._delimiter))
        except csv.Error:
            return []

    @contextmanager
    def _text(self) -> Iterator[TextIO]:
        with open_bytes(self._path) as stream:
            yield io.TextIOWrapper(
                stream, encoding=self._encoding, errors="surrogateescape", newline=""
            )

    def __iter__(self) -> Iterator[Chunk]:
        with self._text() as stream:
            records = self._records(LineSource(stream))
            yield from chunks_of(self.columns, records, chunk_rows=self._chunk_rows)

    def rows_expected(self, first: Chunk) -> int:
        """By the size of the file and the length of its first rows; 0 where it is compressed."""
        size = plain_size(self._path)
        if size is None or not len(first.table):
            return 0
        cells = sum(int(first.table[name].str.len().sum()) for name in first.table)
        return round(size / (cells / len(first.table) + len(self.columns) + 1))

    def _records(self, lines: LineSource) -> Iterator[ReadRow]:
        """Each record after the headings."""
        parser = csv.reader(lines, delimiter=self._delimiter)
        width = len(self.columns)
        headed = False
        while True:
            lines.start_record()
            try:
                row = next(parser)
                fault = self._fault(row, width, lines) if headed else ""
            except StopIteration:
                return
            except UnclosedQuoteError:
                row, fault = [lines.give_up()], "row.unclosed_quote"
                parser = csv.reader(lines, delimiter=self._delimiter)
            except csv.Error:
                row, fault = [lines.give_up()], "row.field_too_long"
                parser = csv.reader(lines, delimiter=self._delimiter)
            if headed and fault:
                yield ReadRow([cell[:KEPT] for cell in row[:MAX_COLUMNS]], fault)
            elif headed:
                yield ReadRow(row[:width])
            else:
                headed = any(cell.strip("\ufeff ") for cell in row)

    def _fault(self, row: list[str], width: int, lines: LineSource) -> str:
        if lines.too_long:
            return "row.field_too_long"
        if not row:
            return ""
        if len(row) < width or any(row[width:]):
            if lines.lines_taken > 1:
                row[:] = [lines.give_up()]
                return "row.unclosed_quote"
            return "row.field_count"
        if any(not cell.isascii() and _UNDECODED.search(cell) for cell in row):
            return "row.undecodable"
        if not any(row):
            row.clear()
        return ""
