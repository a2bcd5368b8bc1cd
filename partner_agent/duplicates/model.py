"""Fellegi and Sunter's model with three classes, learned without truth.

A pair of rows is of one *person*, of *kin* (relatives and others who share a home or a telephone,
so that surname and address agree and say nothing), or of *strangers*. Shares of levels among
strangers come from pairs drawn at random, and for exact agreement from how rare the value is; of
persons and kin by expectation maximisation over the candidates, with all pairs of the source as
the whole: pairs that are no candidates count as strangers. So no blocking rule teaches what it
blocks on. Prior shares weigh as much as a few pairs, so a source that holds nearly everyone once
stays near them.
Doubtful pairs teach little, or the many pairs that are alike by chance would teach the model to
take them for persons: a compromise between EM and its classification variant (Celeux and Govaert
1992).

Source: Fellegi and Sunter (1969), A theory for record linkage; Winkler (1988), using the EM
algorithm for weight computation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from partner_agent.duplicates.fields import Field, Levels

PRIOR_PERSONS: Final = 20.0  # pairs that the prior shares of a field count as
PRIOR_KIN: Final = 50.0
PRIOR_STRANGERS: Final = 2_000.0
SWAPPED: Final = (1.0, 50.0)  # pairs with names in each other's place, and without
FIRST_PERSONS: Final = 0.05  # pairs a row, before learning
FIRST_KIN: Final = 0.3
FEWEST: Final = 0.5  # pairs of a class
STEPS: Final = 200
STILL: Final = 1e-4  # change of the expected pairs, as a share, at which learning ends
GRAIN: Final = 2.0  # parts of a unit of log rarity that patterns keep apart
SURE: Final = 2  # power of a pair's probability by which it teaches what persons are like
LEAST_SHARE: Final = 1e-9

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Candidate pairs as the model sees them.

    Attributes:
        levels: uint8 (fields, m).
        swapped: uint8 (m,).
        rarity: float64 (m,), log of the chance that strangers share the values that agree exactly
            in fields whose values are weighed; these fields have no share of their own.
    """

    levels: Levels
    swapped: NDArray[np.uint8]
    rarity: Float

    def __len__(self) -> int:
        return len(self.rarity)


class Model:
    """Shares of levels in each class, and the number of pairs of each.

    Args:
        fields: compared.
        sample: levels of random pairs, uint8 (fields, s).
        rows: of the source.
    """

    def __init__(self, fields: Sequence[Field], sample: Levels, rows: int) -> None:
        self._fields = fields
        self._total = max(1.0, rows * (rows - 1) / 2.0)
        self._drawn = sample.shape[1]
        self._counts = [
            _counted(levels, None, len(field.match))
            for field, levels in zip(fields, sample, strict=True)
        ]
        self._persons = [np.array(field.match) for field in fields]
        self._strangers = [self._chance(at, None) for at in range(len(fields))]
        self._kin = [
            np.array(field.kin) if field.kin else _nearly(chance, field.kin_equal)
            for field, chance in zip(fields, self._strangers, strict=True)
        ]
        self._swapped = SWAPPED[0] / sum(SWAPPED)
        self.persons = FIRST_PERSONS * rows + FEWEST
        self.kin = FIRST_KIN * rows + FEWEST

    @property
    def strangers(self) -> dict[str, Float]:
        """Shares of levels among strangers, by field."""
        return {f.name: share for f, share in zip(self._fields, self._strangers, strict=True)}

    def learn(self, candidates: Iterable[Compared]) -> None:
        """Expectation maximisation over candidates, alike ones counted together.

        Args:
            candidates: parts of all of them, one in memory at a time.
        """
        levels, swapped, rarity, times = _patterns(candidates)
        pattern = Compared(levels, swapped, rarity)
        for _ in range(STEPS):
            persons, kin = self._shares(pattern)
            before, self.persons = self.persons, float(persons @ times) + FEWEST
            likely, persons, kin = persons * times, persons**SURE * times, kin * times
            self.kin = float(kin.sum()) + FEWEST
            excess = 0.0
            for at, field in enumerate(self._fields):
                size = len(field.match)
                mine = _counted(levels[at], persons, size)
                excess = max(excess, _excess(_counted(levels[at], likely, size), field))
                self._persons[at] = _capped(
                    _weighed(mine, np.array(field.match), PRIOR_PERSONS), field
                )
                self._strangers[at] = self._chance(at, mine)
                if field.kin:
                    theirs = _counted(levels[at], kin, size)
                    self._kin[at] = _weighed(theirs, np.array(field.kin), PRIOR_KIN)
                else:
                    self._kin[at] = _nearly(self._strangers[at], field.kin_equal)
            self.persons = max(FEWEST, self.persons - excess)
            turned = float(persons[swapped > 0].sum()) + SWAPPED[0]
            self._swapped = turned / (float(persons.sum()) + sum(SWAPPED))
            if abs(self.persons - before) <= STILL * before:
                break

    def log_odds(self, compared: Compared) -> Float:
        """Log of the odds that each pair is of one person, float64 (m,)."""
        one, kin, strangers = self._logs(compared)
        return one - np.logaddexp(kin, strangers)

    def _shares(self, compared: Compared) -> tuple[Float, Float]:
        one, kin, strangers = self._logs(compared)
        whole = np.logaddexp(np.logaddexp(one, kin), strangers)
        return np.exp(one - whole), np.exp(kin - whole)

    def _logs(self, compared: Compared) -> tuple[Float, Float, Float]:
        others = max(FEWEST, self._total - self.persons - self.kin)
        one = np.full(len(compared), np.log(self.persons))
        kin = np.full(len(compared), np.log(self.kin))
        strangers = compared.rarity + np.log(others)
        for at, field in enumerate(self._fields):
            level = compared.levels[at]
            one += _table(self._persons[at])[level]
            kin += _table(self._kin[at])[level]
            chance = _table(self._strangers[at])
            if field.rare:
                chance[1] = 0.0
            strangers += chance[level]
        one += np.where(compared.swapped > 0, np.log(self._swapped), np.log1p(-self._swapped))
        return one, kin, strangers

    def _chance(self, at: int, persons: Float | None) -> Float:
        """Shares among strangers: random pairs without the persons expected among them."""
        counts = self._counts[at]
        if persons is not None:
            counts = np.maximum(0.0, counts - persons * (self._drawn / self._total))
        return _weighed(counts, np.array(self._fields[at].stranger), PRIOR_STRANGERS)


