"""What a run keeps for analysts beside its results, written in the same transaction."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, update

from linkage_hub.analytics.alone import write_unlinked
from linkage_hub.analytics.evidence import write_links
from linkage_hub.analytics.thresholds import FamilyMembers, threshold_rows
from linkage_hub.linkage.answers import PairAnswers
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


def write_analysis(connection: Connection, run: str, results: Results, about: ForAnalysis) -> None:
    """Store a run's pairs, the records that are alone, and the table of other thresholds."""
    sources, linked = results.sources, results.linked
    write_links(connection, run, sources, linked)
    write_unlinked(connection, run, sources, linked, hardened=about.hardened)
    members = FamilyMembers(
        results.families.member_family, results.families.member_person, results.needs.flagged
    )
    rows = threshold_rows(linked, about.ruled, members, about.precision, about.recall)
    kept = json.dumps([row.model_dump(mode="json") for row in rows])
    connection.execute(update(runs).where(runs.c.id == run).values(thresholds=kept))
