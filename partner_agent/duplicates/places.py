"""What goes together where many live: one country, one town, one institution.

An address that many rows share is a place. Its people have names of their own, and birth dates
that were written down in its way, so that strangers who share a place are alike more often than
any two rows. Levels of pairs drawn within each place, and how often it repeats a value, say how
much more often, and so how much less their likeness tells.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from partner_agent.duplicates.fields import Comparer, Levels, Rows
from partner_agent.duplicates.rarity import Rarity

PLACE: Final = 20  # rows at one address, above which it is no home
SAMPLE: Final = 100_000  # pairs drawn within places
ELSEWHERE: Final = 200.0  # pairs of the whole source that a place's shares begin with
REPEATED: Final = 0.2  # pairs of one person a row that may be among those drawn
LOCAL: Final = ("first_name", "middle_name", "surname", "date_of_birth")
_SEED: Final = 2

Float = NDArray[np.float64]


class Places:
    """How much more often strangers of each place are alike.

    Args:
        comparer: of the source.
        rarity: of the source.
        strangers: share of each level among any strangers, by field.
    """

    def __init__(self, comparer: Comparer, rarity: Rarity, strangers: dict[str, Float]) -> None:
        codes, counts = rarity.homes
        number = np.full(len(counts), -1, dtype=np.int64)
        many = np.flatnonzero(counts > PLACE)
        number[many] = np.arange(len(many))
        self._place = number[codes] if len(many) else np.full(len(codes), -1, dtype=np.int64)
        self._rows = counts[many]
        self._more: dict[str, Float] = {}
        self._rarity = rarity
        if not len(many) or "address" not in strangers:
            return
        left, right = self._drawn()
        levels, _ = comparer.levels(left, right)
        drawn = np.bincount(self._place[left], minlength=len(many))
        apart = self._rows * (self._rows - 1) / 2.0
        repeated = REPEATED * self._rows / apart * drawn
        for field, level in zip(comparer.fields, levels, strict=True):
            if field.name in LOCAL:
                size = len(field.match) + 1
                found = np.bincount(self._place[left] * size + level, minlength=len(many) * size)
                seen = found.reshape(len(many), size)[:, 1:].astype(np.float64)
                seen = np.maximum(0.0, seen - repeated[:, None] * np.array(field.match))
                share = seen + ELSEWHERE * strangers[field.name]
                share /= share.sum(axis=1, keepdims=True)
                more = np.log(np.maximum(1.0, share / strangers[field.name]))
                more[:, 0] = 0.0  # exact agreement is weighed by its value
                more[:, -1] = 0.0
                self._more[field.name] = np.concatenate((np.zeros((len(many), 1)), more), axis=1)

    def chance(self, comparer: Comparer, left: Rows, right: Rows, levels: Levels) -> Float:
        """Log of how much likelier strangers are to agree as each pair does; float64 (m,)."""
        found = np.zeros(len(left))
        if not self._more:
            return found
        together = np.flatnonzero(
            (self._place[left] >= 0) & (self._place[left] == self._place[right])
        )
        place = self._place[left[together]]
        for field, level in zip(comparer.fields, levels, strict=True):
            if field.name in self._more:
                here = level[together]
                found[together] += self._more[field.name][place, here]
                exact = together[here == 1]
                found[exact] += self._rarity.at(
                    field, left[exact], right[exact], self._place, self._rows
                )
        return found

    def _drawn(self) -> tuple[Rows, Rows]:
        """Pairs of rows of one place, as many of each as it has rows."""
        chance = np.random.default_rng(_SEED)
        held = np.flatnonzero(self._place >= 0)
        order = held[np.argsort(self._place[held], kind="stable")]
        begins = np.concatenate(([0], np.cumsum(self._rows)[:-1]))
        at = chance.integers(0, len(order), SAMPLE)
        place = self._place[order[at]]
        step = 1 + np.floor(chance.random(SAMPLE) * (self._rows[place] - 1)).astype(np.int64)
        other = begins[place] + (at - begins[place] + step) % self._rows[place]
        return order[at], order[other]
