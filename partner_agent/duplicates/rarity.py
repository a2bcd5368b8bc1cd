"""How likely a stranger is to hold exactly the value that two rows share."""

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from partner_agent.duplicates.fields import Field, Rows
from partner_agent.duplicates.source import Source, mixed

SEEN_BEFORE: Final = 500  # rows of elsewhere, in which a value has its usual share
LIVING: Final = 80  # years of birth that are about equally likely before any row is seen
DAYS: Final = 365.25
OWN: Final = ("phone", "email")  # values that one person or one home holds, not many by chance
HOME: Final = 4  # rows that may hold such a value and be of one home
SELDOM: Final = 0.02  # rows that hold it by chance, where no more do


class Rarity:
    """Chances of exact agreement in one source.

    Args:
        source: its rows.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._local: dict[str, NDArray[np.int64]] = {}

    def chance(self, field: Field, left: Rows, right: Rows) -> NDArray[np.float64]:
        """Log of the chance for each pair, which agrees exactly on the field; float64 (m,)."""
        if field.name == "address":
            codes, counts = self.homes
        else:
            column = self._source.texts[field.name]
            codes, counts = column.codes.astype(np.int64), column.counts
        held = int(counts.sum())
        others = np.maximum(0.0, np.maximum(counts[codes[left]], counts[codes[right]]) - 2.0)
        if field.name in OWN:
            share = np.maximum(others + 2.0 - HOME, SELDOM) / held
        else:
            share = (others + SEEN_BEFORE * field.stranger[0]) / (held + SEEN_BEFORE)
        if field.name == "date_of_birth":
            share = np.maximum(share, self._born_that_day[codes[left]])
        return np.log(share)

    def at(
        self, field: Field, left: Rows, right: Rows, place: Rows, rows: Rows
    ) -> NDArray[np.float64]:
        """Log of how much likelier the value is where both rows are, at least 0; float64 (m,).

        Args:
            field: of a name.
            left: rows that agree exactly on it.
            right: rows of the same place.
            place: int64 (n,), number of each row's place.
            rows: of each place.
        """
        if field.name not in self._local:
            column = self._source.texts[field.name]
            _, codes, counts = np.unique(
                mixed(place, column.codes.astype(np.int64), hold=True),
                return_inverse=True,
                return_counts=True,
            )
            self._local[field.name] = counts[codes]
        others = np.maximum(0.0, self._local[field.name][left] - 2.0)
        share = (others + SEEN_BEFORE * field.stranger[0]) / (rows[place[left]] + SEEN_BEFORE)
        more: NDArray[np.float64] = np.log(share) - self.chance(field, left, right)
        return np.maximum(0.0, more)

    @cached_property
    def homes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Number of the home of each row, and the rows of each."""
        texts = self._source.texts
        line, postcode = texts["address"], texts["postcode"]
        home = mixed(line.spread(line.ends()), postcode.spread(postcode.ends()), hold=True)
        home[line.codes < 0] = -1 - postcode.codes[line.codes < 0].astype(np.int64)
        known = texts["uprn"].codes >= 0
        home[known] = -1_000_000_000 - texts["uprn"].codes[known]
        _, codes, counts = np.unique(home, return_inverse=True, return_counts=True)
        return codes, counts

    @cached_property
    def _born_that_day(self) -> NDArray[np.float64]:
        """Chance of each distinct date of birth, by its year; float64 (values,)."""
        dates = self._source.texts["date_of_birth"]
        years = self._source.births[:, 0]
        rows = np.bincount(years, weights=dates.counts)
        share = (rows[years] + 1.0) / (dates.held + LIVING)
        return share / DAYS
