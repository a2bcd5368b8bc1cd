"""Clean each distinct value of a column once, and count what became of the values."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_agent.cleansing.outcome import NOTES, Kind, Outcome

Texts = npt.NDArray[np.object_]  # of str


@dataclass
class ColumnTally:
    """Counts of one column of the cleaned table; no values."""

    rows: int = 0
    present: int = 0
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, outcomes: list[Outcome], counts: npt.NDArray[np.int64]) -> None:
        """Count distinct outcomes, each as often as it occurs."""
        self.rows += int(counts.sum())
        for (value, note), times in zip(outcomes, counts.tolist(), strict=True):
            if value:
                self.present += times
            if note:
                self.notes[note] += times

    def by_kind(self, kind: Kind) -> int:
        """Values that were repaired, queried or dropped."""
        return sum(times for note, times in self.notes.items() if NOTES[note][0] is kind)


SEPARATOR = "\x1f"
"""Between cells that are cleaned together; a cell that holds it is cleaned with a space instead."""


def clean_distinct(
    series: "pd.Series[str]", clean: Callable[[str], Outcome], tally: ColumnTally
) -> Texts:
    """Clean values in the order of ``series``."""
    return clean_distinct_parts(series, lambda text: (clean(text),), (tally,))[0]


def clean_distinct_parts(
    series: "pd.Series[str]",
    clean: Callable[[str], tuple[Outcome, ...]],
    tallies: tuple[ColumnTally, ...],
) -> list[Texts]:
    """As `clean_distinct`, where one cell gives several columns."""
    codes, uniques = _factorize(series)
    counts = np.bincount(codes, minlength=len(uniques)).astype(np.int64)
    results = [clean(text) for text in uniques]
    columns = []
    for at, tally in enumerate(tallies):
        outcomes = [parts[at] for parts in results]
        tally.add(outcomes, counts)
        values = np.array([outcome.value for outcome in outcomes] or [""], dtype=object)
        columns.append(values[codes])
    return columns


def _factorize(series: "pd.Series[str]") -> tuple[npt.NDArray[np.intp], list[str]]:
    codes, uniques = pd.factorize(series.to_numpy(dtype=object))
    return codes, [str(value) for value in uniques]


def joined(table: pd.DataFrame, columns: tuple[str, ...], separator: str) -> "pd.Series[str]":
    """Cells of several columns as one text; blank cells are left out of addresses only."""
    parts: list[Any] = [apart(table[name]) for name in columns]
    return pd.Series([separator.join(row) for row in zip(*parts, strict=True)], dtype=object)


def apart(series: "pd.Series[str]") -> list[str]:
    """Cells of which none is taken for two."""
    return [cell.replace(SEPARATOR, " ") for cell in series]
