"""What every reader of extracts hands out: chunks of text cells, and the rows it could not read."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from partner_agent.extracts.errors import ExtractTooLargeError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

CHUNK_ROWS = 50_000  # rows held in memory at once
CHUNK_MOST = 268_435_456  # characters, and CELL_COST for each cell, past which a chunk ends early
EXTRACT_MOST = (
    274_877_906_944  # the same of a whole extract: half a billion rows of four short cells
)
CELL_COST = 64  # characters of memory that a cell takes whatever it holds, about
KEPT = 1_000  # characters of each cell of a rejected row that are kept for the rejects file
MAX_FIELD = 1_048_576  # characters in one cell; a longer one makes its row a reject


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not accepted. It stays with the partner.

    Attributes:
        row: 1 is the first row after the headings; blank rows are counted, as a spreadsheet does.
        column: the extract's column, or an empty string when the row as a whole is at fault.
        reason: dotted reason code.
        original: the row's cells, for the partner's own rejects file; never logged or shown.
    """

    row: int
    column: str
    reason: str
    original: tuple[str, ...] = field(default=(), repr=False)


class ReadRow(NamedTuple):
    """A row as a reader of a format found it.

    Attributes:
        cells: as many as there are headings; none where the row is blank; as they came, cut to
            ``KEPT``, where it is at fault.
        fault: a reason code, or ``""``.
        column: at fault, or ``""``.
    """

    cells: Sequence[str]
    fault: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive rows of an extract.

    Attributes:
        table: one column of ``str`` a column of the extract; a blank cell is ``""``.
        rows: int64, the row number of each row of ``table``.
        rejects: rows between the first and the last that could not be read.
    """

    table: "pd.DataFrame"
    rows: "npt.NDArray[np.int64]"
    rejects: list[Reject]

    @property
    def first_row(self) -> int:
        """Number of the first row that was read, rejected or not."""
        numbers = [reject.row for reject in self.rejects[:1]]
        numbers += [int(number) for number in self.rows[:1]]
        return min(numbers, default=1)


class Extract(ABC):
    """An extract that has been opened and whose headings have been checked.

    Iterating reads the file from its start each time, in constant memory.

    Attributes:
        columns: headings, distinct, stripped of outer spaces.
        kind: ``csv``, ``xlsx`` or ``parquet``.
        details: facts for the person who asked, such as ``{"encoding": "cp1252"}``; no cells.
    """

    columns: tuple[str, ...]
    kind: str
    details: dict[str, str]

    @abstractmethod
    def __iter__(self) -> Iterator[Chunk]:
        """Chunks in file order.

        Raises:
            DamagedExtractError: the file breaks off or is not what its first bytes say.
        """

    def rows_expected(self, first: Chunk) -> int:
        """How many rows there are, about; 0 where that is not known before all are read.

        Args:
            first: the first chunk.
        """
        del first
        return 0


def chunks_of(
    columns: tuple[str, ...], rows: Iterable[ReadRow], most: int = CHUNK_MOST, *, chunk_rows: int
) -> Iterator[Chunk]:
    """Rows as chunks, blank ones left out; no chunk holds more than memory has room for.

    Args:
        columns: of the extract.
        rows: of the file in order, the first one below the headings first.
        most: see ``CHUNK_MOST``.
        chunk_rows: rows handed out at once.

    Raises:
        ExtractTooLargeError: all together are past ``EXTRACT_MOST``, whatever a format makes of it.
    """
    cells: list[Sequence[str]] = []
    numbers: list[int] = []
    rejects: list[Reject] = []
    size = begun = number = whole = 0
    for number, row in enumerate(rows, start=1):
        if row.fault:
            rejects.append(Reject(number, row.column, row.fault, tuple(row.cells)))
        elif row.cells:
            cells.append(row.cells)
            numbers.append(number)
        taken = sum(map(len, row.cells)) + CELL_COST * len(row.cells)
        size += taken
        whole += taken + CELL_COST
        if whole > EXTRACT_MOST:
            raise ExtractTooLargeError(
                f"the extract has more rows and cells than are read at once (row {number:,})",
                next_step="export the extract in parts",
            )
        if number - begun >= chunk_rows or size >= most:
            if cells or rejects:
                yield make_chunk(columns, cells, numbers, rejects)
            cells, numbers, rejects, size, begun = [], [], [], 0, number
    if cells or rejects:
        yield make_chunk(columns, cells, numbers, rejects)


def make_chunk(
    columns: tuple[str, ...], cells: list[Sequence[str]], numbers: list[int], rejects: list[Reject]
) -> Chunk:
    """A chunk from rows of cells, each as long as ``columns``."""
    import numpy as np  # noqa: PLC0415 - slow to load
    import pandas as pd  # noqa: PLC0415 - likewise

    by_column = list(zip(*cells, strict=True)) if cells else [()] * len(columns)
    table = pd.DataFrame(
        {name: pd.Series(by_column[at], dtype="str") for at, name in enumerate(columns)},
        columns=list(columns),
    )
    return Chunk(table, np.asarray(numbers, dtype=np.int64), rejects)
