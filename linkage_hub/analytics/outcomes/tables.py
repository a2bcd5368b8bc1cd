"""Tidy tables of families: one row each, read from CSV or Parquet and written as CSV.

Rules: columns are exactly those of the kind of table, then one a need, ``need_`` and its id, with
the words of ``STATES``; families are pseudonyms of the hub's. What is wrong is said by column and
number of rows, never with a value.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.terminal import FileProblem
from linkage_hub.analytics.needs import STATES
from linkage_hub.analytics.outcomes.errors import NotATable
from linkage_hub.analytics.outcomes.months import Ints, months_of

PREFIX: Final = "need_"
PSEUDONYM: Final = r"f-[0-9a-f]{32}"
_CODES: Final = {word: code for code, word in enumerate(STATES)}


class TidyTable:
    """A file's columns as text, taken one by one.

    Args:
        frame: all cells are text.
        name: of the file, for messages.
        columns: that it must begin with, in any order.
    """

    def __init__(self, frame: pd.DataFrame, name: str, columns: Sequence[str]) -> None:
        self._frame, self._name = frame, name
        found = [str(column) for column in frame.columns]
        needs = [column for column in found if column.startswith(PREFIX)]
        if set(found) - set(needs) != set(columns) or len(set(found)) != len(found):
            raise NotATable(f"{name}: expected the columns {', '.join(columns)}, then need_...")
        if not needs or frame.empty:
            raise NotATable(f"{name}: expected a row at least, and a need")
        self.needs = tuple(need.removeprefix(PREFIX) for need in needs)

    def __len__(self) -> int:
        return len(self._frame)

    def families(self, *, once: bool) -> NDArray[np.object_]:
        """Pseudonyms, str (n,); each once where it must be."""
        column = self._frame["family"]
        self.expect(column.str.fullmatch(PSEUDONYM).to_numpy(np.bool_), "family: a pseudonym")
        if once:
            self.expect(~column.duplicated().to_numpy(np.bool_), "family: each once")
        return column.to_numpy(object)

    def months(self, column: str, *, optional: bool = False) -> Ints:
        """Months, int64 (n,)."""
        found = months_of(self._frame[column], optional=optional)
        if found is None:
            raise NotATable(f"{self._name}: {column}: expected months such as 2026-03")
        return found

    def codes(self, column: str, words: dict[str, int]) -> NDArray[np.int8]:
        """Codes of words, int8 (n,)."""
        found = self._frame[column].map(words)
        expected = " or ".join(filter(None, words))
        self.expect(found.notna().to_numpy(np.bool_), f"{column}: {expected}")
        return np.asarray(found.to_numpy(), dtype=np.int8)

    def state(self) -> NDArray[np.int8]:
        """Of every need, int8 (n, k)."""
        return np.column_stack([self.codes(f"{PREFIX}{need}", _CODES) for need in self.needs])

    def expect(self, holds: NDArray[np.bool_], what: str) -> None:
        """Refuse the table where something does not hold.

        Raises:
            NotATable: with the number of rows and the first of them.
        """
        wrong = np.flatnonzero(~holds)
        if len(wrong):
            raise NotATable(
                f"{self._name}: {len(wrong)} rows, the first in row {wrong[0] + 1}: expected {what}"
            )


def read_table(path: Path, columns: Sequence[str]) -> TidyTable:
    """A file, by its ending.

    Raises:
        FileProblem: it cannot be read.
        NotATable: it is no table of the kind.
    """
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path).astype("string").fillna("").astype(str)
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        raise NotATable(f"{path.name} cannot be read: {type(error).__name__}") from None
    return TidyTable(frame, path.name, columns)


def table_bytes(
    columns: Mapping[str, Sequence[object]], needs: Sequence[str], state: NDArray[np.int8]
) -> bytes:
    """A table as CSV.

    Args:
        columns: of the kind of table, in order.
        needs: ids.
        state: int8 (n, k).
    """
    words = np.array(STATES, dtype=object)[state]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, *(f"{PREFIX}{need}" for need in needs)])
    writer.writerows([*row, *said] for *row, said in zip(*columns.values(), words, strict=True))
    return text.getvalue().encode()
