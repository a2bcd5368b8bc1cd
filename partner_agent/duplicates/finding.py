"""Which rows of one source are of one person, in plaintext, which its agent alone may see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from partner_agent.duplicates.fields import Comparer, Field, Levels, Rows
from partner_agent.duplicates.groups import consistent
from partner_agent.duplicates.model import Compared, Model
from partner_agent.duplicates.pairs import candidates
from partner_agent.duplicates.places import Places
from partner_agent.duplicates.rarity import Rarity
from partner_agent.duplicates.source import Source, keys_of
from partner_agent.duplicates.texts import Columns

LEAST: Final = 0.5  # probability of a pair that is told
SAMPLE: Final = 100_000  # random pairs
PAIRS_AT_ONCE: Final = 500_000  # that are compared together, so that memory stays small
_SEED: Final = 1  # of the pairs that are drawn: the same rows give the same answer


@dataclass(frozen=True)
class Duplicates:
    """Pairs of rows that are more likely of one person than not, ordered by left, then right.

    Attributes:
        left: int64 (m,), rows numbered from 0 over everything that was added.
        right: int64 (m,), larger than ``left``.
        probability: float32 (m,), that they are of one person, at least ``LEAST``.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    probability: NDArray[np.float32]

    def among(self, kept: NDArray[np.bool_]) -> "Duplicates":
        """The pairs of rows that are kept, bool (n,), numbered as if there were no others."""
        both = kept[self.left] & kept[self.right]
        number = np.cumsum(kept) - 1
        return Duplicates(number[self.left[both]], number[self.right[both]], self.probability[both])


class DuplicateFinder:
    """Takes the accepted rows of a source, then says which are of one person.

    The order of the rows does not matter, and the same rows always give the same answer.
    """

    def __init__(self) -> None:
        self._columns = Columns()

    def add(self, frame: pd.DataFrame) -> None:
        """Rows of a cleaned table (docs/architecture.md), in the order of the submission."""
        self._columns.add(frame)

    def find(self) -> Duplicates:
        """Pairs among all rows that were added; asked for once, since the rows are let go."""
        source = Source.of(self._columns)
        order = np.argsort(source.fingerprints(), kind="stable")
        source = source.ordered(order)
        left, right, odds = found_in(source)
        one, other = order[left], order[right]
        left, right = np.minimum(one, other), np.maximum(one, other)
        by_row = np.lexsort((right, left))
        probability = 1.0 / (1.0 + np.exp(-odds))
        return Duplicates(left[by_row], right[by_row], probability[by_row].astype(np.float32))


def found_in(
    source: Source,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of a source's rows that are likelier of one person than not, and their log odds."""
    judged = learned(source)
    likely = []
    for left, right in judged.parts():  # compared anew: what was found is larger than the pairs
        odds = judged.model.log_odds(judged.compared(left, right))
        over = odds > 0.0  # of the others none is ever told
        likely.append((left[over], right[over], odds[over]))
    left, right, odds = (np.concatenate(each) for each in zip(*likely, strict=True))

    def judge(one: Rows, other: Rows) -> NDArray[np.float64]:
        return judged.model.log_odds(judged.compared(one, other))

    return consistent(left, right, odds, source.rows, judge)


@dataclass(frozen=True)
class Learned:
    """A source's candidate pairs, and what was learned from them.

    Attributes:
        left, right: rows of each candidate, int64 (m,), in order.
        fields: compared.
        compared: how some pairs of rows agree.
        model: of persons, kin and strangers.
    """

    left: Rows
    right: Rows
    fields: list[Field]
    compared: Callable[[Rows, Rows], Compared]
    model: Model

    def parts(self) -> Iterator[tuple[Rows, Rows]]:
        """The candidates, some at a time, so that memory stays small."""
        for at in range(0, max(1, len(self.left)), PAIRS_AT_ONCE):
            yield self.left[at : at + PAIRS_AT_ONCE], self.right[at : at + PAIRS_AT_ONCE]


def learned(source: Source) -> Learned:
    """Candidates of a source, and the model that they teach."""
    keys = keys_of(source)
    left, right = candidates((make() for make in keys), source.rows, len(keys))
    comparer, rarity = Comparer(source), Rarity(source)
    model = Model(comparer.fields, _sampled(comparer, source.rows), source.rows)
    places = Places(comparer, rarity, model.strangers)

    def compared(one: Rows, other: Rows) -> Compared:
        return _compared(comparer, rarity, places, one, other)

    found = Learned(left, right, comparer.fields, compared, model)
    model.learn(compared(*part) for part in found.parts())
    return found


def _sampled(comparer: Comparer, rows: int) -> Levels:
    """Levels of pairs drawn at random."""
    chance = np.random.default_rng(_SEED)
    drawn = SAMPLE if rows > 1 else 0
    left = chance.integers(0, max(1, rows), drawn)
    right = (left + chance.integers(1, max(2, rows), drawn)) % max(1, rows)
    return comparer.levels(left, right)[0]


def _compared(
    comparer: Comparer, rarity: Rarity, places: Places, left: Rows, right: Rows
) -> Compared:
    levels, swapped = comparer.levels(left, right)
    log_chance = np.zeros(len(left))
    for field, level in zip(comparer.fields, levels, strict=True):
        if field.rare:
            exact = np.flatnonzero((level == 1) & (swapped == 0))
            log_chance[exact] += rarity.chance(field, left[exact], right[exact])
            crossed = (level == 1) & (swapped > 0)
            log_chance[crossed] += np.log(field.stranger[0])
    log_chance += places.chance(comparer, left, right, levels)
    return Compared(levels, swapped, log_chance)
