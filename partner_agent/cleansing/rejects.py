"""The rejects file: which rows were not accepted and why, with the rows themselves.

It holds what the extract holds, so it stays with the partner: mode 0600, never submitted.
"""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from partner_agent.cleansing.files import whole_file
from partner_agent.extracts.model import Reject

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RejectsWriter:
    """Writes rejects as they come; nothing is held back in memory."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows
        self.count = 0

    def write(self, rejects: Iterable[Reject]) -> None:
        """Append rejects: row, column, reason, then the row's own cells."""
        for reject in rejects:
            cells = map(_harmless, reject.original)
            self._rows.writerow([reject.row, _harmless(reject.column), reject.reason, *cells])
            self.count += 1


@contextmanager
def rejects_file(path: Path, columns: Iterable[str]) -> Iterator[RejectsWriter]:
    """A CSV file that appears when the block ends without an error.

    Args:
        path: where it goes; an older one is replaced.
        columns: the extract's headings.

    Raises:
        OutputNotWrittenError: the disk is full, or the folder cannot be written to.
    """
    with whole_file(path) as stream:
        rows = csv.writer(stream)
        rows.writerow(["row", "column", "reason", *map(_harmless, columns)])
        yield RejectsWriter(rows)


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet runs, in characters that UTF-8 can hold."""
    text = cell.encode("utf-8", "replace").decode("utf-8")
    return f"'{text}" if text.startswith(_FORMULA) else text
