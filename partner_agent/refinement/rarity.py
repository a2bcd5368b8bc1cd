"""How often a value, or one like it, is met by chance: counted in the source's own rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

import numpy as np

from governance.exchange.parameters import LEVELS
from partner_agent.refinement.facets import facet, field_value

FEWEST_HELD: Final = 5  # rows that hold a value before it counts as commoner than the average
LARGEST_HOME: Final = 8  # records at one address that are people of one home, a class of its own
FEWEST: Final = 10  # pairs; smaller counts are not told


class Rarity:
    """Counts of every text of every facet over the source's rows.

    Args:
        rows: cleaned rows of the source.

    Attributes:
        rows: how many there were.
    """

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        values: dict[str, Counter[tuple[str, ...]]] = {name: Counter() for name in LEVELS}
        self.rows = 0
        for row in rows:
            self.rows += 1
            for name, counter in values.items():
                value = field_value(row, name)
                if value is not None:
                    counter[value] += 1
        self._held = {name: counter.total() for name, counter in values.items()}
        self._counts: dict[str, list[Counter[str]]] = {}
        self._repeated: dict[str, list[float]] = {}
        for name, counter in values.items():
            tables: list[Counter[str]] = [Counter() for _ in LEVELS[name]]
            repeated = [0.0] * len(tables)
            for value, times in counter.items():
                for level, texts in enumerate(facet(name, value)):
                    repeated[level] += len(texts) * _pairs(times)
                    for text in texts:
                        tables[level][text] += times
            self._counts[name], self._repeated[name] = tables, repeated

    def held(self, field: str) -> int:
        """Number of rows that hold the field."""
        return self._held[field]

    def share(self, field: str, value: tuple[str, ...], average: float) -> float:
        """Chance that a stranger holds exactly this value, never below the average.

        Both sides of a pair must find the same agreement sufficient, each by its own rows. A value
        that is rare in one source may be unseen or common in another, so rarity gains nothing; a
        common value costs its sharing in whole powers of two of the average, so that two sources
        of different size still count alike. Only exact agreement is weighed by it.

        Args:
            field: a key of ``LEVELS``.
            value: its columns as ``field_value`` gives them.
            average: share of random pairs that agree, the same at all agents.
        """
        table = self._counts[field][0]
        hits = max((table[text] for text in facet(field, value)[0]), default=0)
        others = hits - (LARGEST_HOME if field == "address" else 1)
        if others < FEWEST_HELD:
            return average
        doublings = max(0.0, float(np.floor(np.log2(others / self._held[field] / average))))
        return min(1.0, float(average * 2.0**doublings))

    def hits(self, field: str, texts: Iterable[str], level: int) -> list[int]:
        """How many rows have each of these texts at a level, those that hold it elsewhere too."""
        table = self._counts[field][level]
        return [table[text] for text in texts]

    def unique(self, field: str, value: tuple[str, ...]) -> bool:
        """Whether at most one row holds exactly this value."""
        return max(self.hits(field, facet(field, value)[0], 0), default=0) <= 1

    def at_least(self, field: str) -> list[float]:
        """Pairs of rows that agree at each level or a stronger one.

        Counted, not sampled: a level's pairs are those that share one of its texts with another
        value, more than once if they share several.
        """
        return list(accumulate(self._pairs(field)))

    def chance(self, field: str) -> tuple[float, ...]:
        """Share of each level among random pairs of the rows that hold the field, *differs* last.

        Fewer than ``FEWEST`` pairs count as that many; two digits are given.
        """
        total = max(1.0, _pairs(self._held[field]))
        found = [
            float(f"{min(0.9, max(pairs, FEWEST) / total):.2g}") for pairs in self._pairs(field)
        ]
        return (*found, float(f"{max(1.0 - sum(found), 0.05):.2g}"))

    def _pairs(self, field: str) -> list[float]:
        """Pairs of rows at each level, float (levels,)."""
        return [
            sum(map(_pairs, table.values())) - (repeated if level else 0.0)
            for level, (table, repeated) in enumerate(
                zip(self._counts[field], self._repeated[field], strict=True)
            )
        ]


def _pairs(count: int) -> float:
    return count * (count - 1) / 2.0