def _weighed(counts: Float, prior: Float, weight: float) -> Float:
    share = prior / prior.sum()
    found: Float = (counts + weight * share) / (counts.sum() + weight)
    return found


def _capped(shares: Float, field: Field) -> Float:
    """Shares among persons, of whom a field's most may differ."""
    if shares[-1] <= field.most:
        return shares
    found: Float = shares * ((1.0 - field.most) / (1.0 - shares[-1]))
    found[-1] = field.most
    return found


def _excess(counts: Float, field: Field) -> float:
    """Pairs that differ in a field beyond what those that agree let expect: no persons."""
    if field.most >= 1.0:
        return 0.0
    agreeing = float(counts[:-1].sum()) + FEWEST
    return float(counts[-1]) - agreeing * field.most / (1.0 - field.most)


def _nearly(strangers: Float, equal: float) -> Float:
    """Shares of kin that are like strangers but for those that agree fully."""
    found: Float = strangers * (1.0 - equal)
    found[0] += equal
    return found


def _table(shares: Float) -> Float:
    """Logs by level; 0 is missing, which says nothing."""
    table: Float = np.concatenate(([0.0], np.log(np.maximum(shares, LEAST_SHARE))))
    return table


def _counted(levels: NDArray[np.uint8], weights: Float | None, size: int) -> Float:
    """Pairs, or their weights, at each level but 0."""
    return np.bincount(levels, weights, size + 1)[1:].astype(np.float64)


def _patterns(
    candidates: Iterable[Compared],
) -> tuple[Levels, NDArray[np.uint8], Float, Float]:
    """Distinct patterns, and how many pairs have each."""
    parts = [_patterns_of(part) for part in candidates]
    keys, times = (np.concatenate([part[at] for part in parts]) for at in (0, 4))
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    return (
        np.concatenate([part[1] for part in parts], axis=1)[:, first],
        np.concatenate([part[2] for part in parts])[first],
        np.concatenate([part[3] for part in parts])[first],
        np.bincount(of, times, len(first)).astype(np.float64),
    )


def _patterns_of(
    compared: Compared,
) -> tuple[NDArray[np.int64], Levels, NDArray[np.uint8], Float, NDArray[np.int64]]:
    """Distinct patterns of some pairs: their numbers, themselves, and how many pairs each has."""
    grains = np.round(compared.rarity * GRAIN).astype(np.int64)
    key = -grains
    for level in compared.levels:
        key = key * 8 + level
    key = key * 2 + compared.swapped
    keys, first, times = np.unique(key, return_index=True, return_counts=True)
    return (
        keys,
        compared.levels[:, first],
        compared.swapped[first],
        grains[first] / GRAIN,
        times,
    )
