"""Text lines for the CSV parser that can be given back.

A quote that is never closed makes a CSV parser swallow all rows up to the next quote. Lines taken
for the record at hand are therefore remembered, so that the record can be given up after its
first line and reading resumed with the second.
"""

from collections import deque
from collections.abc import Iterator
from typing import TextIO

MAX_LINE = 4_194_304  # characters; the rest of a longer line is passed over
MAX_RECORD_LINES = 200  # lines in one record; more means a quote that is not closed
MAX_RECORD = 4_194_304  # characters in one record


class UnclosedQuoteError(Exception):
    """The record at hand does not end where a record should."""


class LineSource(Iterator[str]):
    """Lines of a text stream, endings kept, with the lines of the record at hand remembered."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._returned: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0
        self.too_long = False

    def start_record(self) -> None:
        """Forget the lines of the record before."""
        self._taken.clear()
        self._size = 0
        self.too_long = False

    def give_up(self) -> str:
        """Give back every line of the record but its first, which is returned."""
        first, *rest = self._taken
        self._returned.extendleft(reversed(rest))
        return first

    @property
    def lines_taken(self) -> int:
        """Lines that the record at hand has taken so far."""
        return len(self._taken)

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else self._read()
        if not line:
            if self._taken:
                raise UnclosedQuoteError
            raise StopIteration
        self._taken.append(line)
        self._size += len(line)
        if len(self._taken) > MAX_RECORD_LINES or self._size > 2 * MAX_RECORD:
            raise UnclosedQuoteError
        return line

    def _read(self) -> str:
        line = self._stream.readline(MAX_LINE)
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            self.too_long = True
            while (rest := self._stream.readline(MAX_LINE)) and rest[-1] not in "\r\n":
                pass
        return line
