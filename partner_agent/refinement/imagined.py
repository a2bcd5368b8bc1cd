"""Imagined matches: what matching pairs are likely to show, so that tokens go where they count.

Drawn from the round's parameters alone and always the same way, so that the two agents of a pair
prefer the same patterns.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import LEVELS, FieldParameters, Parameters

COUNT: Final = 1024
_WORD: Final = 64  # bits
_NAMES: Final = ("first_name", "surname")


class Imagined:
    """Which of ``COUNT`` imagined matches show each option of each field.

    Args:
        parameters: of the round.

    Attributes:
        table: one bit for each match, uint64 (rows, COUNT / 64).
    """

    def __init__(self, parameters: Parameters) -> None:
        draw = np.random.default_rng(len(parameters.fields))
        swapped = draw.random(COUNT) < parameters.swapped
        rows = [np.ones(COUNT, dtype=bool), swapped]
        self._first: dict[str, int] = {}
        for field in parameters.fields:
            level = _levels(field, draw)
            if field.field in _NAMES:
                level[swapped] = len(LEVELS[field.field])
            missing = draw.random(COUNT) < field.lacking
            self._first[field.field] = len(rows)
            rows += [missing, ~missing]
            rows += [~missing & (level <= at) for at in range(len(LEVELS[field.field]))]
        self.table: NDArray[np.uint64] = np.packbits(np.stack(rows), axis=1).view(np.uint64)

    @property
    def all(self) -> int:
        """Row of an option that every match shows."""
        return 0

    @property
    def swapped(self) -> int:
        """Row of names in swapped order."""
        return 1

    def other_lacks(self, field: str) -> int:
        """Row of matches whose other side lacks the field."""
        return self._first[field]

    def other_holds(self, field: str) -> int:
        """Row of matches whose other side holds the field."""
        return self._first[field] + 1

    def agrees(self, field: str, level: int) -> int:
        """Row of matches that agree at least at a level."""
        return self._first[field] + 2 + level


def _levels(field: FieldParameters, draw: np.random.Generator) -> NDArray[np.int64]:
    """A level for each imagined match."""
    shares = np.array(field.match) / sum(field.match)
    return draw.choice(len(shares), COUNT, p=shares).astype(np.int64)
