"""Figures of a run for any persons of its records: families, needs, who is put forward.

Rules: the run's own code builds families and judges needs; records are read once. People whom
records name are looked for among those who were seen at the same addresses alone: to look among
everybody takes as long for a small county as for a large one, and is the same for all persons that
are compared with each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from governance.exchange.analysis_api import Effected
from linkage_hub.analytics.needs import MET, Assessments, assess
from linkage_hub.families.build import build_families
from linkage_hub.families.columns import Evidence
from linkage_hub.families.reading import read_evidence, with_persons
from linkage_hub.families.whereabouts import whereabouts_of
from linkage_hub.linkage.candidates import Indices
from linkage_hub.runs.indicators import SaidOfPersons, said_of_families, said_of_persons
from linkage_hub.runs.inputs import SourceData

Bools = NDArray[np.bool_]
Name = tuple[Effected, tuple[str, ...]]


@dataclass(frozen=True)
class Terms:
    """What a run's families and needs are made by.

    Attributes:
        indicators: ids of all that the agreement has.
        needs: those of them that are needs, sorted.
        minimum: how many needs put a family forward.
        month: of the run, ``12 * year + (month - 1)``.
        hardening: k of profile ``hardened``; None for ``clk``.
        threshold: largest count that is not shown.
    """

    indicators: tuple[str, ...]
    needs: tuple[str, ...]
    minimum: int
    month: int
    hardening: int | None
    threshold: int


@dataclass(frozen=True)
class Counted:
    """Figures of one set of persons, the family of each record, and the families' needs."""

    counts: dict[Name, int]
    family: Indices
    assessed: Assessments


class Figures:
    """Families, needs and counts of any persons over the same records."""

    def __init__(self, sources: Sequence[SourceData], terms: Terms) -> None:
        ends = np.cumsum([0, *(len(source.handles) for source in sources)])
        records = [np.arange(low, high) for low, high in pairwise(ends)]
        tables = [source.table for source in sources]
        self._terms = terms
        self._evidence: Evidence = read_evidence(tables, records, int(ends[-1]), terms.hardening)
        self._said: SaidOfPersons = said_of_persons(sources, records, terms.indicators)

    def of(self, label: Indices, own: Counted | None = None) -> Counted:
        """Counts of these persons.

        Args:
            label: person of each record, int64 (n,).
            own: the run's, whose families put forward are looked for.
        """
        evidence = with_persons(self._evidence, label, int(label.max()) + 1)
        found = build_families(evidence, mention_budget=0)
        members = found.members
        said = said_of_families(
            self._said._replace(person=label[self._said.person]),
            self._terms.indicators, members.family, members.person,
        )  # fmt: skip
        resident = whereabouts_of(evidence, found, self._terms.month).resident
        assessed = assess(said, self._terms.needs, self._terms.minimum, resident)
        family = found.family_of[label]
        counts = counts_of(evidence.persons, found.count, assessed)
        if own is not None:
            counts["kept", ()] = _kept(own, family, assessed)
        return Counted(counts, family, assessed)


def counts_of(persons: int, families: int, assessed: Assessments) -> dict[Name, int]:
    """Figures of so many persons and families; all that are put forward are kept."""
    forward = int(assessed.flagged.sum())
    return {
        ("persons", ()): persons,
        ("families", ()): families,
        ("put_forward", ()): forward,
        ("kept", ()): forward,
        ("in_programme", ()): int(assessed.in_programme.sum()),
        **_needs(assessed),
    }


def _kept(own: Counted, family: Indices, assessed: Assessments) -> int:
    """Families put forward whose records are, most of them, in a family that is here too."""
    once, count = np.unique(
        np.column_stack([own.family, family])[own.assessed.flagged[own.family]],
        axis=0,
        return_counts=True,
    )
    order = np.lexsort((once[:, 1], -count, once[:, 0]))
    once = once[order]
    head = np.append(True, np.diff(once[:, 0]) > 0)[: len(once)]
    return int(assessed.flagged[once[head, 1]].sum())


def _needs(assessed: Assessments) -> dict[Name, int]:
    met = assessed.state == MET
    both = met.T.astype(np.int64) @ met.astype(np.int64)
    needs = assessed.needs
    single: dict[Name, int] = {
        ("need", (need,)): int(both[at, at]) for at, need in enumerate(needs)
    }
    together: dict[Name, int] = {
        ("needs_together", (needs[one], needs[other])): int(both[one, other])
        for one, other in combinations(range(len(needs)), 2)
    }
    return single | together
