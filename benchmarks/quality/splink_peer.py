"""The plaintext peer: Splink 5 on the cleaned columns, trained without truth.

It sees names and dates in clear, so it is a ceiling, not a competitor. Where cleansing drops a
date of birth that cannot be one, Splink is given what was written, which it compares by its
letters.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from benchmarks.quality.dataset import Dataset, read_raw
from benchmarks.quality.ours import Encoded
from benchmarks.splink_model import pairs_of, predictions, table_of, train

_PARTS: Final = re.compile(r"[\s./\-]+")
_YEAR_DIGITS: Final = 4
_DATE_DIGITS: Final = 8
_DATE_PARTS: Final = 3
_FIRST_YEAR: Final = 1900
Scored = list[tuple[str, str, float]]


@dataclass(frozen=True)
class Linked:
    """What Splink made of two files.

    Attributes:
        scored: (record of first, record of second, probability), each record in its likeliest
            pair only, so that links are one-to-one.
        candidates: pairs that its blocking rules made.
        rules: how many rules.
    """

    scored: Scored
    candidates: set[tuple[str, str]]
    rules: int


@dataclass(frozen=True)
class Pooled:
    """What Splink made of one table of all records.

    Attributes:
        pairs: positions of each candidate pair, int64 (n, 2).
        probability: of each, float64 (n,).
        records: how many there are.
        rules: how many blocking rules.
    """

    pairs: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]
    records: int
    rules: int

    def groups(self, threshold: float) -> list[int]:
        """Group of each record: what pairs at a probability connect, as Splink's clusters."""
        return connected(self.pairs[self.probability >= threshold], self.records)


def plain(folder: Path, dataset: Dataset, name: str, clean: pd.DataFrame) -> pd.DataFrame:
    """A source's cleaned rows for Splink, dates that cannot be one as they were written."""
    table = table_of(clean)
    mapping = dataset.sources[name].mapping
    column = mapping.columns.date_of_birth
    if column is None:
        return table
    parts = [column] if isinstance(column, str) else [column.year, column.month, column.day]
    cells = read_raw(folder, dataset, name)[parts].agg("-".join, axis=1)
    raw = [
        _as_iso(cells[row], dataset.day, day_first=mapping.dates.day_first) for row in clean["row"]
    ]
    dates = table["date_of_birth"]
    table["date_of_birth"] = dates.where(dates.notna(), pd.Series(raw, dtype=object))
    return table


def link(first: Encoded, second: Encoded, tables: list[pd.DataFrame]) -> Linked:
    """One file with another."""
    model = train(tables)
    pairs = pairs_of(model, predictions(model))
    ids = [
        [each.record_ids[at] for at in pairs[f"unique_id_{side}"]]
        for each, side in ((first, "l"), (second, "r"))
    ]
    pairs = pairs.assign(unique_id_l=ids[0], unique_id_r=ids[1])
    return Linked(_one_to_one(pairs), set(zip(*ids, strict=True)), model.rules)


def pool(tables: list[pd.DataFrame]) -> Pooled:
    """All records of all sources compared, those within one source included."""
    pooled = pd.concat(tables, ignore_index=True)
    pooled["unique_id"] = range(len(pooled))
    model = train([pooled])
    pairs = pairs_of(model, predictions(model))
    return Pooled(
        pairs[["unique_id_l", "unique_id_r"]].to_numpy(np.int64),
        pairs["match_probability"].to_numpy(np.float64),
        len(pooled),
        model.rules,
    )


def connected(pairs: npt.NDArray[np.int64], records: int) -> list[int]:
    """Component of each record."""
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(records, records))
    labels: list[int] = connected_components(graph, directed=False)[1].tolist()
    return labels


def _as_iso(text: str, today: date, *, day_first: bool) -> str | None:
    """What cannot be a date of birth, year first; None of what can, but was dropped as filler."""
    text = text.strip().lower()
    parts = [part for part in _PARTS.split(text) if part]
    if len(text) == _DATE_DIGITS and len(parts) == 1:
        parts = [text[:4], text[4:6], text[6:]]
    elif len(parts) == _DATE_PARTS and len(parts[0]) != _YEAR_DIGITS:
        one, other, year = parts
        parts = [year, other, one] if day_first else [year, one, other]
    written = "-".join(parts)
    try:
        possible = _FIRST_YEAR <= date.fromisoformat(written).year <= today.year
    except ValueError:
        possible = not written
    return None if possible else written


def _one_to_one(pairs: pd.DataFrame) -> Scored:
    ordered = pairs.sort_values("match_weight", ascending=False, kind="stable")
    left: set[str] = set()
    right: set[str] = set()
    kept: Scored = []
    for one, other, probability in ordered[
        ["unique_id_l", "unique_id_r", "match_probability"]
    ].itertuples(index=False):
        if one not in left and other not in right:
            left.add(one)
            right.add(other)
            kept.append((one, other, float(probability)))
    return kept
