"""All records of all sources in memory, for what is decided after they are written."""

from dataclasses import dataclass, field

import numpy as np

from examples.county.model import NEEDS, Bools, Ints, Population, Texts
from examples.county.sources.base import Source
from examples.county.sources.render import Extract


@dataclass
class Records:
    """Which record of which source is about whom; grows as extracts are written."""

    sources: list[Source] = field(default_factory=list)
    ids: list[Texts] = field(default_factory=list)
    persons: list[Ints] = field(default_factory=list)
    usable: list[Bools] = field(default_factory=list)  # rows that are not opted out
    met: Bools = field(default_factory=lambda: np.zeros((0, len(NEEDS)), dtype=bool))

    def add(self, population: Population, extract: Extract) -> None:
        """Take in one source."""
        if not self.sources:
            self.met = np.zeros((len(population), len(NEEDS)), dtype=bool)
        self.sources.append(extract.source)
        self.ids.append(extract.record_id)
        self.persons.append(extract.person)
        usable = np.ones(len(extract.person), dtype=bool)
        if extract.source.opt_out:
            usable = ~population.opted_out[extract.person]
        self.usable.append(usable)
        for column in range(len(NEEDS)):
            self.met[extract.person[extract.met[:, column]], column] = True

    def __len__(self) -> int:
        return sum(len(person) for person in self.persons)

    def of(self, wanted: Bools) -> dict[int, list[tuple[int, int]]]:
        """(source, row) pairs of the usable records of chosen persons, by person."""
        found: dict[int, list[tuple[int, int]]] = {}
        for number, (persons, usable) in enumerate(zip(self.persons, self.usable, strict=True)):
            for row in np.flatnonzero(wanted[persons] & usable).tolist():
                found.setdefault(int(persons[row]), []).append((number, row))
        return found
