"""What a run keeps for analysts beside its results, written in the same transaction.

Rule: all of it is worked out before, since nobody else writes while the transaction is open.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, update

from governance.exchange.analysis_api import ThresholdRow
from linkage_hub.analytics.alone import barriers_of, write_unlinked
from linkage_hub.analytics.evidence import KeptPairs, pairs_to_keep, write_links
from linkage_hub.analytics.thresholds import FamilyMembers, threshold_rows
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.runs.inputs import SourceData
from linkage_hub.runs.pipeline import Results
from linkage_hub.store.tables import runs


@dataclass(frozen=True)
class ForAnalysis:
    """What is needed beside a run's results.

    Attributes:
        hardened: whether encodings are of that profile.
        ruled: rulings, by the numbers of the results' records.
        precision, recall: the run's own estimates.
    """

    hardened: bool
    ruled: PairAnswers
    precision: float
    recall: float


@dataclass(frozen=True)
class Kept:
    """What is kept.

    Attributes:
        sources: in the order of the run's persons.
        pairs: of records.
        barriers: what stood in the way of each record, int8 (n,), as ``barriers_of`` has it.
        thresholds: what other thresholds would give.
    """

    sources: Sequence[SourceData]
    pairs: list[KeptPairs]
    barriers: NDArray[np.int8]
    thresholds: list[ThresholdRow]


def analysed(results: Results, about: ForAnalysis) -> Kept:
    """Work out a run's pairs, the records that are alone, and the table of other thresholds."""
    sources, linked = results.sources, results.linked
    members = FamilyMembers(
        results.families.member_family, results.families.member_person, results.needs.flagged
    )
    return Kept(
        sources,
        pairs_to_keep(sources, linked),
        barriers_of(sources, linked, hardened=about.hardened),
        threshold_rows(linked, about.ruled, members, about.precision, about.recall),
    )


def write_analysis(connection: Connection, run: str, kept: Kept) -> None:
    """Store it."""
    write_links(connection, run, kept.sources, kept.pairs)
    write_unlinked(connection, run, kept.sources, kept.barriers)
    thresholds = json.dumps([row.model_dump(mode="json") for row in kept.thresholds])
    connection.execute(update(runs).where(runs.c.id == run).values(thresholds=thresholds))
